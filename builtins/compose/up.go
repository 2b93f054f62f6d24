package compose

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/composefile"
	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type upArgs struct {
	projectArgs
	Services      runtime.Strings `arg:"services" default:"" doc:"only these services; None is all of the project"`
	Wait          bool            `arg:"wait" default:"true" doc:"whether to wait until every container that was touched is ready"`
	Timeout       runtime.Seconds `arg:"timeout" default:"5m" doc:"how long all of it may take, in seconds"`
	Steady        runtime.Seconds `arg:"steady" default:"3s" doc:"how long a container without a health check has to run, in seconds"`
	Streak        int             `arg:"streak" default:"2" doc:"how many health checks in a row have to succeed, 1 to 5"`
	Restarts      int             `arg:"restarts" default:"0" doc:"how many restarts of a container are tolerated"`
	RemoveOrphans bool            `arg:"remove_orphans" default:"true" doc:"whether containers are removed whose service is not in the project any more; never where services are named"`
	Resolved      string          `arg:"resolved" default:"" doc:"where the resolved project is written, mode 0600; empty is compose.resolved.yaml beside the compose files"`
}

var upBuiltin = runtime.Define(runtime.Builtin{
	Name: "compose.up", Returns: "struct(project, changed)", Undo: runtime.Compensating,
	Permission: "`docker` on compose:PROJECT and on all that lets a container out, such as host-path:/PATH; `fs.read` on the files; `fs.write` on resolved",
	Doc: "Brings up a project: containers whose settings or image have changed are made anew, missing ones are made, the others " +
		"are not touched. Which those are is decided here, by comparing the resolved project with the containers; Compose is " +
		"called only for services that change, and with the resolved project alone. Images must be on this machine: see " +
		"compose.pull and compose.build. It then waits until each container that was touched is ready: running without a restart " +
		"for a while, healthy where there is a health check, or ended with code 0 where it may end. One that crashes ends the " +
		"waiting at once, with its last lines. Undo makes the containers that there were again, on the images that they had, which " +
		"are kept until then, and removes what was made, also networks and volumes; volumes that there were are never touched. " +
		"A preview says what would be made anew, and why.",
	Example: `compose.up("/opt/infra-core/current", name = "infra-core", env_files = ["/etc/infra-core/stack.env"])`,
}, func(c *runtime.Call, a upArgs) (starlark.Value, error) {
	p, err := a.Load(c)
	if err != nil {
		return nil, err
	}
	if a.Streak < 1 || a.Streak > 5 {
		return nil, fmt.Errorf("streak is %d: the engine remembers 5 health checks, so it can be 1 to 5", a.Streak)
	}
	for _, s := range a.Services {
		if _, ok := p.Services[s]; !ok {
			return nil, noService(p, s)
		}
	}
	u := &up{
		project: p, selected: a.Services, orphans: a.RemoveOrphans && len(a.Services) == 0, wait: a.Wait, timeout: a.Timeout.Duration,
		patience: patience{a.Steady.Duration, a.Streak, a.Restarts},
		resolved: filesys.Abs(p.WorkingDir, a.Resolved),
	}
	if a.Resolved == "" {
		u.resolved = filesys.Abs(p.WorkingDir, resolvedName)
	}
	if u.canonical, err = canonicalize(p, composefile.Contents(c, p)); err != nil {
		return nil, err
	}
	return c.Do(u)
})

// resolvedName is not among the names that Compose looks for.
const resolvedName = "compose.resolved.yaml"

func noService(p *project, name string) error {
	return fmt.Errorf("the project has no service %q; it has %s", name, strings.Join(p.ServiceNames(), ", "))
}

// up is the change that brings up a project.
type up struct {
	project   *project
	canonical canonical
	selected  []string
	orphans   bool
	wait      bool
	timeout   time.Duration
	patience  patience
	resolved  string // path

	cli     *cli
	plan    *plan
	running []replica // as the probe found them
	stale   bool      // the file is not there or differs
	there   bool      // the file is there
	dirs    []string  // of this machine, which the engine will make
	undo    *restoreArgs
}

