package diag

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Suggest returns the name of known that is most like name, which itself does not count. Case, and - for _, make
// no difference; otherwise a letter that is missing, too many, another, or swapped with its neighbour counts one,
// and one slip for each three letters is allowed (but fewer than letters). Of equally near ones the one with the
// longest common beginning is taken, then the first in the alphabet. ok is false if none is near.
func Suggest(name string, known []string) (nearest string, ok bool) {
	typed := fold(name)
	limit := min((len(typed)+2)/3, len(typed)-1)
	best, bestPrefix := limit+1, 0
	for _, candidate := range known {
		if candidate == name {
			continue
		}
		other := fold(candidate)
		d := distance(typed, other, limit)
		prefix := commonPrefix(typed, other)
		better := d < best || d == best && ok && (prefix > bestPrefix || prefix == bestPrefix && candidate < nearest)
		if d <= limit && better {
			nearest, best, bestPrefix, ok = candidate, d, prefix, true
		}
	}
	return nearest, ok
}

// DidYouMean returns ` (did you mean "x"?)`, to be put behind a message, or "" if nothing in known is near.
func DidYouMean(name string, known []string) string {
	if nearest, ok := Suggest(name, known); ok {
		return fmt.Sprintf(" (did you mean %q?)", nearest)
	}
	return ""
}

func fold(name string) []rune {
	return []rune(strings.Map(func(r rune) rune {
		if r == '-' {
			return '_'
		}
		return unicode.ToLower(r)
	}, name))
}

func commonPrefix(a, b []rune) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// distance is the Damerau-Levenshtein distance of a and b in which no letter is changed twice. It may stop at any
// number above limit.
func distance(a, b []rune, limit int) int {
	if d := len(a) - len(b); max(d, -d) > limit {
		return limit + 1
	}
	// Rows of the usual table: for the letters of a before the last but one, before the last, and now.
	before, last, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		now[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			now[j+1] = min(last[j+1]+1, now[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				now[j+1] = min(now[j+1], before[j-1]+1)
			}
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}

var (
	askedPattern     = regexp.MustCompile(`(?s)^(.*) \(did you mean (\.?)([^()]+)\?\)$`)
	undefinedPattern = regexp.MustCompile(`^undefined: (\w+)$`)
	receiverPattern  = regexp.MustCompile(`[\pL_][\pL\pN_.]*$`)
)

// suggest makes a hint of what Starlark appends to a message, and gives one for an undefined name.
func (r *reader) suggest(d *Diagnostic) {
	if d.Hint != "" {
		return
	}
	found := ""
	if m := askedPattern.FindStringSubmatch(d.Message); m != nil {
		d.Message, found = m[1], m[3]
		if m[2] != "" {
			found = receiver(d.Source, d.Col) + "." + found
		}
	}
	if m := undefinedPattern.FindStringSubmatch(d.Message); m != nil && r.known != nil {
		// Starlark sees the names of the file only, and takes what is not very near.
		names := slices.Clone(r.known())
		if found != "" {
			names = append(names, found)
		}
		if nearest, ok := Suggest(m[1], names); ok {
			found = nearest
		}
	}
	if found != "" {
		d.Hint = "did you mean " + found + "?"
	}
}

// receiver returns the plain name, perhaps with dots, in front of the dot in column col of a line; "" if something
// else is there.
func receiver(line string, col int) string {
	runes := []rune(line)
	if col < 1 || col > len(runes) || runes[col-1] != '.' {
		return ""
	}
	before := string(runes[:col-1])
	name := receiverPattern.FindString(before)
	// In f(x).name, "f(x" is not what name is looked up in; in x[0].a.b neither is a.
	if strings.HasSuffix(strings.TrimSuffix(before, name), ".") {
		return ""
	}
	return name
}
