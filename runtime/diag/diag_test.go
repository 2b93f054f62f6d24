package diag

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

func shown(d *Diagnostic, colors bool) string {
	var b strings.Builder
	d.Write(&b, colors)
	return b.String()
}

func TestFromNil(t *testing.T) {
	d := From(nil, nil)
	if d != nil || shown(d, false) != "" {
		t.Errorf("From(nil) = %v, shown as %q", d, shown(d, false))
	}
}

func TestFromOtherErrors(t *testing.T) {
	hinted := &hintedError{"disk full", "free some\nspace"}
	list := resolve.ErrorList{{Pos: syntax.MakePosition(new("a.star"), 1, 1), Msg: "undefined: x"}}
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"plain", errors.New("no such run"), "no such run\n"},
		{"several lines", errors.New("one\ntwo\n"), "one\n  two\n"},
		{"hint", fmt.Errorf("deploy: %w", hinted), "deploy: disk full\n  hint: free some\n    space\n"},
		{"hint in a joined error", errors.Join(errors.New("a"), hinted), "a\n  disk full\n  hint: free some\n    space\n"},
		{"empty hint is passed over", fmt.Errorf("%w: %w", &hintedError{"a", ""}, hinted), "a: disk full\n  hint: free some\n    space\n"},
		{"hint in the message", errors.New(`no param "evn" (did you mean "env"?)`), "no param \"evn\"\n  hint: did you mean \"env\"?\n"},
		{"wrapped", fmt.Errorf("recipe: %w", syntax.Error{Pos: syntax.MakePosition(new("a.star"), 3, 2), Msg: "oh"}), "a.star:3:2: recipe: oh\n"},
		{"one resolve error", list[0], "a.star:1:1: undefined: x\n"},
		{"nil in a joined error", errors.Join(nil, errors.New("a")), "a\n"},
		{"no column", syntax.Error{Pos: syntax.MakePosition(new("a.star"), 3, 0), Msg: "oh"}, "a.star:3: oh\n"},
		{"no line", syntax.Error{Pos: syntax.MakePosition(new("a.star"), 0, 0), Msg: "oh"}, "a.star: oh\n"},
		{"stack of builtins", &starlark.EvalError{Msg: "oh", CallStack: starlark.CallStack{{Name: "f", Pos: syntax.MakePosition(new("<builtin>"), 0, 0)}}}, "oh\n"},
		{"no stack", &starlark.EvalError{Msg: "oh"}, "oh\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := shown(From(tt.err, nil), false); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFields(t *testing.T) {
	h := &host{files: map[string]string{
		"main.star": "load(\"lib.star\", \"f\")\ndef main():\n    f(0)\n\nmain()\n",
		"lib.star":  "def f(n):\n    return 1 // n\n",
	}}
	_, err := h.exec("main.star")
	d := From(fmt.Errorf("run: %w", err), h.source)
	want := &Diagnostic{
		Message: "run: floored division by zero", File: "lib.star", Line: 2, Col: 14, Function: "f", Source: "    return 1 // n",
		Frames: []Frame{
			{File: "main.star", Line: 5, Col: 5, Source: "main()"},
			{File: "main.star", Line: 3, Col: 6, Function: "main", Source: "    f(0)"},
		},
	}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got  %+v\nwant %+v", d, want)
	}
	if d.Position() != "lib.star:2:14" || (&Diagnostic{}).Position() != "" {
		t.Errorf("Position = %q, without a place %q", d.Position(), (&Diagnostic{}).Position())
	}
}

// Starlark counts the newlines of Unix, DOS and old Macs; the line shown must be the one it means.
// Starlark places an end that came too early at the start of what follows: people look at the end of what is there.
func TestPlacesOfEarlyEnds(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"a = 1\nb = 1 +", "2:8"},
		{"a = 1\nb = 1 +\n", "2:8"},
		{"a = 1\nb = 1 +\n\nc = 2\n", "2:8"},
		{"def f()\n    pass\n", "1:8"},
		{"x = [\n    1,\n\n", "2:7"},
		{"x = [\n    1,", "2:7"},
		{"if True:\n    f(\n", "2:7"},
		{"a = = 1\n", "1:5"},
	} {
		h := &host{files: map[string]string{"main.star": tt.text}}
		_, err := h.exec("main.star")
		if err == nil {
			t.Errorf("%q has no error", tt.text)
			continue
		}
		if got := From(err, h.source).Position(); got != "main.star:"+tt.want {
			t.Errorf("%q: %v is placed at %s, want %s", tt.text, err, got, tt.want)
		}
	}
}

func TestNewlines(t *testing.T) {
	h := &host{files: map[string]string{"main.star": "a = 1\r\nb = 2\rx = fail()\r\n"}}
	_, err := h.exec("main.star")
	if d := From(err, h.source); d.Source != "x = fail()" || d.Position() != "main.star:3:9" {
		t.Errorf("got %q at %s", d.Source, d.Position())
	}
}

