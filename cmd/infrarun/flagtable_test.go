package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, []string{""}},
		{"one", 10, []string{"one"}},
		{"one two three", 7, []string{"one two", "three"}},
		{"one  two\nthree", 80, []string{"one two three"}},
		{"averylongword is there", 5, []string{"averylongword", "is", "there"}},
		{"größe größe", 11, []string{"größe größe"}},
		{"one two", -3, []string{"one", "two"}},
	} {
		if diff := cmp.Diff(tt.want, wrap(tt.text, tt.width)); diff != "" {
			t.Errorf("wrap(%q, %d) (-want +got):\n%s", tt.text, tt.width, diff)
		}
	}
}

func TestFlagTable(t *testing.T) {
	set := newFlags("")
	o := &options{}
	o.outputFlag(set)
	set.BoolP("loud", "l", false, "in capitals")
	set.Bool("no-loud", false, "")
	set.Bool("polite", true, "with a please")
	set.Bool("no-way", false, "negates nothing")
	set.String("no-file", "", "a name that begins like a negation")
	set.String("name", "world", "whom to `GREET`")
	set.Int("times", 0, "how often, which is told at such length that it takes a second line")
	set.String("bare", "", "")
	var b strings.Builder
	flagTable(&b, set, 60)
	const want = `      --output text|json   text, or json: an object a line
                           (default text)
  -l, --[no-]loud          in capitals
      --polite             with a please (default yes)
      --no-way             negates nothing
      --no-file TEXT       a name that begins like a
                           negation
      --name GREET         whom to GREET (default world)
      --times N            how often, which is told at such
                           length that it takes a second
                           line (default 0)
      --bare TEXT
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(line); n > 61 {
			t.Errorf("a line has %d characters: %s", n, line)
		}
	}
}

func TestSummary(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		{"", ""},
		{"x = 1\n", ""},
		{`"""Does it."""` + "\nx = 1", "Does it."},
		{"\"\"\"Does it\nin two lines. And more.\n\nMore.\n\"\"\"", "Does it in two lines."},
		{"\"\"\"No end", "No end"},
	} {
		if got := summary(tt.source); got != tt.want {
			t.Errorf("summary(%q) = %q, want %q", tt.source, got, tt.want)
		}
	}
}

// The help names the recipes that are built in, and not their parts.
func TestBuiltinRecipes(t *testing.T) {
	found := map[string]string{}
	for _, r := range builtinRecipes() {
		found[r.name] = r.summary
	}
	if found[deployRecipe] == "" {
		t.Errorf("%s is no built-in recipe with a summary: %v", deployRecipe, found)
	}
	if _, ok := found["recipes/stack.star"]; ok {
		t.Error("stack.star counts as a recipe")
	}
	host, err := newHost()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for name := range found {
		if _, err := host.Load(t.Context(), name, "", ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
