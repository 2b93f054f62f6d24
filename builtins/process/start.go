package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

var startBuiltin = runtime.Define(runtime.Builtin{
	Name: "process.start",
	Doc: "Has a command run in the background, supervised: it is started again when it fails, unless it fails five times " +
		"within a minute. If it runs already as it is defined here, from the same executable, nothing is to do; if it " +
		"runs otherwise it is ended and started anew. It does not end with infrarun. A preview takes it for running and " +
		"its ports for taken.",
	Returns:    "struct(name, pid)",
	Permission: "`exec` on command[0], `fs.write` on dir and log, `fs.read` on env_file",
	Undo:       runtime.Compensating,
	Example: `process.start("console", command = [bin + "/console"], dir = run_dir, cwd = release, env_file = etc + "/infra.env",` + "\n" +
		`    log = log_dir + "/console.log", ports = [8082])`,
}, func(c *runtime.Call, a startArgs) (starlark.Value, error) {
	s, err := newService(c.BaseDir(), a.Dir, a.Name)
	if err != nil {
		return nil, err
	}
	d, err := a.definition(c.BaseDir(), s)
	if err == nil {
		err = d.checkFiles(s)
	}
	if err != nil {
		return nil, err
	}
	command := policy.Need{Kind: "exec", Target: child.Absolute(a.Command[0], d.Cwd)}
	return c.Do(&start{call: startKind, svc: s, def: d, needs: append(d.needs(s), command)})
})

// start is the change that has a service run as it is defined.
type start struct {
	call  string // process.start or process.restart
	svc   service
	def   definition
	needs []policy.Need
	force bool // also if it runs as defined

	// What Probe found.
	script, json  []byte
	env           []byte // what stands in env_file; nil if a preview cannot know
	scriptDiffers bool
	envDiffers    bool
	newLog        bool // there is no log yet
	before        *before
	previous      definition // what is recorded; zero if nothing is
}

var _ runtime.Change = (*start)(nil)

// needs lists the permissions that it takes to start a service, beside that for its command.
func (d definition) needs(s service) []policy.Need {
	needs := append(s.writes(), policy.Need{Kind: "fs.write", Target: d.Log})
	if d.EnvFile != "" {
		needs = append(needs, policy.Need{Kind: "fs.read", Target: d.EnvFile})
	}
	return needs
}

// Describe implements runtime.Change.
func (st *start) Describe() runtime.Description {
	return runtime.Description{
		Call: st.call, Target: st.svc.name, Needs: st.needs, Undo: runtime.Compensating,
		UndoNote: "ends it and starts what ran before", Touches: st.svc.files(),
	}
}

// Probe implements runtime.Change.
func (st *start) Probe(_ context.Context, r *runtime.Reader) (runtime.Finding, error) {
	v := filesys.Read(r)
	found := runtime.Finding{Needed: true}
	if err := checkKind(v, "dir", st.svc.dir, filesys.Dir); err != nil {
		return found, fmt.Errorf("%w; fs.mkdir makes it", err)
	}
	if err := checkKind(v, "the directory of its log", filepath.Dir(st.def.Log), filesys.Dir); err != nil {
		return found, fmt.Errorf("%w; fs.mkdir makes it", err)
	}
	if problems := errors.Join(st.def.problems(v)...); problems != nil {
		if !r.Preview() {
			return found, problems
		}
		found.Assumed = fmt.Sprintf("%s can be started by then, which now it could not: %s", st.svc.name, problems)
	}
	if err := st.prepare(v); err != nil {
		return found, err
	}
	known, err := st.recall(v)
	if err != nil {
		return found, err
	}
	who, running, predicted := look(r, st.svc)
	if !predicted && who.any() {
		if !known {
			return found, fmt.Errorf("it runs, but %s, which says how it was started, is gone: end it with %s stop, or by hand",
				st.svc.definition(), st.svc.script())
		}
		if st.before, err = st.svc.remember(who); err != nil {
			return found, err
		}
	}
	found.Summary = st.why(who, running, predicted, st.previous, known)
	if found.Summary == "" {
		found.Needed, found.Summary, found.Value = false, "runs as it should", st.value(who, predicted)
		return found, nil
	}
	found.Summary += ": " + child.Quote(st.def.Command)
	return found, st.def.checkPorts(r.World(), st.svc)
}

