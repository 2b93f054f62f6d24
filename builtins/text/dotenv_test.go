package text

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
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
	got, err := parseDotenv("# a comment\n\nA=1\nB='x y'\nC=''\nD=\n# KEY='\nLAST=yes")
	if want := `{"A": "1", "B": "x y", "C": "", "D": "", "LAST": "yes"}`; err != nil || got.String() != want {
		t.Errorf("got %v, %v, want %s", got, err, want)
	}
	for text, want := range map[string]string{
		"A=1\nA=2\n":      "line 2: A comes twice",
		"A = 1\n":         "line 1 is not KEY=value",
		"\nexport A=1\n":  "line 2 is not KEY=value",
		"A\n":             "line 1 is not KEY=value",
		" # indented\n":   "line 1 is not KEY=value",
		"A=\"x\"\n":       "line 1: the value of A must be bare",
		"A=$HOME\n":       "line 1: the value of A must be bare",
		"A=x y\n":         "line 1: the value of A must be bare",
		"A=x \n":          "line 1: the value of A must be bare",
		"A=x # comment\n": "line 1: the value of A must be bare",
		"A=1\r\n":         "line 1: the value of A must be bare",
		"A='\n":           "line 1: the value of A must be bare",
		"A='it's'\n":      "line 1: the value of A must be bare",
		"A='a\nb'\n":      "line 1: the value of A must be bare",
		"A='x'y\n":        "line 1: the value of A must be bare",
	} {
		if got, err := parseDotenv(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, error %v; want an error with %q", text, got, err, want)
		}
	}
}

// A shell reads what was written as it was meant, and executes nothing of it.
func TestDotenvInAShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	familytest.Need(t, err == nil, "there is no sh")
	values := []string{
		"", "a", "it's", "''", "'", `\`, `\'`, `'\''`, "$(touch x)", "`touch x`", "$HOME", "a b", "  ", "a#b", "# a", "~", "~/x", "a=~", "*", "&|;<>(){}[]!",
		`"`, "\t", "\r", "ä", "\x7f", "\xff\x81\x88", "a;touch x", "%s", "-n",
	}
	d := starlark.NewDict(1)
	for _, value := range values {
		if err := d.SetKey(starlark.String("VALUE"), starlark.String(value)); err != nil {
			t.Fatal(err)
		}
		text, err := write(d)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		file := filepath.Join(dir, "env")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), sh, "-c", `. ./env; printf '%s' "$VALUE"`)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil || string(out) != value {
			t.Errorf("%q, written as %q, is %q in a shell (%v)", value, text, out, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
			t.Errorf("%q, written as %q, was executed", value, text)
		}
	}
}

func FuzzDotenv(f *testing.F) {
	for _, seed := range []string{"", "it's", "''", `\'`, `'\''`, "a b", "\xff", "a=b", "#"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		d := starlark.NewDict(1)
		if err := d.SetKey(starlark.String("KEY"), starlark.String(value)); err != nil {
			t.Fatal(err)
		}
		text, err := write(d)
		if err != nil {
			if !strings.ContainsAny(value, "\n\x00") {
				t.Errorf("%q: %v", value, err)
			}
			return
		}
		if got, err := parseDotenv(text); err != nil || got.String() != d.String() {
			t.Errorf("%q became %v, %v by way of %q", d, got, err, text)
		}
	})
}

// FuzzParseDotenv: what is accepted means the same when it is written again.
func FuzzParseDotenv(f *testing.F) {
	for _, seed := range []string{"A=1\n", "A='x'\\''y'\n", "# c\n\nA=\n", "A='", "A=1\nA=2\n", "=\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDotenv(text)
		if err != nil {
			return
		}
		again, err := write(d)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got, err := parseDotenv(again); err != nil || got.String() != d.String() {
			t.Errorf("%q: %v became %v, %v", text, d, got, err)
		}
	})
}