// Describe implements [runtime.Change].
func (u *up) Describe() runtime.Description {
	return runtime.Description{
		Call: "compose.up", Target: u.project.Name, Undo: runtime.Compensating,
		UndoNote: "makes the containers that there were again, on the images that they had",
		Needs:    []policy.Need{need(u.project.Name), {Kind: "fs.write", Target: u.resolved}},
	}
}

// Undo implements [runtime.Change].
func (u *up) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	var ids []string
	for _, s := range u.plan.steps {
		if s.id != "" {
			ids = append(ids, s.id)
		}
	}
	var err error
	if u.undo, err = keepProject(ctx, k, u.project.Name, ids); err != nil {
		return nil, err
	}
	file := filesys.UndoCreated(k, u.resolved)
	if u.there {
		if file, err = filesys.KeepFile(ctx, k, u.resolved); err != nil {
			return nil, err
		}
	}
	if err := u.undo.Files.Add(file); err != nil {
		return nil, err
	}
	if len(u.dirs) > 0 {
		if err := u.undo.Files.Add(filesys.UndoCreated(k, u.dirs...)); err != nil {
			return nil, err
		}
	}
	return &runtime.Undo{Kind: restoreKind, Args: u.undo, Touches: names(u.running)}, nil
}

// Apply implements [runtime.Change].
func (u *up) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	c, err := newControl(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer c.Close()
	if err := c.Hold(ctx, u.undo.Images...); err != nil {
		return runtime.Applied{}, err
	}
	if err := c.write(u.resolved, u.canonical.text); err != nil {
		return runtime.Applied{}, err
	}
	for _, s := range u.plan.orphans() { // first: they may hold a port that is needed
		if err := takeAway(ctx, c.Writer, s.id, s.name); err != nil {
			return runtime.Applied{}, err
		}
	}
	for _, r := range u.running {
		if r.State.Paused && slices.ContainsFunc(u.plan.steps, func(s step) bool { return s.id == r.ID }) {
			if err := c.API.ContainerUnpause(ctx, r.ID); err != nil && !absent(err) {
				return runtime.Applied{}, fmt.Errorf("unpause container %s: %w", r.name(), engine.Explain(ctx, err))
			}
		}
	}
	if err := c.bringUp(ctx, u); err != nil {
		return runtime.Applied{}, engine.Gone(ctx, err)
	}
	running, err := inspect(ctx, c.Client, u.project.Name)
	if err != nil {
		return runtime.Applied{}, err
	}
	return runtime.Applied{Value: u.value(true), After: leftOf(running)}, nil
}

// value is what the call evaluates to.
func (u *up) value(changed bool) starlark.Value {
	return structOf(starlark.StringDict{"project": starlark.String(u.project.Name), "changed": starlark.Bool(changed)})
}

// Predict implements [runtime.Change].
func (u *up) Predict(w *runtime.World) (starlark.Value, error) {
	err := filesys.Predicted(w).WriteFile(u.resolved, u.canonical.text, resolvedMode, filesys.Keep, filesys.Keep)
	if err != nil {
		return nil, err
	}
	for _, dir := range u.dirs {
		if err := filesys.Predicted(w).Mkdir(dir, 0o755, filesys.Keep, filesys.Keep); err != nil {
			return nil, err
		}
	}
	for _, r := range u.running {
		// One that does not run has none: somebody else may have them by now.
		if r.State.Running && slices.ContainsFunc(u.plan.steps, func(s step) bool { return s.id == r.ID && s.act != start }) {
			freePorts(w, r)
		}
	}
	for _, s := range u.plan.steps {
		if s.act == remove {
			continue
		}
		for _, port := range composefile.HostPorts(u.project.Services[s.service]) {
			ports.Of(w).Take(port, "service "+s.service)
		}
	}
	hashes := map[string]string{}
	for name := range u.project.Services {
		if len(u.selected) == 0 || slices.Contains(u.selected, name) {
			hashes[name] = u.canonical.hashes[name]
		}
	}
	predictions(w).up(u.project.Name, hashes)
	return u.value(true), nil
}

// freePorts predicts that a container lets go of its ports.
func freePorts(w *runtime.World, r replica) {
	for _, port := range boundPorts(r) {
		ports.Of(w).Free(port)
	}
}
