package events

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Sanitize makes a text harmless that came from a command, a recipe or the network: printed, it can
// neither move the cursor, change a title or a colour, nor reverse the direction of what it says.
//
// Escape sequences are removed. What else is a control character, a bidirectional control or not
// UTF-8 becomes visible, as \r, \x07 or \u202e. Newlines and tabs stay, a CR before a newline does
// not. Sanitizing twice is the same as once.
func Sanitize(s string) string {
	first := firstUnsafe(s)
	if first < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	b.WriteString(s[:first])
	for i := first; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\r':
			size = span(s[i:], '\r', '\r') // as a whole: each by itself would look at all that follow
			if rest := s[i+size:]; rest != "" && rest[0] != '\n' {
				b.WriteString(strings.Repeat(`\r`, size))
			}
		case r == '\x1b' && escapeLen(s[i:]) > 0:
			size = escapeLen(s[i:])
		case unsafeRune(r):
			b.WriteString(visible(r))
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// SanitizeLine is [Sanitize] for what must stay on one line: newlines become visible as \n.
func SanitizeLine(s string) string {
	s = strings.TrimSuffix(Sanitize(s), "\n")
	return strings.ReplaceAll(s, "\n", `\n`)
}

// firstUnsafe returns the index of the first byte that [Sanitize] must look at, -1 for none.
func firstUnsafe(s string) int {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if unsafeRune(r) || r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// unsafeRune reports whether a character can do more to a screen than stand on it.
func unsafeRune(r rune) bool {
	switch {
	case r == '\n', r == '\t':
		return false
	case r < 0x20, 0x7f <= r && r <= 0x9f: // C0, DEL, C1
		return true
	case r < 0x600:
		return false
	case r == 0x061c, r == 0x200e, r == 0x200f, // direction marks
		0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069, // bidirectional controls
		r == 0x2028, r == 0x2029, // line and paragraph separators
		r == 0xfeff, 0xfff9 <= r && r <= 0xfffb, // byte order mark, annotations
		0xe0000 <= r && r <= 0xe007f: // invisible tags
		return true
	}
	return false
}

// visible writes an unsafe character so that a person sees it.
func visible(r rune) string {
	switch {
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// escapeLen returns the length of the whole escape sequence that s begins with, 0 if it is not
// complete on its line: hiding what follows an opened one would let an output hide itself.
func escapeLen(s string) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '[': // control sequence: parameters, intermediates, final byte
		i := 2 + span(s[2:], 0x30, 0x3f)
		i += span(s[i:], 0x20, 0x2f)
		return withFinal(s, i, 0x40)
	case ']', 'P', 'X', '^', '_': // a string, ended by BEL or ESC \
		for i := 2; i < len(s) && s[i] != '\n'; i++ {
			if s[i] == '\a' {
				return i + 1
			}
			if s[i] == '\x1b' {
				if strings.HasPrefix(s[i:], "\x1b\\") {
					return i + 2
				}
				return 0
			}
		}
		return 0
	}
	return withFinal(s, 1+span(s[1:], 0x20, 0x2f), 0x30)
}

// withFinal returns the length of a sequence whose final byte stands at i, 0 if it does not.
func withFinal(s string, i int, lowest byte) int {
	if i < len(s) && lowest <= s[i] && s[i] <= 0x7e {
		return i + 1
	}
	return 0
}

// span counts the leading bytes of s between lo and hi.
func span(s string, lo, hi byte) int {
	n := 0
	for n < len(s) && lo <= s[n] && s[n] <= hi {
		n++
	}
	return n
}
