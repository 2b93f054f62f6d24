package envfile

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
)

func TestParse(t *testing.T) {
	got, err := Parse("# a comment\n\nA=1\nB='x y'\nC=''\nD=\n# KEY='\nLAST=yes")
	want := []Variable{{"A", "1"}, {"B", "x y"}, {"C", ""}, {"D", ""}, {"LAST", "yes"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
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
		if got, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, error %v; want an error with %q", text, got, err, want)
		}
	}
}

// A shell reads what was written as it was meant, and executes nothing of it.
func TestInAShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	familytest.Need(t, err == nil, "there is no sh")
	values := []string{
		"", "a", "it's", "''", "'", `\`, `\'`, `'\''`, "$(touch x)", "`touch x`", "$HOME", "a b", "  ", "a#b", "# a", "~", "~/x", "a=~", "*", "&|;<>(){}[]!",
		`"`, "\t", "\r", "ä", "\x7f", "\xff\x81\x88", "a;touch x", "%s", "-n",
	}
	for _, value := range values {
		text, err := Line(Variable{"VALUE", value})
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

func FuzzLine(f *testing.F) {
	for _, seed := range []string{"", "it's", "''", `\'`, `'\''`, "a b", "\xff", "a=b", "#"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		text, err := Line(Variable{"KEY", value})
		if err != nil {
			if !strings.ContainsAny(value, "\n\x00") {
				t.Errorf("%q: %v", value, err)
			}
			return
		}
		if got, err := Parse(text); err != nil || !slices.Equal(got, []Variable{{"KEY", value}}) {
			t.Errorf("%q became %q, %v by way of %q", value, got, err, text)
		}
	})
}

// FuzzParse: what is accepted means the same when it is written again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"A=1\n", "A='x'\\''y'\n", "# c\n\nA=\n", "A='", "A=1\nA=2\n", "=\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		vars, err := Parse(text)
		if err != nil {
			return
		}
		again := ""
		for _, v := range vars {
			line, err := Line(v)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			again += line
		}
		if got, err := Parse(again); err != nil || !slices.Equal(got, vars) {
			t.Errorf("%q: %q became %q, %v", text, vars, got, err)
		}
	})
}
