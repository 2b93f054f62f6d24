package runtime

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/infrarun/infrarun/runtime/events"
)

const nothing = "def main(ctx):\n    pass\n"

func TestLoadForms(t *testing.T) {
	l := newLab(t)
	l.write("lib/a.star", "load(\"b.star\", \"b\")\nload(\"../top.star\", \"top\")\nload(\"//lib/b.star\", again = \"b\")\na = [b, top, again, b == again]\n")
	l.write("lib/b.star", "b = struct(x = 1)\n")
	l.write("top.star", "top = 2\n")
	l.stdlib["x.star"] = &fstest.MapFile{Data: []byte("load(\"sub/y.star\", \"y\")\nload(\"//sub/y.star\", also = \"y\")\nx = y + also\n")}
	l.stdlib["sub/y.star"] = &fstest.MapFile{Data: []byte("y = 20\n")}
	l.run(`
load("lib/a.star", "a")
load("//lib/a.star", again = "a")
load("@stdlib//x.star", "x")

def main(ctx):
    if a[1] != 2 or not a[3] or x != 40:
        fail("%s %s" % (a, x))
    if a[0] != a[2]:
        fail("a module was loaded twice")
`).want(events.Succeeded, ExitDone)
}

func TestLoadFails(t *testing.T) {
	tests := []struct {
		name, main string
		modules    map[string]string
		want       []string
	}{
		{"missing", `load("health.star", "x")`, map[string]string{"heatlh.star": ""},
			[]string{"main.star:2:1:", "health.star: there is no such module", `did you mean "heatlh.star"?`}},
		{"missing in the standard library", `load("@stdlib//flwo.star", "x")`, nil,
			[]string{"@stdlib//flwo.star: there is no such module", `did you mean "flow.star"?`}},
		{"above the root", `load("../outside.star", "x")`, nil, []string{`cannot load ../outside.star: it lies outside of `}},
		{"above the root with //", `load("//../outside.star", "x")`, nil, []string{"it lies outside of "}},
		{"above the standard library", `load("@stdlib//../x.star", "x")`, nil, []string{"it lies outside of @stdlib//"}},
		{"absolute", `load("/etc/passwd.star", "x")`, nil, []string{"an absolute path leaves the recipe; //x.star is relative to its root"}},
		{"another library", `load("@other//x.star", "x")`, nil, []string{"the only library is @stdlib//"}},
		{"no .star", `load("x.txt", "x")`, nil, []string{"a module's name ends in .star"}},
		{"empty", `load("//", "x")`, nil, []string{"a module's name ends in .star"}},
		{"cycle", `load("a.star", "a")`, map[string]string{"a.star": `load("b.star", "b")`, "b.star": `load("a.star", "a")`},
			[]string{"b.star:1:1:", "a.star loads itself, through the modules that it loads", "loaded by"}},
		{"itself", `load("main.star", "a")`, nil, []string{"main.star loads itself"}},
		{"no such name", `load("a.star", "add")`, map[string]string{"a.star": "ad = 1"}, []string{"load: name add not found in module a.star", "hint: did you mean ad?"}},
		{"a mistake inside", `load("a.star", "a")`, map[string]string{"a.star": "a = 1 +\n"}, []string{"a.star:1:8: got newline, want primary expression", "loaded by", "main.star:2:1"}},
		{"a failure inside", `load("a.star", "a")`, map[string]string{"a.star": "a = 1 // 0"}, []string{"a.star:1:7:", "a = 1 // 0", "loaded by"}},
		{"a misspelt builtin", "def main(ctx):\n    box.ptu()", nil, nil},
		{"an undefined name", "def main(ctx):\n    bxo.put()", nil, []string{"main.star:3:5: undefined: bxo", "hint: did you mean box?"}},
		{"syntax", "def main(ctx:\n    pass", nil, []string{"main.star:2:14: got ':', want ')'"}},
		{"while", "def main(ctx):\n    while True:\n        pass", nil, []string{"main.star:3:5:", "while"}},
		{"loop at the top", "for x in []:\n    pass", nil, []string{"main.star:2:1:", "for"}},
		{"no main", "x = 1 # main", nil, []string{"main.star: it has no function main(ctx), which a recipe begins with"}},
		{"main with two parameters", "def main(a, b):\n    pass", nil, []string{"main takes one parameter, ctx"}},
		{"main with many", "def main(*ctx):\n    pass", nil, []string{"main takes one parameter, ctx"}},
		{"main is a value", "main = 1", nil, []string{"it has no function main(ctx)"}},
		{"an impure call", `x = box.get("/x")`, nil,
			[]string{"main.star:2:12: box.get: cannot be called while a recipe is loaded", "hint: loading a recipe touches nothing"}},
		{"an impure call of the kernel", `x = parallel([])`, nil, []string{"parallel: cannot be called while a recipe is loaded"}},
		{"rollback.push", `rollback.push(print)`, nil, []string{"rollback.push: cannot be called while a recipe is loaded"}},
		{"a directory", `load("dir.star", "x")`, map[string]string{"dir.star/x": ""}, []string{"dir.star: is a directory, not a module"}},
		{"huge", `load("huge.star", "x")`, map[string]string{"huge.star": strings.Repeat("#", maxSource+1)}, []string{"huge.star: is longer than the 1048576 bytes"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			l.stdlib["flow.star"] = &fstest.MapFile{Data: []byte("x = 1\n")}
			writeFile(t, filepath.Join(filepath.Dir(l.recipes), "outside.star"), "x = 1\n")
			for name, text := range tt.modules {
				l.write(name, text)
			}
			main := tt.main
			if !strings.Contains(main, "main") {
				main += "\n" + nothing
			}
			l.write("main.star", "# the recipe\n"+main+"\n")
			r, _, err := l.loadFile(filepath.Join(l.recipes, "main.star"))
			if tt.want == nil {
				if err != nil {
					t.Errorf("it fails only when it is called: %v", err)
				}
				return
			}
			wantErr(t, r, err, tt.want...)
		})
	}
}

