package lines

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// split makes lines of a text that comes in pieces of n bytes.
func split(text string, n int) []string {
	var lines []string
	l := Splitter{Emit: func(s string) { lines = append(lines, s) }}
	for b := []byte(text); len(b) > 0; {
		piece := b[:min(n, len(b))]
		_, _ = l.Write(piece)
		b = b[len(piece):]
	}
	l.Flush()
	return lines
}

func TestLines(t *testing.T) {
	tests := []struct {
		text string
		want []string
	}{
		{"", nil},
		{"one\ntwo\n", []string{"one", "two"}},
		{"no end", []string{"no end"}},
		{"\n\n", []string{"", ""}},
		{"dos\r\nlines\r\n", []string{"dos", "lines"}},
		{" 10%\r 90%\r100%\ndone", []string{"100%", "done"}},
		{"a\xffb\xfe\n", []string{"a\ufffdb\ufffd"}},
		{"grün\n", []string{"grün"}},
	}
	for _, tt := range tests {
		for _, n := range []int{1, 2, 3, 1 << 20} {
			if got := split(tt.text, n); !slices.Equal(got, tt.want) {
				t.Errorf("%q in pieces of %d = %q, want %q", tt.text, n, got, tt.want)
			}
		}
	}
}

// A line without an end is ended between two characters, and nothing of it is lost.
func TestLongLine(t *testing.T) {
	text := strings.Repeat("x", maxLine-1) + strings.Repeat("ü", maxLine)
	for _, n := range []int{1000, 1 << 20} {
		lines := split(text, n)
		if len(lines) < 3 || strings.Join(lines, "") != text {
			t.Errorf("in pieces of %d: %d lines, of %d bytes together, want %d", n, len(lines), len(strings.Join(lines, "")), len(text))
		}
		for _, line := range lines {
			if len(line) > maxLine {
				t.Errorf("a line of %d bytes", len(line))
			}
		}
	}
}

// A secret that is cut in two is not found any more: long lines end between words.
func TestLongLineEndsBetweenWords(t *testing.T) {
	text := strings.Repeat("word ", maxLine/4)
	for _, line := range split(text, 1000) {
		if !strings.HasPrefix(line, "word ") || !strings.HasSuffix(line, "word ") {
			t.Errorf("a line begins %q and ends %q", line[:8], line[len(line)-8:])
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add("one\r\ntwo\rthree\xff\n", 2)
	f.Add(strings.Repeat("ü", maxLine), 4096)
	f.Fuzz(func(t *testing.T, text string, n int) {
		n = min(max(n, 1), 1<<20)
		lines := split(text, n)
		for _, line := range lines {
			if !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") {
				t.Errorf("line %q", line)
			}
		}
		if whole := split(text, len(text)+1); !slices.Equal(lines, whole) {
			t.Errorf("in pieces of %d: %q, whole: %q", n, lines, whole)
		}
	})
}
