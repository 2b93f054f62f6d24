package runtime

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/policy"
)

const topSecret = "p4ss/wörd+&?"

// shapes are the forms in which a secret must not be found.
func shapes() map[string]string {
	quoted, _ := json.Marshal(topSecret)
	return map[string]string{
		"plain":                      topSecret,
		"base64":                     base64.StdEncoding.EncodeToString([]byte(topSecret)),
		"in base64 of a longer text": base64.StdEncoding.EncodeToString([]byte("user:" + topSecret))[8:18],
		"query":                      url.QueryEscape(topSecret),
		"path":                       url.PathEscape(topSecret),
		"hex":                        hex.EncodeToString([]byte(topSecret)),
		"json":                       string(quoted[1 : len(quoted)-1]),
	}
}

// wantNoSecret stops the test if the secret is in any event or in any file of the state.
func (l *lab) wantNoSecret(what string, results ...*result) {
	l.t.Helper()
	texts := map[string][]byte{}
	for _, r := range results {
		data, err := json.Marshal(struct {
			Events  []events.Event
			Outcome events.Outcome
		}{r.Events(), r.Outcome})
		if err != nil {
			l.t.Fatal(err)
		}
		var plain bytes.Buffer // without the escapes of JSON
		enc := json.NewEncoder(&plain)
		enc.SetEscapeHTML(false)
		for _, e := range r.Events() {
			if err := enc.Encode(e); err != nil {
				l.t.Fatal(err)
			}
		}
		texts["events "+string(r.Result)] = append(data, plain.Bytes()...)
	}
	err := filepath.WalkDir(l.state.Dir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		texts[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	for name, text := range texts {
		for shape, secret := range shapes() {
			if i := bytes.Index(text, []byte(secret)); i >= 0 {
				l.t.Errorf("%s: %s has the secret, %s: …%s…", what, name, shape, text[max(0, i-60):min(len(text), i+40)])
			}
		}
	}
}

// leakyUndo has an undo whose record would hold what it was given.
type leakyUndo struct{ args string }

func (c leakyUndo) Describe() Description {
	return Description{Call: "box.hook", Target: "leaky " + c.args, Undo: Exact, Touches: []string{"/t/" + c.args},
		UndoNote: c.args, Needs: nil}
}
func (c leakyUndo) Probe(context.Context, *Reader) (Finding, error) {
	return Finding{Needed: true, Summary: c.args, Diff: "+" + c.args, Assumed: c.args}, nil
}
func (c leakyUndo) Undo(context.Context, *Keeper) (*Undo, error) {
	return &Undo{Kind: "box.put", Args: putUndo{Path: c.args}, Note: c.args}, nil
}
func (leakyUndo) Apply(context.Context, *Writer) (Applied, error) { panic("applied") }
func (leakyUndo) Predict(*World) (starlark.Value, error)          { return nil, nil }

// safeUndo has the secret everywhere but in its undo record.
type safeUndo struct{ leakyUndo }

func (c safeUndo) Undo(context.Context, *Keeper) (*Undo, error) {
	return &Undo{Kind: "box.put", Args: putUndo{Path: "/nowhere/at/all"}, Note: c.args}, nil
}
func (c safeUndo) Apply(_ context.Context, w *Writer) (Applied, error) {
	w.Output("stdout", "it is "+c.args)
	w.Warn("it is %s", base64.StdEncoding.EncodeToString([]byte("user:"+c.args)))
	w.Progress(events.Bar{What: c.args})
	return Applied{After: c.args}, nil
}

type talker struct{ asked []string }

func (u *talker) Yes() bool { return false }

func (u *talker) Confirm(_ context.Context, question string, _ bool) (bool, error) {
	u.asked = append(u.asked, question)
	return true, nil
}

func (u *talker) Prompt(_ context.Context, question, byDefault string, _ bool) (string, error) {
	u.asked = append(u.asked, question, byDefault)
	return byDefault, nil
}

func TestSecretsAppearNowhere(t *testing.T) {
	t.Parallel()
	const params = "PARAMS = {\"token\": param.secret()}\nPERMISSIONS = {\"box\": [DIR]}\n"
	tests := map[string]struct {
		body string
		want events.Result
	}{
		"error":       {"fail(\"cannot log in with \" + token)", events.RolledBack},
		"log":         {"print(token)\n    print([token])", events.Succeeded},
		"step":        {"run.step(\"with \" + token, lambda: box.hook(\"safe\"), name = token)", events.Succeeded},
		"failed step": {"run.step(\"with \" + token, lambda: fail(token), name = token)", events.RolledBack},
		"check":       {"run.check(token, True, detail = token, hint = token)\n    run.score(1.0, 1.0, True, detail = token)", events.Succeeded},
		"attempt":     {"print(attempt(fail, token).error)", events.Succeeded},
		"position":    {"box.hook(\"safe\")", events.Succeeded},
		"denied":      {"box.put(\"/elsewhere/\" + token, \"1\")", events.RolledBack},
		"target":      {"box.put(DIR + \"/missing/\" + token, \"1\")", events.RolledBack},
		"content":     {"box.put(DIR + \"/b\", token)", events.Succeeded},
		"undo fails":  {"box.hook(\"safe\")\n    fail(token)", events.Incomplete},
		"undo record": {"box.hook(\"leaky\")", events.RolledBack},
		"push":        {"rollback.push(box.put, DIR + \"/x\", token)", events.RolledBack},
		"question":    {"box.hook(\"ask\")", events.Succeeded},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			ui := &talker{}
			l.ui = ui
			l.box.hook("safe", func(c *Call) (starlark.Value, error) { return c.Do(safeUndo{leakyUndo{topSecret}}) })
			l.box.hook("leaky", func(c *Call) (starlark.Value, error) { return c.Do(leakyUndo{topSecret}) })
			l.box.hook("ask", func(c *Call) (starlark.Value, error) {
				_, err := c.UI().Confirm(c.Context(), "use "+topSecret+"?", true)
				answer, perr := c.UI().Prompt(c.Context(), "or "+topSecret, topSecret, false)
				if answer != topSecret {
					t.Errorf("the default came back as %q", answer)
				}
				return nil, errors.Join(err, perr)
			})
			l.box.undoing = func(_ *Writer, path string) error {
				if strings.HasPrefix(path, "/nowhere") {
					return errors.New("cannot undo with " + topSecret)
				}
				return nil
			}
			name := l.write("main.star", l.module(params+"\ndef main(ctx):\n    token = ctx.params.token\n    box.put(DIR + \"/a\", \"1\")\n    "+tt.body+"\n"))
			r, values, err := l.loadEnv(name, []string{"INFRARUN_TOKEN=" + topSecret})
			if err != nil {
				t.Fatal(err)
			}
			run := &result{t: t}
			run.Outcome = r.Run(t.Context(), values, l.options(run))
			if run.Result != tt.want {
				t.Errorf("ended %s, want %s: %s", run.Result, tt.want, run.Outcome.Error)
			}
			preview := &result{t: t}
			preview.Outcome = r.Preview(t.Context(), values, l.options(preview))
			l.wantNoSecret(name, run, preview)
			if strings.Contains(strings.Join(ui.asked, " "), topSecret) {
				t.Errorf("asked %q", ui.asked)
			}
		})
	}
}

