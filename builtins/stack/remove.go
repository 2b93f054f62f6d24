package stack

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type removeArgs struct {
	nameArgs
	Secrets runtime.Strings `arg:"secrets" default:"" doc:"what is in the stack's secrets, as far as it is known: those are removed"`
	Timeout runtime.Seconds `arg:"timeout" default:"10m" doc:"how long an undo waits for the services, in seconds"`
}

var removeBuiltin = runtime.Define(runtime.Builtin{
	Name: "stack.remove", Returns: "struct(stack, changed, left): left are the names of the secrets that stay", Undo: runtime.Compensating,
	Permission: "`docker` on stack:name",
	Doc: "Removes the services, networks and configs of a stack, and waits until its containers on this machine are gone. It needs no compose " +
		"file. Volumes stay. A secret goes only if what is in it is given, with the state directory with which it was made: a swarm tells " +
		"nobody, so a rollback could not make it again. Undo makes the networks, configs, secrets and services again.",
	Example: `stack.remove("infra-core", secrets = [secret.file("/etc/infra-core/token")])`,
}, func(c *runtime.Call, a removeArgs) (starlark.Value, error) {
	if err := checkName(a.Name); err != nil {
		return nil, err
	}
	for _, text := range a.Secrets {
		if err := c.AddSecret(text); err != nil {
			return nil, err
		}
	}
	return c.Do(&removal{name: a.Name, secrets: a.Secrets, timeout: a.Timeout.Duration})
})

// removal is the change that takes a stack away.
type removal struct {
	name    string
	secrets []string // what is in those that are known
	timeout time.Duration

	state *state
	files []wantedFile // to be removed
	left  []string     // names of secrets that stay
	undo  *restoreArgs
}

// Describe implements [runtime.Change].
func (d *removal) Describe() runtime.Description {
	return runtime.Description{
		Call: "stack.remove", Target: d.name, Undo: runtime.Compensating, Needs: []policy.Need{need(d.name)},
		UndoNote: "makes the services again",
	}
}

// Probe implements [runtime.Change].
func (d *removal) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	e, s, err := opened(ctx, r, d.name)
	if err != nil {
		return runtime.Finding{}, err
	}
	defer e.Close()
	d.state = s
	if err := d.sort(s.files(), r.Fingerprint); err != nil {
		return runtime.Finding{}, err
	}
	if len(s.services)+len(s.networks)+len(d.files) == 0 {
		return runtime.Finding{Summary: "nothing of it is there", Value: d.value(false)}, nil
	}
	var diff strings.Builder
	for _, one := range s.services {
		fmt.Fprintf(&diff, "- remove service %s\n", short(d.name, one.Spec.Name))
	}
	for _, n := range s.networks {
		fmt.Fprintf(&diff, "- remove network %s\n", n.Name)
	}
	for _, f := range d.files {
		fmt.Fprintf(&diff, "- remove %s\n", f.id())
	}
	for _, name := range d.left {
		fmt.Fprintf(&diff, "  leave secret %s: what is in it is not known\n", name)
	}
	return runtime.Finding{
		Needed: true, Diff: diff.String(), Assumed: e.Assumed(),
		Summary: fmt.Sprintf("remove %d services, %d networks, %d configs and secrets", len(s.services), len(s.networks), len(d.files)),
	}, nil
}

// sort tells the configs and secrets that can be made again from those that cannot.
func (d *removal) sort(files []wantedFile, prints fingerprint) error {
	for _, f := range files {
		if f.kind == secretKind {
			var err error
			if f.data, err = d.contentOf(f.name, prints); err != nil {
				return err
			}
			if f.data == nil {
				d.left = append(d.left, f.name)
				continue
			}
		}
		d.files = append(d.files, f)
	}
	return nil
}

// contentOf is what is in a secret, by its name; nil if that is not known.
func (d *removal) contentOf(name string, prints fingerprint) ([]byte, error) {
	cut := strings.LastIndexByte(name, '-')
	if cut < 0 {
		return nil, nil
	}
	for _, text := range d.secrets {
		called, err := prints.secretName(name[:cut], []byte(text))
		if err != nil {
			return nil, err
		}
		if called == name {
			return []byte(text), nil
		}
	}
	return nil, nil
}

// value is what the call evaluates to.
func (d *removal) value(changed bool) starlark.Value {
	var names []starlark.Value
	for _, name := range d.left {
		names = append(names, starlark.String(name))
	}
	return structOf(starlark.StringDict{
		"stack": starlark.String(d.name), "changed": starlark.Bool(changed), "left": starlark.NewList(names),
	})
}

// Undo implements [runtime.Change].
func (d *removal) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	var touched []string
	for _, s := range d.state.services {
		touched = append(touched, s.Spec.Name)
	}
	var err error
	if d.undo, err = keepStack(ctx, k, d.name, touched, d.files, d.timeout); err != nil {
		return nil, err
	}
	return &runtime.Undo{Kind: restoreKind, Args: d.undo}, nil
}

// Apply implements [runtime.Change].
func (d *removal) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	c, err := newControl(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer c.Close()
	if err := c.Hold(ctx, d.undo.held()...); err != nil {
		return runtime.Applied{}, err
	}
	var names []string
	for _, s := range d.state.services {
		names = append(names, s.Spec.Name)
		if err := c.removeService(ctx, s.ID, s.Spec.Name); err != nil {
			return runtime.Applied{}, err
		}
	}
	if err := c.waitGone(ctx, d.name, names); err != nil {
		return runtime.Applied{}, err
	}
	for _, n := range d.state.networks {
		if err := c.removeNetwork(ctx, n.ID, n.Name); err != nil {
			return runtime.Applied{}, err
		}
	}
	for _, f := range d.files {
		if err := c.removeFile(ctx, d.state.fileID(f.kind, f.name), f); err != nil {
			return runtime.Applied{}, err
		}
	}
	return runtime.Applied{Value: d.value(true), After: left{}}, nil
}

// Predict implements [runtime.Change].
func (d *removal) Predict(w *runtime.World) (starlark.Value, error) {
	for _, s := range d.state.services {
		for _, port := range takenPorts(s.Spec) {
			ports.Of(w).Free(port)
		}
	}
	next := nothingPredicted()
	for _, name := range d.left {
		next.files[string(secretKind)+" "+name] = nil
	}
	predictions(w).set(d.name, next)
	return d.value(true), nil
}
