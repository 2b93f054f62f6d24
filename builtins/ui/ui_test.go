package ui_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/ui"
	"github.com/infrarun/infrarun/runtime/events"
)

// person answers as told, and remembers what was asked.
type person struct {
	yes    bool
	always bool // without being asked
	text   string
	err    error
	asked  []string
	secret bool
}

func (p *person) Yes() bool { return p.always }

func (p *person) Confirm(_ context.Context, question string, _ bool) (bool, error) {
	p.asked = append(p.asked, question)
	return p.yes, p.err
}

func (p *person) Prompt(_ context.Context, question, byDefault string, secret bool) (string, error) {
	p.asked, p.secret = append(p.asked, question+" ["+byDefault+"]"), secret
	return p.text, p.err
}

func TestConfirm(t *testing.T) {
	f := familytest.New(t, ui.Family())
	for _, yes := range []bool{true, false} {
		who := &person{yes: yes}
		f.UI = who
		r := f.Run(`log = str(ui.confirm("Deploy?"))` + "\nprint(log)").Want(events.Succeeded)
		want := map[bool]string{true: "True yes", false: "False no"}[yes]
		if got := r.Events(events.Log)[0].Text + " " + r.Events(events.Question)[0].Answer; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if !reflect.DeepEqual(who.asked, []string{"Deploy?"}) {
			t.Errorf("asked %q", who.asked)
		}
	}
	f.UI = &person{err: errors.New("nobody can answer; give --yes")}
	f.Run(`ui.confirm("Deploy?")`).Want(events.Refused).WantError(`ui.confirm: "Deploy?": nobody can answer; give --yes`)
	f.UI = nil
	f.Run(`ui.confirm("Deploy?")`).Want(events.Refused).WantError("nobody can be asked here")
}

// A preview assumes what the run will hear: yes if that was said beforehand, else the default.
func TestConfirmInAPreview(t *testing.T) {
	f := familytest.New(t, ui.Family())
	for _, tt := range []struct {
		always bool
		recipe string
		want   string
	}{
		{false, `ui.confirm("Deploy?")`, "True yes"},
		{false, `ui.confirm("Deploy?", default = False)`, "False no"},
		{true, `ui.confirm("Deploy?", default = False)`, "True yes"},
	} {
		who := &person{always: tt.always}
		f.UI = who
		r := f.Preview("print(" + tt.recipe + ")").Want(events.NoChange)
		answer, word, _ := strings.Cut(tt.want, " ")
		if got := r.Events(events.Log)[0].Text; got != answer {
			t.Errorf("%s with --yes %v is %s, want %s", tt.recipe, tt.always, got, answer)
		}
		if got := r.Events(events.Assumed)[0].Text; got != `"Deploy?" is answered `+word {
			t.Errorf("assumed: %s", got)
		}
		if len(who.asked) > 0 {
			t.Errorf("the preview asked %q", who.asked)
		}
	}
}

func TestPrompt(t *testing.T) {
	f := familytest.New(t, ui.Family())
	who := &person{text: "web"}
	f.UI = who
	r := f.Run(`test.equal(ui.prompt("Name", default = "app"), "web")`).Want(events.Succeeded)
	if !reflect.DeepEqual(who.asked, []string{"Name [app]"}) || who.secret {
		t.Errorf("asked %q, secret %v", who.asked, who.secret)
	}
	if q := r.Events(events.Question)[0]; q.Text != "Name" || q.Answer != "web" || q.Position == "" {
		t.Errorf("event %+v", q)
	}
}

func TestPromptForASecret(t *testing.T) {
	f := familytest.New(t, ui.Family())
	who := &person{text: "correct-horse"}
	f.UI = who
	r := f.Run(`print("it is " + ui.prompt("Password", secret = True))`).Want(events.Succeeded)
	if !who.secret {
		t.Error("it was asked for in the open")
	}
	for _, e := range r.Events() {
		if strings.Contains(e.Text+e.Answer, "correct-horse") {
			t.Errorf("event shows the secret: %+v", e)
		}
	}
	who.text = "short"
	f.Run(`ui.prompt("Password", secret = True)`).Want(events.Refused).WantError(`"Password"`, "too short to be hidden")
	who.text = ""
	f.Run(`test.equal(ui.prompt("Password", secret = True), "")`).Want(events.Succeeded)
}

func TestPreviewAsksNothing(t *testing.T) {
	f := familytest.New(t, ui.Family())
	f.UI = &person{err: errors.New("a question was asked in a preview")}
	r := f.Preview(`
test.equal(ui.confirm("Deploy?"), True)
test.equal(ui.confirm("Delete?", default = False), False)
test.equal(ui.prompt("Name", default = "app"), "app")
print(ui.prompt("Password", default = "correct-horse", secret = True))
`).Want(events.NoChange)
	var got []string
	for _, e := range r.Events(events.Assumed) {
		got = append(got, e.Text)
	}
	want := []string{`"Deploy?" is answered yes`, `"Delete?" is answered no`, `"Name" is answered "app"`, `"Password" is answered "[secret]"`}
	if !reflect.DeepEqual(got, want) || r.Outcome.Assumed != len(want) {
		t.Errorf("assumed %d: %q, want %q", r.Outcome.Assumed, got, want)
	}
}

func TestTable(t *testing.T) {
	f := familytest.New(t, ui.Family())
	r := f.Run(`ui.table("Services", ["name", "port"], [["console", 8082], ("gate", None)])` + "\nui.table(rows = [[]])\nui.table()")
	r.Want(events.Succeeded)
	want := events.Table{Title: "Services", Columns: []string{"name", "port"}, Rows: [][]string{{"console", "8082"}, {"gate", "None"}}}
	if got := r.Events(events.Facts)[0].Facts; !reflect.DeepEqual(*got, want) {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	f.Run(`ui.table("x", ["a"], [["b"], ["c", "d"]])`).Want(events.Refused).WantError("rows[1] has 2 values for 1 columns")
	f.Run(`ui.table("x", ["a"], ["b"])`).Want(events.Refused).WantError("rows[0] is string, want a list of values")
}

func TestProgress(t *testing.T) {
	f := familytest.New(t, ui.Family())
	r := f.Run(`ui.progress("build", 1, 3)` + "\n" + `ui.progress("build", 3, total = 3, unit = "services")`).Want(events.Succeeded)
	want := []events.Bar{{What: "build", Current: 1, Total: 3}, {What: "build", Current: 3, Total: 3, Unit: "services", Done: true}}
	for i, e := range r.Events(events.Progress) {
		if *e.Progress != want[i] {
			t.Errorf("got %+v, want %+v", *e.Progress, want[i])
		}
	}
	f.Run(`ui.progress("build", -1)`).Want(events.Refused).WantError("neither can be negative")
}