func TestMisspeltBuiltin(t *testing.T) {
	l := newLab(t)
	l.run(`box.ptu("x")`).want(events.Refused, ExitRefused).wantError("main.star:4:8: box.ptu: no such builtin", "hint: did you mean box.put?")
}

// Links lead nowhere that names do not.
func TestLoadThroughLinks(t *testing.T) {
	l := newLab(t)
	outside := filepath.Join(filepath.Dir(l.recipes), "outside")
	writeFile(t, filepath.Join(outside, "x.star"), "x = 1\n")
	l.write("inside/x.star", "x = 1\n")
	for name, target := range map[string]string{
		"file.star": filepath.Join(outside, "x.star"), "rel.star": "../outside/x.star", "dir": outside, "good": "inside", "good.star": "inside/x.star",
		"broken.star": "nowhere.star", "loop.star": "loop.star",
	} {
		if err := os.Symlink(target, filepath.Join(l.recipes, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"file.star", "rel.star", "dir/x.star", "broken.star", "loop.star"} {
		if _, _, err := l.load("load(\"" + name + "\", \"x\")\n" + nothing); err == nil {
			t.Errorf("%s was loaded", name)
		}
	}
	for _, name := range []string{"good/x.star", "good.star"} {
		if _, _, err := l.load("load(\"" + name + "\", \"x\")\n" + nothing); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A named pipe would block for ever.
func TestLoadOfWhatIsNoFile(t *testing.T) {
	l := newLab(t)
	fifo := filepath.Join(l.recipes, "pipe.star")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	r, _, err := l.load("load(\"pipe.star\", \"x\")\n" + nothing)
	wantErr(t, r, err, "pipe.star: is not a regular file")
	r, _, err = l.loadFile(fifo)
	wantErr(t, r, err, "pipe.star: is not a regular file")
}

func TestLoadBudget(t *testing.T) {
	setLimit(t, &loadSteps, 10_000)
	l := newLab(t)
	r, _, err := l.load("X = [x for x in range(1000000000)]\n" + nothing)
	wantErr(t, r, err, "main.star:2:8: the recipe used up its budget of 10000 steps", "hint:")
	l.write("a.star", "x = [attempt(lambda: [y for y in range(1000000000)]) for x in range(10)]\n")
	r, _, err = l.load("load(\"a.star\", \"x\")\n" + nothing)
	wantErr(t, r, err, "a.star:1:", "the recipe used up its budget", "loaded by")
}

func TestLoadIsSilent(t *testing.T) {
	l := newLab(t)
	r := l.run("print(\"while loading\")\ndef main(ctx):\n    print(\"in main\")\n").want(events.Succeeded, ExitDone)
	if got := r.logs("info"); got != "in main" {
		t.Errorf("told %q", got)
	}
}

// No load statement leads out of a root, whatever is written there.
func FuzzFindModule(f *testing.F) {
	for _, seed := range [][2]string{
		{"main.star", "a.star"}, {"lib/a.star", "../b.star"}, {"a.star", "../../b.star"}, {"a.star", "@stdlib//x.star"},
		{"a.star", "//../x.star"}, {"a.star", "/x.star"}, {"a.star", "a/./b/../c.star"}, {"a.star", ".star"}, {"a.star", "@stdlib//"},
	} {
		f.Add(seed[0], seed[1])
	}
	s := newSources(&sourceRoot{key: recipeKey, shown: "recipes/"}, &sourceRoot{key: stdlibKey, shown: stdlibPrefix})
	f.Fuzz(func(t *testing.T, from, name string) {
		if !fs.ValidPath(from) {
			return
		}
		id, err := s.find(moduleID{recipeKey, from}, name)
		if err != nil {
			return
		}
		if !fs.ValidPath(id.path) || strings.Contains("/"+id.path+"/", "/../") || !strings.HasSuffix(id.path, ".star") {
			t.Errorf("%q in %q is %s", name, from, id)
		}
		var again moduleID
		if text, err := id.MarshalText(); err != nil || again.UnmarshalText(text) != nil || again != id {
			t.Errorf("%s became %s", id, again)
		}
	})
}

func FuzzDocOf(f *testing.F) {
	for _, text := range []string{"", "'doc'", "\"\"\"doc\"\"\"\nx = 1", "x", "b'doc'", "(", "\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if doc := docOf(text); doc != strings.TrimSpace(doc) {
			t.Errorf("docOf(%q) = %q", text, doc)
		}
	})
}

func TestRecipeDoc(t *testing.T) {
	for text, want := range map[string]string{
		"\"\"\"Deploys it.\n\nIn full.\n\"\"\"\n": "Deploys it.\n\nIn full.",
		"# comment\n'short'\n":                    "short",
		"x = 'no'\n":                              "",
		"b'bytes'\n":                              "",
		"1\n":                                     "",
		"":                                        "",
		"def (":                                   "",
	} {
		if got := docOf(text); got != want {
			t.Errorf("docOf(%q) = %q, want %q", text, got, want)
		}
	}
	l := newLab(t)
	name := l.write("doc.star", "\"\"\"Deploys it. In full.\"\"\"\n"+nothing)
	r, values, err := l.loadFile(name)
	if err != nil || r.Doc != "Deploys it. In full." {
		t.Fatalf("doc %q, %v", r.Doc, err)
	}
	res := &result{t: t}
	res.Outcome = r.Run(t.Context(), values, l.options(res))
	if shown := res.Events(events.RunStarted)[0].Run; shown.Doc != "Deploys it." || shown.Source != "disk" || shown.Recipe != name {
		t.Errorf("told %+v", shown)
	}
}
