package child

import (
	"os/exec"
	"strings"
	"testing"
)

func TestQuote(t *testing.T) {
	for want, argv := range map[string][]string{
		"":                      nil,
		"git clone https://a/b": {"git", "clone", "https://a/b"},
		"echo '' 'a b' '$x'":    {"echo", "", "a b", "$x"},
		`echo 'it'\''s'`:        {"echo", "it's"},
		"echo 'A=b' '~' '*'":    {"echo", "A=b", "~", "*"},
	} {
		if got := Quote(argv); got != want {
			t.Errorf("Quote(%q) = %s, want %s", argv, got, want)
		}
	}
}

// What is quoted comes out of a real shell as it went in.
func FuzzQuoteWord(f *testing.F) {
	for _, s := range []string{"", "plain", "it's", "a b\tc\nd\n", `$(date) "x" \n`, "\xff", "!#~*?[a]{b,c}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsRune(s, 0) {
			return // no argument can hold a NUL byte
		}
		out, err := exec.Command("sh", "-c", "printf %s "+QuoteWord(s)).Output()
		if err != nil || string(out) != s {
			t.Errorf("the shell made %q, %v of %q", out, err, s)
		}
	})
}
