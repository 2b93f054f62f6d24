package process

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/builtins/internal/proc"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type stopArgs struct {
	Name    string          `arg:"name" doc:"its name"`
	Dir     string          `arg:"dir" doc:"the directory of its start script"`
	Timeout runtime.Seconds `arg:"timeout" default:"" doc:"how long it has to end after SIGTERM, in seconds, before it is ended by force; by default its stop_timeout"`
}

var stopBuiltin = runtime.Define(runtime.Builtin{
	Name: "process.stop",
	Doc: "Ends a process that process.start started, and everything that it started, and waits until all is gone and its " +
		"ports are free. Nothing is to do if it does not run. Undo starts it again, from the same files as before.",
	Permission: "`exec` on the command that it runs, `fs.write` on dir",
	Undo:       runtime.Compensating,
	Example:    `process.stop("console", dir = run_dir)`,
}, func(c *runtime.Call, a stopArgs) (starlark.Value, error) {
	s, err := newService(c.BaseDir(), a.Dir, a.Name)
	if err != nil {
		return nil, err
	}
	// Before its definition is read, so that it is not a way to look at files.
	if err := c.Need(s.writes()...); err != nil {
		return nil, err
	}
	d, known, err := recorded(filesys.Read(c.Reader()), s)
	if err != nil {
		return nil, err
	}
	st := &stop{svc: s, def: d, known: known, needs: s.writes()}
	if known {
		st.needs = append(st.needs, policy.Need{Kind: "exec", Target: child.Absolute(d.Command[0], d.Cwd)})
	}
	if a.Timeout.Duration > 0 {
		st.def.StopTimeout = seconds(a.Timeout.Duration)
	}
	return c.Do(st)
})

// stop is the change that ends a service.
type stop struct {
	svc    service
	def    definition // as recorded, with the time that it has to end
	known  bool       // whether there is a definition
	needs  []policy.Need
	before *before
}

var _ runtime.Change = (*stop)(nil)

// Describe implements runtime.Change.
func (st *stop) Describe() runtime.Description {
	return runtime.Description{
		Call: stopKind, Target: st.svc.name, Needs: st.needs, Undo: runtime.Compensating,
		UndoNote: "starts it again", Touches: st.svc.files(),
	}
}

// Probe implements runtime.Change.
func (st *stop) Probe(_ context.Context, r *runtime.Reader) (runtime.Finding, error) {
	found := runtime.Finding{Needed: true, Summary: "end it"}
	who, running, predicted := look(r, st.svc)
	var strays []proc.Identity
	if !predicted && !who.any() {
		strays = proc.WithEnv(st.svc.marker())
	}
	switch {
	case predicted && !running, !predicted && !who.any() && len(strays) == 0:
		found.Needed, found.Summary = false, "does not run"
	case predicted:
	case who.any() && !st.known:
		return found, fmt.Errorf("%s, which says how to start it again, is gone: end it with %s stop, or by hand",
			st.svc.definition(), st.svc.script())
	case who.any():
		var err error
		st.before, err = st.svc.remember(who)
		return found, err
	default:
		found.Summary = fmt.Sprintf("end what it left: processes %v", strays)
	}
	return found, nil
}

// Undo implements runtime.Change.
func (st *stop) Undo(context.Context, *runtime.Keeper) (*runtime.Undo, error) {
	args := undoArgs{Dir: st.svc.dir, Name: st.svc.name, Before: st.before, Timeout: st.def.patience()}
	return &runtime.Undo{Kind: stopKind, Args: args, Note: "starts it again"}, nil
}

// Apply implements runtime.Change.
func (st *stop) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	if err := newControl(w).stop(ctx, st.svc, st.def.patience(), st.def.Ports); err != nil {
		return runtime.Applied{}, err
	}
	return runtime.Applied{After: left{}}, nil
}

// Predict implements runtime.Change.
func (st *stop) Predict(w *runtime.World) (starlark.Value, error) {
	for _, port := range st.def.Ports {
		ports.Of(w).Free(port)
	}
	if err := predict(w, st.svc, false, nil); err != nil {
		return nil, err
	}
	return nil, filesys.Predicted(w).Remove(st.svc.pidFile())
}
