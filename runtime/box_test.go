package runtime

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/policy"
)

// box is a family for tests. Its changes are real: files in DIR.
//
//	box.put(path, content, tree = False)   writes a file; its undo restores it
//	box.get(path)                          reads a file, through the preview's overlay; "" if there is none
//	box.do(title, hook = "")               a change that nothing undoes; in a preview its result is unknown
//	box.hook(name)                         calls a Go function of the test; pure: loading may call it, too
//	box.unknown()                          an unknown value in a struct
//	box.sleep()                            a child process with the run's marker that runs on
type box struct {
	mu    sync.Mutex
	hooks map[string]func(*Call) (starlark.Value, error)
	// applying is called by box.put's and box.do's Apply before it does anything.
	applying func(ctx context.Context, w *Writer, target string) error
	// undoing is called by the undo before it does anything.
	undoing func(w *Writer, path string) error
	touches []string // what else box.put affects, as its probe found
	calls   []string // of the methods of changes, in order
}

func newBox() *box { return &box{hooks: map[string]func(*Call) (starlark.Value, error){}} }

func (b *box) called(what, target string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, what+" "+target)
}

// hook lets box.hook(name) call fn.
func (b *box) hook(name string, fn func(*Call) (starlark.Value, error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hooks[name] = fn
}

type putArgs struct {
	Path    string `arg:"path" doc:"the file"`
	Content string `arg:"content" doc:"what is to be in it"`
	Tree    bool   `arg:"tree" default:"false" doc:"whether it reaches what is below"`
}

type doArgs struct {
	Title string `arg:"title" doc:"what is done"`
	Hook  string `arg:"hook" default:"" doc:"what Apply calls"`
}

type nameArgs struct {
	Name string `arg:"name" doc:"a name"`
}

type valuesArgs struct {
	Values starlark.Tuple `arg:"*values" doc:"any values"`
}

func (b *box) family() *Family {
	return &Family{
		Name: "box", Doc: "Files for tests.",
		Permissions: map[string]policy.Matcher{"box": policy.Paths{}},
		Undoers:     map[string]Undoer{"box.put": UndoKind[putUndo, string]{UndoFunc: b.undo, DriftFunc: drift}},
		Builtins: []*Builtin{
			Define(Builtin{Name: "box.put", Doc: "Writes.", Permission: "box on path", Undo: Exact},
				func(c *Call, a putArgs) (starlark.Value, error) { return c.Do(&put{box: b, args: a}) }),
			Define(Builtin{Name: "box.get", Doc: "Reads.", Permission: "box on path"},
				func(c *Call, a nameArgs) (starlark.Value, error) {
					if err := c.Need(policy.Need{Kind: "box", Target: a.Name}); err != nil {
						return nil, err
					}
					text, _, err := see(c.Reader(), a.Name)
					return starlark.String(text), err
				}),
			Define(Builtin{Name: "box.do", Doc: "Does.", Undo: NoUndo},
				func(c *Call, a doArgs) (starlark.Value, error) { return c.Do(&deed{box: b, args: a, call: c}) }),
			Define(Builtin{Name: "box.hook", Doc: "Calls.", Pure: true},
				func(c *Call, a nameArgs) (starlark.Value, error) {
					b.mu.Lock()
					fn := b.hooks[a.Name]
					b.mu.Unlock()
					if fn == nil {
						return nil, fmt.Errorf("the test has no hook %s", a.Name)
					}
					return fn(c)
				}),
			Define(Builtin{Name: "box.unknown", Doc: "Does not know."},
				func(*Call, struct{}) (starlark.Value, error) {
					return starlarkstruct.FromStringDict(starlarkstruct.Default,
						starlark.StringDict{"inner": newGuess()}), nil
				}),
			Define(Builtin{Name: "box.take", Doc: "Takes."},
				func(*Call, valuesArgs) (starlark.Value, error) { return nil, nil }),
			Define(Builtin{Name: "box.sleep", Doc: "Runs on."}, sleep),
		},
	}
}

func newGuess() *Unknown { return NewUnknown("what box.do gives", "write something else") }

// sleep starts a process that the run leaves running.
func sleep(c *Call, _ struct{}) (starlark.Value, error) {
	cmd := exec.Command("sleep", "600")
	cmd.Env = append(os.Environ(), c.Reader().Marker())
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go cmd.Wait()
	return starlark.MakeInt(cmd.Process.Pid), nil
}

// interrupter is a sink that calls a function at events.
type interrupter func(events.Event)

func (f interrupter) Handle(e events.Event) { f(e) }

func (interrupter) Close() error { return nil }
