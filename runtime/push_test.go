package runtime

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
)

func TestPushIsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, push, want string }{
		{"a lambda", `rollback.push(lambda: None)`, "lambda at "},
		{"a nested function", "def inner():\n        pass\n    rollback.push(inner)", "is not a function at the top level of a module, so another process could not call it"},
		{"a value", `rollback.push("box.put")`, "got string, want a builtin or a function"},
		{"a method", `rollback.push([].append, 1)`, "append cannot be carried out by another process"},
		{"a universal builtin", `rollback.push(print, 1)`, "print cannot be carried out by another process"},
		{"a struct", `rollback.push(top, struct(a = 1))`, "arguments of top: struct is not plain data"},
		{"a struct inside", `rollback.push(top, [{"a": struct(a = 1)}])`, "struct is not plain data"},
		{"a function", `rollback.push(top, top)`, "function is not plain data"},
		{"a set", `rollback.push(top, set([1]))`, "set is not plain data"},
		{"bytes", `rollback.push(top, b"x")`, "bytes is not plain data"},
		{"by name", `rollback.push(top, a = ctx)`, "ctx"},
		{"keys that are no strings", `rollback.push(top, {1: 2})`, "a dict has the key 1, want string"},
		{"text that is none", `rollback.push(top, "é"[0])`, "is not UTF-8 text"},
		{"a cycle", "x = []\n    x.append(x)\n    rollback.push(top, x)", "data is nested more than 64 deep"},
		{"very deep", "x = []\n    for i in range(100000):\n        x = [x]\n    rollback.push(top, x)", "data is nested more than 64 deep"},
		{"very deep in a dict", "x = {}\n    for i in range(100000):\n        x = {\"a\": x}\n    rollback.push(top, a = x)", "data is nested more than 64 deep"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			body := "def top(a):\n    pass\n\ndef main(ctx):\n    " + tt.push + "\n"
			for _, how := range []execution{(*Recipe).Preview, (*Recipe).Run} {
				l.execute(t.Context(), how, body, nil).want(events.Refused, ExitRefused).wantError("main.star:", tt.want)
			}
		})
	}
}

// What is read back is what was written.
func FuzzPlainData(f *testing.F) {
	for _, expr := range []string{"None", "[1, 2.5, True]", `{"a": ["b", {}]}`, `"\u00e9\n"`, "1 << 70", "-0.0", "(1,)", "[[[]]]", "1e300"} {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		th := &starlark.Thread{}
		th.SetMaxExecutionSteps(1000)
		v, err := starlark.EvalOptions(dialect, th, "x", expr, nil)
		if err != nil {
			return
		}
		data, err := encodePlain(v)
		if err != nil {
			return
		}
		back, err := decodePlain(&starlark.Thread{}, data)
		if err != nil {
			t.Fatalf("%s: %s cannot be read: %v", expr, data, err)
		}
		again, err := encodePlain(back)
		if err != nil || string(again) != string(data) {
			t.Errorf("%s: %s became %s, %v", expr, data, again, err)
		}
	})
}

const pushing = `
load("helper.star", "put_all")
load("@stdlib//say.star", "say")

def note(names, more = None, n = 0):
    if n != 1 << 70 or more != {"x": [None, True, 1.5, "ü\n"]}:
        fail("got %s %s" % (n, more))
    for name in names:
        box.put(DIR + "/" + name, "from note")

PERMISSIONS = {"box": [DIR]}

def main(ctx):
    rollback.push(box.put, DIR + "/direct", content = "by builtin")
    rollback.push(note, ["n1", "n2"], more = {"x": (None, True, 1.5, "ü\n")}, n = 1 << 70)
    rollback.push(put_all, DIR, [("h1", "1")])
    rollback.push(say, "from the library")
    box.put(DIR + "/a", "1")
`

func (l *lab) pushing() {
	l.write("helper.star", "def put_all(dir, files):\n    for name, content in files:\n        box.put(dir + \"/\" + name, content)\n")
	l.stdlib["say.star"] = &fstest.MapFile{Data: []byte("def say(text):\n    print(text)\n")}
}

const pushed = "direct=by builtin\nh1=1\nn1=from note\nn2=from note\n"

func TestPushedActionsAreCarriedOut(t *testing.T) {
	l := newLab(t)
	l.pushing()
	r := l.run(pushing+"    fail(\"no\")\n").want(events.RolledBack, ExitRolledBack)
	l.wantTree(pushed)
	if got := r.logs("info"); got != "from the library" {
		t.Errorf("told %q", got)
	}
}