// A change is refused before it is made if what undoes it would put a secret into the journal.
func TestSecretUndoIsRefused(t *testing.T) {
	l := newLab(t)
	l.box.hook("add", func(c *Call) (starlark.Value, error) { return nil, c.AddSecret(topSecret) })
	l.box.hook("leaky", func(c *Call) (starlark.Value, error) { return c.Do(leakyUndo{topSecret}) })
	l.run("box.hook(\"add\")\nbox.hook(\"leaky\")").want(events.Refused, ExitRefused).
		wantError("what undoes it holds a secret, which must not stand in the journal", "box.hook: leaky [secret]")
}

// A secret that is added while the run goes on is hidden from then on, also in what a policy refuses.
func TestAddedSecret(t *testing.T) {
	l := newLab(t)
	l.box.hook("add", func(c *Call) (starlark.Value, error) {
		if err := c.AddSecret("abc"); err == nil {
			t.Error("a short secret was accepted")
		}
		return starlark.String(topSecret), c.AddSecret(topSecret)
	})
	l.box.hook("need", func(c *Call) (starlark.Value, error) {
		return nil, c.Need(policy.Need{Kind: "box", Target: "/elsewhere/" + topSecret})
	})
	r := l.run("s = box.hook(\"add\")\nbox.put(DIR + \"/a\", s)\nbox.hook(\"need\")").want(events.RolledBack, ExitRolledBack)
	l.wantNoSecret("added", r)
}
