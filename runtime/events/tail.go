package events

import "slices"

// tailLength is how many lines of a command's output a failure shows.
const tailLength = 20

// tails keeps the last lines of what was printed, by source: of commands that run side by side,
// only the failing one's are wanted. The zero value is ready.
type tails struct {
	lines  map[string][]string
	newest string
}

func (t *tails) add(source, line string) {
	if t.lines == nil {
		t.lines = map[string][]string{}
	}
	kept := append(t.lines[source], line)
	if len(kept) >= 2*tailLength { // now and then, not at every line
		kept = slices.Clone(kept[len(kept)-tailLength:])
	}
	t.lines[source], t.newest = kept, source
}

// of returns the last lines of a change's output and their source; if no source is named like the
// change, those of the source that printed last.
func (t *tails) of(c Change) (source string, lines []string) {
	source = t.newest
	for _, name := range names(c) {
		if len(t.lines[name]) > 0 {
			source = name
			break
		}
	}
	lines = t.lines[source]
	return source, lines[max(0, len(lines)-tailLength):]
}

// forget drops what is named like a change that is about to begin, and who printed last: what was
// printed before is not its output.
func (t *tails) forget(c Change) {
	for _, name := range names(c) {
		delete(t.lines, name)
	}
	t.newest = ""
}

// names are the sources that a change's output may be from.
func names(c Change) []string { return []string{c.Call + " " + c.Target, c.Target, c.Call} }
