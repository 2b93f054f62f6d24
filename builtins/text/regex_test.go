package text

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

// What the bounded replacing gives is what package regexp gives.
func FuzzReplace(f *testing.F) {
	f.Add("(?m)^port = (.*)$", "a\nport = 1\nport = 2\n", "port = 8$1")
	f.Add("a*", "baaac", "<$0>")
	f.Add(`\b`, "one two", "|")
	f.Add("(a)|(b)", "abc", "${1}x$2y$$$9")
	f.Add("", "\xff\u00fc", "-")
	f.Fuzz(func(t *testing.T, pattern, text, replacement string) {
		re, err := compile(pattern)
		if err != nil || len(text)*len(replacement) > 1<<20 {
			return
		}
		if got, err := replace(re, text, replacement); err != nil || got != re.ReplaceAllString(text, replacement) {
			t.Errorf("replace(%q, %q, %q) = %q, %v, want %q", pattern, text, replacement, got, err, re.ReplaceAllString(text, replacement))
		}
	})
}

// A line of a recipe must not take all the memory there is.
func TestReplaceIsBounded(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("x", 1<<20)
	if _, err := replace(regexp.MustCompile("x"), many, strings.Repeat("y", 1<<10)); !errors.Is(err, errResult) {
		t.Errorf("1 GiB: %v", err)
	}
	if _, err := replace(regexp.MustCompile("x*"), many, strings.Repeat("$0", 1<<10)); !errors.Is(err, errResult) {
		t.Errorf("1 GiB of one match: %v", err)
	}
	groups := regexp.MustCompile(strings.Repeat("()", 1000) + "x")
	if _, err := replace(groups, many, ""); err == nil || !strings.Contains(err.Error(), "more than 4190 matches") {
		t.Errorf("a thousand groups: %v", err)
	}
}
