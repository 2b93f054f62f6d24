package events

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSanitize(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "HEAD is now at 1234567", "HEAD is now at 1234567"},
		{"empty", "", ""},
		{"wide and accented", "é 状态 ✓ 👩‍💻", "é 状态 ✓ 👩‍💻"},
		{"newline and tab", "a\n\tb\n", "a\n\tb\n"},
		{"colour", "\x1b[1;31mred\x1b[0m", "red"},
		{"cursor up and erase", "fine\x1b[3A\x1b[2J\x1b[K!", "fine!"},
		{"private mode", "\x1b[?1049h\x1b[?25lx", "x"},
		{"title, ended by BEL", "\x1b]0;owned\ax", "x"},
		{"link, ended by ST", "\x1b]8;;http://a\x1b\\x", "x"},
		{"device control", "\x1bPq#0\x1b\\x", "x"},
		{"character set", "\x1b(0x", "x"},
		{"reset", "\x1bcx", "x"},
		{"cut off sequence", "x\x1b[3", `x\x1b[3`},
		{"escape at the end", "x\x1b", `x\x1b`},
		{"opened title cannot hide the rest", "\x1b]0;evil\nrest", `\x1b]0;evil` + "\nrest"},
		{"title broken by another sequence", "\x1b]0;a\x1b[2Jb", `\x1b]0;ab`},
		{"removal must not compose a new one", "\x1b\x1b[2J[2J", `\x1b[2J`},
		{"bell and backspace", "a\ab\bc", `a\x07b\x08c`},
		{"NUL and DEL", "\x00\x7f", `\x00\x7f`},
		{"C1 as a character", "\u009b2J", `\u009b2J`},
		{"C1 as a byte", "\x9b2J", `\x9b2J`},
		{"CRLF", "a\r\nb\r", "a\nb"},
		{"CR that overwrites", "failed\rok", `failed\rok`},
		{"several CR", "a\r\r\nb\r\rc\r\r", "a\nb\\r\\rc"},
		{"reversed file name", "exe.\u202etxt", `exe.\u202etxt`},
		{"isolate, mark, separator", "\u2066\u200f\u2028", `\u2066\u200f\u2028`},
		{"invisible tag", "a\U000e0041", `a\U000e0041`},
		{"not UTF-8", "a\xffb", `a\xffb`},
		{"replacement character itself", "\ufffd", "\ufffd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Sanitize(c.in); got != c.want {
				t.Errorf("Sanitize(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestSanitizeLine(t *testing.T) {
	if got, want := SanitizeLine("a\nb\x1b[0m\n"), `a\nb`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The time a text takes grows with its length, not with its square: a command that prints a million
// carriage returns must not stop a run. (With the square this test would take many minutes.)
func TestSanitizeLongText(t *testing.T) {
	for _, unit := range []string{"\r", "\x1b", "\x1b]", "\x1b[1;", "\x1b[0m", "\r\n", "\xff"} {
		long := strings.Repeat(unit, 1<<20)
		if again := Sanitize(Sanitize(long) + "x"); !strings.HasSuffix(again, "x") {
			t.Errorf("what follows many %q is lost", unit)
		}
	}
}

// FuzzSanitize looks for a text that is still dangerous, or lost, after it was sanitized.
func FuzzSanitize(f *testing.F) {
	for _, seed := range []string{"plain", "\x1b[31mred\x1b[0m", "\x1b]0;t\a", "\x1b\x1b[2J[2J", "a\r\nb\rc", "\xff\u202e", "\x1b]x\x1b[K"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out := Sanitize(in)
		if !utf8.ValidString(out) {
			t.Fatalf("%q became %q, which is not UTF-8", in, out)
		}
		for _, r := range out {
			if unsafeRune(r) || r == 0x1b || r == '\r' {
				t.Fatalf("%q became %q, which holds %U", in, out, r)
			}
		}
		if again := Sanitize(out); again != out {
			t.Fatalf("%q became %q and then %q", in, out, again)
		}
		if strings.Count(in, "\n") != strings.Count(out, "\n") {
			t.Fatalf("%q became %q: another number of lines", in, out)
		}
		if strings.Contains(SanitizeLine(in), "\n") {
			t.Fatalf("SanitizeLine(%q) has several lines", in)
		}
	})
}