// prepare makes the service's files.
func (st *start) prepare(v *filesys.View) error {
	if err := st.def.settle(v); err != nil {
		return err
	}
	var err error
	if st.json, err = st.def.encode(); err != nil {
		return err
	}
	if st.def.EnvFile != "" {
		if err := st.compareEnv(v); err != nil {
			return err
		}
	}
	o, err := ownerOf(v, st.def)
	if err != nil {
		return nil // a user that is not there yet, of which the finding tells: a preview, so nothing is written
	}
	st.script = st.def.render(st.svc, o)
	there, err := v.ReadFile(st.svc.script(), maxDefinition)
	st.scriptDiffers = err != nil || !bytes.Equal(there, st.script)
	return nil
}

// compareEnv compares what stands in env_file with what stood there when the service was started.
func (st *start) compareEnv(v *filesys.View) error {
	var err error
	st.env, err = v.ReadFile(st.def.EnvFile, maxDefinition)
	if err != nil && !errors.As(err, new(*runtime.UnknownError)) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	there, cerr := v.ReadFile(st.svc.envCopy(), maxDefinition)
	st.envDiffers = err != nil || cerr != nil || !bytes.Equal(st.env, there)
	return nil
}

// recall looks at what the service was before.
func (st *start) recall(v *filesys.View) (known bool, err error) {
	if _, err := v.Lstat(st.def.Log); errors.Is(err, fs.ErrNotExist) {
		st.newLog = true
	}
	st.previous, known, err = recorded(v, st.svc)
	return known, err
}

// Apply implements runtime.Change.
func (st *start) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	c := newControl(w)
	if err := c.stop(ctx, st.svc, st.previous.patience(), st.previous.Ports); err != nil {
		return runtime.Applied{}, fmt.Errorf("end what runs: %w", err)
	}
	if err := c.write(ctx, st.svc, st.script, st.json); err != nil {
		return runtime.Applied{}, err
	}
	f, err := c.start(ctx, st.svc, st.def, origin{})
	if err != nil {
		return runtime.Applied{}, err
	}
	return runtime.Applied{Value: st.value(f, false), After: left{Running: true, Definition: hash(st.json)}}, nil
}

// Predict implements runtime.Change.
func (st *start) Predict(w *runtime.World) (starlark.Value, error) {
	over := filesys.Predicted(w)
	if st.newLog {
		if err := over.Opaque(st.def.Log, "printed by "+st.svc.name); err != nil {
			return nil, err
		}
	}
	for _, port := range st.previous.Ports {
		if state, by := ports.Of(w).Lookup(port); st.before != nil || state == ports.Taken && by == st.svc.name {
			ports.Of(w).Free(port)
		}
	}
	for _, port := range st.def.Ports {
		ports.Of(w).Take(port, st.svc.name)
	}
	files := []filesys.NewFile{
		{Path: st.svc.definition(), Content: st.json, Mode: definitionMode},
		{Path: st.svc.script(), Content: st.script, Mode: scriptMode},
	}
	if st.def.EnvFile != "" {
		files = append(files, filesys.NewFile{Path: st.svc.envCopy(), Content: st.env, Mode: envMode})
	} else if err := over.Remove(st.svc.envCopy()); err != nil {
		return nil, err
	}
	return st.value(found{}, true), predict(w, st.svc, true, files)
}

// value is what the call evaluates to.
func (st *start) value(f found, predicted bool) starlark.Value {
	name := starlark.String(st.svc.name)
	if predicted {
		what := fmt.Sprintf("the pid of %s, which this run starts,", st.svc.name)
		return runtime.NewPartial(starlark.StringDict{"name": name}, []string{"pid"}, what, startsNothing)
	}
	return starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
		"name": name, "pid": starlark.MakeInt(f.command.PID),
	})
}
