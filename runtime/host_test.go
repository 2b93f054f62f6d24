package runtime

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/infrarun/infrarun/runtime/events"
)

func TestEmbeddedAndDisk(t *testing.T) {
	l := newLab(t)
	l.inside["deploy.star"] = &fstest.MapFile{Data: []byte("load(\"steps/a.star\", \"where\")\n" + nothing)}
	l.inside["steps/a.star"] = &fstest.MapFile{Data: []byte("where = 'embedded'\n")}
	t.Chdir(l.recipes)

	for _, name := range []string{"recipes/deploy.star", "deploy.star", "./recipes/deploy.star"} {
		if r, _, err := l.loadFile(name); err != nil || r.Source != "embedded" || r.Name != "recipes/deploy.star" {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	l.write("recipes/deploy.star", nothing)
	if r, _, err := l.loadFile("recipes/deploy.star"); err != nil || r.Source != "disk" || r.Name != "recipes/deploy.star" {
		t.Errorf("on disk: %+v, %v", r, err)
	}
	l.write("here.star", nothing)
	if r, _, err := l.loadFile("here.star"); err != nil || r.Name != "here.star" {
		t.Errorf("here: %+v, %v", r, err)
	}
	for name, want := range map[string]string{
		"recipes/depoly.star": "there is no recipe recipes/depoly.star, on disk or built in\n  hint: did you mean \"deploy.star\"?",
		"recipes":             "recipe recipes is a directory; name a .star file in it",
		"recipes/steps":       "there is no recipe recipes/steps",
		"":                    "there is no recipe ",
		"../../x.star":        "there is no recipe ../../x.star",
		"here.star/x":         "recipe here.star/x: ",
	} {
		r, _, err := l.loadFile(name)
		wantErr(t, r, err, want)
		if got := errors.Is(err, ErrNoRecipe); got != strings.HasPrefix(want, "there is no recipe") {
			t.Errorf("%q: it is ErrNoRecipe: %v", name, got)
		}
	}
}

func TestSiteFile(t *testing.T) {
	l := newLab(t)
	l.inside["sites/example.star"] = &fstest.MapFile{Data: []byte("greeting = 'embedded'\n")}
	body := "def main(ctx):\n    print(ctx.site.greeting)\n"
	l.site = l.write("sites/acme.star", "load(\"more.star\", hello = \"hello\")\ngreeting = hello\n")
	l.write("sites/more.star", "hello = 'from acme'\n")
	if got := l.run(body).want(events.Succeeded, ExitDone).logs("info"); got != "from acme" {
		t.Errorf("got %q", got)
	}
	l.site = "sites/example.star"
	if got := l.run(body).want(events.Succeeded, ExitDone).logs("info"); got != "embedded" {
		t.Errorf("got %q", got)
	}
	l.site = ""
	l.run("def main(ctx):\n    if ctx.site != None:\n        fail(\"a site\")\n").want(events.Succeeded, ExitDone)
	for site, want := range map[string]string{
		"sites/none.star":                "there is no site file sites/none.star",
		l.recipes:                        "is a directory",
		l.write("bad.star", "x = 1 +\n"): "bad.star:1:8:",
		l.write("out.star", `load("../x.star", "x")`): "it lies outside of",
	} {
		l.site = site
		r, _, err := l.load(nothing)
		wantErr(t, r, err, want)
	}
}

func TestDiagnoseWithoutARecipe(t *testing.T) {
	var none *Recipe
	if d := none.Diagnose(os.ErrNotExist); d.Message != os.ErrNotExist.Error() {
		t.Errorf("got %q", d.Message)
	}
	if d := new(Recipe).Diagnose(&PendingError{"7"}); d.Hint != "infrarun rollback 7" {
		t.Errorf("got the hint %q", d.Hint)
	}
}
