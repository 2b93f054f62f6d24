package child

import "strings"

const (
	tailLines = 5
	tailWidth = 400 // bytes of a line
)

// tail is the last lines that say something, for an error.
type tail struct{ lines []string }

func (t *tail) add(line string) {
	line = strings.TrimSpace(line)
	if line == "" {
		return
	}
	if len(line) > tailWidth {
		// At a space: a part of a secret would not be found as one.
		line = line[:strings.LastIndexByte(line[:tailWidth], ' ')+1] + "…"
	}
	if len(t.lines) == tailLines {
		t.lines = append(t.lines[:0:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, line)
}