// Another process carries the actions out as they were, although the recipe was edited, or has gone.
func TestPushedActionsInAnotherProcess(t *testing.T) {
	for name, edit := range map[string]func(l *lab){
		"untouched": func(*lab) {},
		"edited": func(l *lab) {
			l.write("main.star", "fail(\"edited\")\n")
			l.write("helper.star", "def put_all(dir, files):\n    fail(\"edited\")\n")
			l.stdlib["say.star"] = &fstest.MapFile{Data: []byte("say = 1\n")}
		},
		"gone": func(l *lab) { os.RemoveAll(l.recipes); delete(l.stdlib, "say.star") },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.pushing()
			l.run(pushing).want(events.Succeeded, ExitDone)
			l.wantTree("a=1\n")
			edit(l)
			r := l.rollback("").want(events.Restored, ExitDone)
			l.wantTree(pushed)
			if got := r.logs("info"); got != "from the library" {
				t.Errorf("told %q", got)
			}
			if r.Undone != 1 {
				t.Errorf("%d changes undone, want 1: what was pushed is none", r.Undone)
			}
		})
	}
}

// A pushed function that fails is left over, with the place in the recipe as it was, and only it.
func TestPushedFunctionThatFails(t *testing.T) {
	l := newLab(t)
	const body = `
def bad(x):
    fail("stuck on " + x)

PERMISSIONS = {"box": [DIR]}

def main(ctx):
    rollback.push(bad, "this")
    rollback.push(box.put, "/elsewhere", "1")
    box.put(DIR + "/a", "1")
`
	wantLeft := func(r *result) {
		t.Helper()
		r.want(events.Incomplete, ExitIncomplete)
		if len(r.Left) != 2 || !strings.Contains(r.Left[0].Error, "/elsewhere is not declared by the recipe") ||
			r.Left[1].Error != filepath.Join(l.recipes, "main.star")+":4:9: fail: stuck on this" {
			t.Errorf("left %+v", r.Left)
		}
		l.wantTree("")
	}
	wantLeft(l.run(body + "    fail(\"no\")\n"))
	wantLeft(l.rollback(""))
}

// Relative paths, permissions and the policy are those of the run.
func TestPushedActionsHaveTheRunsSurroundings(t *testing.T) {
	l := newLab(t)
	l.policy = l.write("policy.star", "load(\"bounds.star\", \"allowed\")\nALLOW = {\"box\": allowed}\n")
	l.write("bounds.star", "allowed = [\""+l.dir+"/a\", \""+l.dir+"/b\"]\n")
	var base string
	l.box.hook("base", func(c *Call) (starlark.Value, error) { base = c.BaseDir(); return nil, nil })
	name := l.write("main.star", l.module(`
PARAMS = {"file": param.path()}
PERMISSIONS = {"box": ["{file}", DIR + "/c"]}

def main(ctx):
    rollback.push(box.hook, "base")
    rollback.push(box.put, DIR + "/b", "1")
    rollback.push(box.put, DIR + "/c", "1")
    box.put(ctx.params.file, "1")
`))
	r, values, err := l.loadFile(name, "--file", l.path("a"))
	if err != nil {
		t.Fatal(err)
	}
	res := &result{t: t}
	res.Outcome = r.Run(t.Context(), values, l.options(res))
	res.want(events.Succeeded, ExitDone)
	if err := os.RemoveAll(l.recipes); err != nil { // the policy too
		t.Fatal(err)
	}
	back := &result{t: t}
	l.restart()
	l.host.dir = "/elsewhere"
	back.Outcome = l.host.Rollback(t.Context(), "", l.options(back))
	back.want(events.Incomplete, ExitIncomplete)
	if len(back.Left) != 2 || !strings.Contains(back.Left[0].Error, "is not allowed by the policy "+l.recipes+"/policy.star") ||
		!strings.Contains(back.Left[1].Error, "is not declared by the recipe") {
		t.Errorf("left %+v", back.Left)
	}
	if base != l.recipes {
		t.Errorf("relative paths are relative to %s, want %s", base, l.recipes)
	}
	l.wantTree("")
}

func TestNothingIsPushedInARollback(t *testing.T) {
	l := newLab(t)
	r := l.run(`
def again():
    rollback.push(again)

def main(ctx):
    rollback.push(again)
    fail("no")
`).want(events.Incomplete, ExitIncomplete)
	if len(r.Left) != 1 || !strings.Contains(r.Left[0].Error, "nothing can be pushed while one runs") {
		t.Errorf("left %+v", r.Left)
	}
}

// A function of a module that both the recipe and the site file load is found in either.
func TestPushFromASiteFile(t *testing.T) {
	l := newLab(t)
	l.write("common.star", "def say(text):\n    print(text)\n")
	l.site = l.write("acme.star", "load(\"common.star\", common_say = \"say\")\nsay = common_say\ndef own():\n    print(\"own\")\n")
	l.run(`
load("common.star", "say")

def main(ctx):
    rollback.push(say, "recipe")
    rollback.push(ctx.site.say, "site")
    rollback.push(ctx.site.own)
`).want(events.Succeeded, ExitDone)
	if got := l.rollback("").want(events.Restored, ExitDone).logs("info"); got != "own\nsite\nrecipe" {
		t.Errorf("told %q", got)
	}
}
