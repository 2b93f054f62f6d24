package runtime

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
)

func TestRegistryRefusesMistakes(t *testing.T) {
	none := func(*Call, struct{}) (starlark.Value, error) { return nil, nil }
	tests := map[string]struct {
		families []*Family
		want     string
	}{
		"another family's name": {[]*Family{{Name: "a", Builtins: []*Builtin{Define(Builtin{Name: "b.x"}, none)}}}, "builtin b.x is not named after its family a"},
		"declared twice":        {[]*Family{{Name: "a", Builtins: []*Builtin{Define(Builtin{Name: "a.x"}, none), Define(Builtin{Name: "a.x"}, none)}}}, "builtin a.x is declared twice"},
		"a kernel's name":       {[]*Family{{Builtins: []*Builtin{Define(Builtin{Name: "attempt"}, none)}}}, "builtin attempt is declared twice"},
		"a kernel's undo kind":  {[]*Family{{Name: "a", Undoers: map[string]Undoer{actionKind: UndoKind[int, int]{}}}}, "undo kind rollback.push is declared twice"},
	}
	for name, tt := range tests {
		_, err := NewHost("test", tt.families, nil, nil)
		if tt.want != "" && (err == nil || err.Error() != tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestFamilyAsARecipeSeesIt(t *testing.T) {
	l := newLab(t)
	l.run(`
if_ = [box, type(box), bool(box), dir(box)[:2], hasattr(box, "put"), hasattr(box, "puts"), getattr(box, "puts", 7), str(box)]

def main(ctx):
    if if_[1:] != ["box", True, ["do", "get"], True, False, 7, "<family box>"]:
        fail("%s" % if_)
    if struct(a = 1).a != 1:
        fail("struct")
`).want(events.Succeeded, ExitDone)
	l.run(`box.xyzzy()`).want(events.Refused, ExitRefused).wantError("box.xyzzy: no such builtin", "hint: there are box.do, box.get, ")
	l.run(`{}[box]`).want(events.Refused, ExitRefused).wantError("unhashable: box")
}

// Every builtin of the kernel is documented.
func TestKernelIsDocumented(t *testing.T) {
	for _, f := range newLab(t).host.Families() {
		if f.Doc == "" || !strings.HasSuffix(f.Summary(), ".") {
			t.Errorf("family %q: documentation %q", f.Name, f.Doc)
		}
		for _, b := range f.Builtins {
			if b.Summary() == "" {
				t.Errorf("%s is not documented", b.Name)
			}
			for _, p := range b.Params {
				if p.Doc == "" {
					t.Errorf("%s: %s is not documented", b.Name, p.Name)
				}
			}
		}
	}
}

func TestChecksAndScores(t *testing.T) {
	l := newLab(t)
	const body = `
run.check("port", True, group = "preflight", weight = 2, required = True, detail = "free", hint = "none")
run.check("health", False, assumed = True)
run.score(50.0, 75, False, detail = "too low")
if run.assume("it becomes healthy") != (ctx.run_id == "preview"):
    fail("assume")
`
	for _, how := range []execution{(*Recipe).Preview, (*Recipe).Run} {
		r := l.execute(t.Context(), how, body, nil)
		checks, scores := r.Events(events.Checked), r.Events(events.Scored)
		if len(checks) != 2 || *checks[0].Check != (events.Check{Name: "port", Group: "preflight", OK: true, Weight: 2, Required: true, Detail: "free", Hint: "none"}) ||
			!strings.HasSuffix(checks[0].Position, "main.star:5:14") || checks[1].Check.Group != "health" || checks[1].Check.Weight != 1 {
			t.Errorf("checks %+v", checks)
		}
		if len(scores) != 1 || *scores[0].Score != (events.Score{Group: "health", Percent: 50, Threshold: 75, Detail: "too low"}) {
			t.Errorf("scores %+v", scores)
		}
		if assumed := r.Events(events.Assumed); r.ExitCode != ExitDone || (len(assumed) == 1) != (r.Result == events.NoChange) {
			t.Errorf("%s, assumed %+v", r.Result, assumed)
		}
	}
	l.run(`run.check("x", True, weight = -1.0)`).want(events.Refused, ExitRefused).wantError("run.check: weight of x is negative")
}

// A cache of builds is infrarun's own: a run makes it, without a permission, and no rollback takes it away.
func TestCacheDir(t *testing.T) {
	l := newLab(t)
	const body = `
PARAMS = {"fail": param.bool()}
PERMISSIONS = lambda ctx: {"box": [DIR + ctx.cache_dir]}

def main(ctx):
    print(ctx.cache_dir)
    box.put(DIR + "/a", "a")
    if ctx.params.fail:
        fail("enough")
`
	dir := filepath.Join(l.state.Cache(), "build")
	if r := l.preview(body).want(events.WouldChange, ExitWouldChange); r.logs("info") != dir {
		t.Errorf("a preview has %q, want %s", r.logs("info"), dir)
	}
	if _, err := os.Stat(l.state.Dir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a preview made the state directory: %v", err)
	}
	if r := l.run(body, "--fail").want(events.RolledBack, ExitRolledBack); r.logs("info") != dir {
		t.Errorf("a run has %q, want %s", r.logs("info"), dir)
	}
	if fi, err := os.Stat(dir); err != nil || !fi.IsDir() {
		t.Errorf("after a rollback: %v", err)
	}
}

func TestContextValue(t *testing.T) {
	l := newLab(t)
	r := l.run(`
PARAMS = {"a": param.list(default = ["x"])}

def main(ctx):
    print(ctx.run_id, ctx.recipe, ctx.cwd, ctx.site)
    attempt(ctx.params.a.append, "y")
    if ctx.params.a != ["x"]:
        fail("a parameter was changed")
`).want(events.Succeeded, ExitDone)
	if got, want := r.logs("info"), l.record().Run.ID+" "+l.recipes+"/main.star "+l.recipes+" None"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