func TestColors(t *testing.T) {
	t.Setenv("NO_COLOR", "1") // the caller has decided already
	d := &Diagnostic{Message: "oh", File: "a.star", Line: 1, Col: 1, Source: "x", Hint: "y"}
	colored := shown(d, true)
	for _, want := range []string{"\x1b[31;1moh\x1b[", "\x1b[1ma.star:1:1:\x1b[", "\x1b[31;1m^\x1b[", "hint:"} {
		if !strings.Contains(colored, want) {
			t.Errorf("%q lacks %q", colored, want)
		}
	}
	if plain := shown(d, false); strings.Contains(plain, "\x1b") {
		t.Errorf("without colors: %q", plain)
	}
}

func TestPadding(t *testing.T) {
	for _, tt := range []struct {
		line string
		col  int
		want string
	}{
		{"abc", 1, ""},
		{"abc", 3, "  "},
		{"abc", 9, "   "},
		{"\tab\tc", 5, "\t  \t"},
		{"é=x", 2, " "},
		{"e\u0301=x", 3, " "},
		{"配置=x", 3, "    "},
		{"😀=x", 2, "  "},
		{"ｆ=x", 2, "  "},
		{"한=x", 2, "  "},
		{"\u200b=x", 2, ""},
		{"\x1b=x", 2, " "},
		{"\xff=x", 2, " "},
		{"→=x", 2, " "},
	} {
		if got := padding(tt.line, tt.col); got != tt.want {
			t.Errorf("padding(%q, %d) = %q, want %q", tt.line, tt.col, got, tt.want)
		}
	}
}

func TestSuggest(t *testing.T) {
	names := []string{"write", "read", "copy", "copy_tree", "env", "branch", "dry-run", "Docker", "binary"}
	for name, want := range map[string]string{
		"wirte": "write", "wrte": "write", "writte": "write", "wrote": "write", "rite": "write",
		"copytree": "copy_tree", "copy-tree": "copy_tree", "evn": "env", "en": "env", "brnach": "branch",
		"dry_run": "dry-run", "docker": "Docker", "WRITE": "write",
		"x": "", "": "", "zz": "", "write": "", "delete": "", "xyz": "", "bin": "", "configuration": "",
	} {
		got, ok := Suggest(name, names)
		if got != want || ok != (want != "") {
			t.Errorf("Suggest(%q) = %q, %v, want %q", name, got, ok, want)
		}
	}
	// Equally near: the longer common beginning, then the alphabet; the order given does not count.
	for _, tt := range []struct{ name, one, two, want string }{
		{"step", "stem", "xtep", "stem"},
		{"port", "sort", "fort", "fort"},
	} {
		for _, list := range [][]string{{tt.one, tt.two}, {tt.two, tt.one}} {
			if got, _ := Suggest(tt.name, list); got != tt.want {
				t.Errorf("Suggest(%q, %q) = %q, want %q", tt.name, list, got, tt.want)
			}
		}
	}
	if got, want := DidYouMean("wirte", names), ` (did you mean "write"?)`; got != want {
		t.Errorf("DidYouMean = %q, want %q", got, want)
	}
	if got := DidYouMean("delete", names); got != "" {
		t.Errorf("DidYouMean of nothing near = %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"ca", "abc", 3}, {"kitten", "sitting", 3},
		{"abcd", "badc", 2}, {"größe", "grösse", 2},
	} {
		if got := distance([]rune(tt.a), []rune(tt.b), 9); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := distance([]rune(tt.b), []rune(tt.a), 9); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}

// FuzzFrom shows the mistakes of any file; the place must be in the file and nothing may act on the terminal.
func FuzzFrom(f *testing.F) {
	f.Add("def f(:\n  pass", "no such thing")
	f.Add("x = y\nz.\u202e = 1", "a (did you mean .b?)")
	f.Add("\t配 = \"", "undefined: fo")
	f.Fuzz(func(t *testing.T, file, message string) {
		src := func(string) (string, bool) { return file, true }
		none := func(string) bool { return false }
		_, _, err := starlark.SourceProgramOptions(&syntax.FileOptions{}, "a.star", file, none)
		known := Known(func() []string { return []string{"foo", "fs"} })
		placed := &starlark.EvalError{Msg: message, CallStack: starlark.CallStack{{Name: "f", Pos: syntax.MakePosition(new("a.star"), 1, 3)}}}
		for _, err := range []error{err, errors.New(message), placed} {
			d := From(err, src, known)
			if d == nil {
				continue
			}
			if lines := strings.Count(newlines.Replace(file), "\n") + 1; d.Line > lines {
				t.Errorf("line %d of %d", d.Line, lines)
			}
			for _, r := range shown(d, false) {
				if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
					t.Errorf("%q is shown with %q in it", err, r)
				}
			}
		}
	})
}
