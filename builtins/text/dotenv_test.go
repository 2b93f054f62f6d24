package text

import (
	"strings"
	"testing"

	"go.starlark.net/starlark"
)

// write is text.dotenv as a function.
func write(d *starlark.Dict) (string, error) {
	var b strings.Builder
	for k, v := range starlark.Entries(d) {
		line, err := dotenvLine(k, v)
		if err != nil {
			return "", err
		}
		b.WriteString(line)
	}
	return b.String(), nil
}

func TestDotenv(t *testing.T) {
	got, err := write(eval(t, `{
		"ENV": "production", "PORT": 8082, "DEBUG": False, "URL": "http://localhost:8082/a?b=c", "EMPTY": "",
		"SPACED": "a b", "QUOTE": "it's", "QUOTES": "''", "DOLLAR": "$HOME `+"`id`"+`", "_x9": "\\", "HASH": "#", "PLAIN": "aZ09_./:@%+,=-",
	}`).(*starlark.Dict))
	want := `ENV=production
PORT=8082
DEBUG=false
URL='http://localhost:8082/a?b=c'
EMPTY=
SPACED='a b'
QUOTE='it'\''s'
QUOTES=''\'''\'''
DOLLAR='$HOME ` + "`id`" + `'
_x9='\'
HASH='#'
PLAIN=aZ09_./:@%+,=-
`
	if err != nil || got != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
	}
}

func TestDotenvRefuses(t *testing.T) {
	for _, test := range []struct{ values, want string }{
		{`{"A": "one\ntwo-secret"}`, "the value of A has a line break"},
		{`{"A": "x\x00"}`, "the value of A has a NUL"},
		{`{"1A": "x"}`, `"1A" is no name of a variable`},
		{`{"A B": "x"}`, `"A B" is no name of a variable`},
		{`{"": "x"}`, `"" is no name of a variable`},
		{`{"A\n": "x"}`, "is no name of a variable"},
		{`{1: "x"}`, `1 is no name of a variable`},
		{`{"A": None}`, "the value of A is NoneType"},
		{`{"A": 1.5}`, "the value of A is float"},
	} {
		_, err := write(eval(t, test.values).(*starlark.Dict))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.values, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "two-secret") {
			t.Errorf("%s: the error shows the value: %v", test.values, err)
		}
	}
}

func TestParseDotenv(t *testing.T) {
	got, err := parseDotenv("# a comment\n\nB=1\nA='x y'\n")
	if want := `{"B": "1", "A": "x y"}`; err != nil || got.String() != want {
		t.Errorf("got %v, %v, want %s", got, err, want)
	}
	if got, err := parseDotenv("A=1\nA=2\n"); err == nil || !strings.Contains(err.Error(), "line 2: A comes twice") {
		t.Errorf("got %v, %v", got, err)
	}
}
