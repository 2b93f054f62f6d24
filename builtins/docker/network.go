package docker

import (
	"context"
	"fmt"
	"maps"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/dockerpolicy"
	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type networkArgs struct {
	Name     string            `arg:"name" doc:"the network's name"`
	Driver   string            `arg:"driver" default:"bridge" doc:"what makes it"`
	Internal bool              `arg:"internal" default:"false" doc:"whether its containers reach nothing outside of it"`
	Subnet   string            `arg:"subnet" default:"" doc:"its addresses, such as 10.20.0.0/24; by default the engine takes some"`
	Labels   runtime.StringMap `arg:"labels" default:"" doc:"its labels"`
}

const networkPermission = "`docker` on network:name"

var networkBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.network", Returns: changedDoc, Undo: runtime.Compensating,
	Permission: networkPermission + ", on network-driver:NAME for another driver than bridge",
	Doc: "Makes a network unless there is one of that name; one that is there and differs is an error, since its containers would " +
		"lose each other. Undo removes it.",
	Example: `docker.network("infra-core")`,
}, func(c *runtime.Call, a networkArgs) (starlark.Value, error) {
	if err := checkName("network", a.Name); err != nil {
		return nil, err
	}
	return c.Do(&makeNetwork{args: a})
})

// makeNetwork is the change that makes a network.
type makeNetwork struct {
	args  networkArgs
	token string
}

// Describe implements [runtime.Change].
func (n *makeNetwork) Describe() runtime.Description {
	list := []policy.Need{needNetwork(n.args.Name)}
	if n.args.Driver != "bridge" {
		list = append(list, dockerpolicy.Need("network-driver", n.args.Driver))
	}
	return runtime.Description{
		Call: "docker.network", Target: n.args.Name, Needs: list, Undo: runtime.Compensating, UndoNote: "removes it",
	}
}

// Probe implements [runtime.Change].
func (n *makeNetwork) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	return looking(ctx, r, func(e *engine.Client) (runtime.Finding, error) {
		found := runtime.Finding{Needed: true, Summary: "create", Value: changed(n.args.Name, false)}
		there, now, err := lookNetwork(ctx, e, r, n.args.Name)
		if err != nil || !there {
			return found, err
		}
		found.Needed, found.Summary = false, "is there"
		if now == nil {
			return found, nil
		}
		if why := n.differs(now); why != "" {
			return found, fmt.Errorf("it is there, but %s; remove it with docker.remove_network, or take another name", why)
		}
		return found, nil
	})
}

// differs says how a network that is there is not as it should be.
func (n *makeNetwork) differs(now *network.Inspect) string {
	switch {
	case now.Driver != n.args.Driver:
		return "its driver is " + now.Driver
	case now.Internal != n.args.Internal:
		return fmt.Sprintf("internal is %v", now.Internal)
	case n.args.Subnet == "":
		return ""
	}
	for _, c := range now.IPAM.Config {
		if c.Subnet == n.args.Subnet {
			return ""
		}
	}
	return "it has other addresses"
}

// lookNetwork looks at a network, through what a preview predicts: then now is nil.
func lookNetwork(ctx context.Context, e *engine.Client, r *runtime.Reader, name string) (there bool, now *network.Inspect, err error) {
	o := overlayOf(r.World())
	if there, ok := lookup(o, o.networks, name); ok && r.Preview() {
		return there, nil, nil
	}
	now, err = e.Network(ctx, name)
	return now != nil, now, err
}

// Undo implements [runtime.Change].
func (n *makeNetwork) Undo(context.Context, *runtime.Keeper) (*runtime.Undo, error) {
	n.token = newToken()
	return &runtime.Undo{Kind: networkKind, Args: networkUndo{Name: n.args.Name, Token: n.token}, Note: "removes it"}, nil
}

// Apply implements [runtime.Change].
func (n *makeNetwork) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := newControl(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer x.Close()
	options := network.CreateOptions{Driver: n.args.Driver, Internal: n.args.Internal, Labels: map[string]string{changeLabel: n.token}}
	maps.Copy(options.Labels, n.args.Labels)
	if n.args.Subnet != "" {
		options.IPAM = &network.IPAM{Config: []network.IPAMConfig{{Subnet: n.args.Subnet}}}
	}
	_, err = x.API.NetworkCreate(ctx, n.args.Name, options)
	return runtime.Applied{Value: changed(n.args.Name, true)}, refusal(engine.Explain(ctx, err))
}

// Predict implements [runtime.Change].
func (n *makeNetwork) Predict(w *runtime.World) (starlark.Value, error) {
	o := overlayOf(w)
	predict(o, o.networks, n.args.Name, true)
	return changed(n.args.Name, true), nil
}

type removeNetworkArgs struct {
	Name string `arg:"name" doc:"the network's name"`
}

var removeNetworkBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.remove_network", Returns: changedDoc, Undo: runtime.Compensating, Permission: networkPermission,
	Doc:     "Removes a network; it is an error if a container is in it, whether it runs or not. Undo makes an equal one.",
	Example: `docker.remove_network("old-net")`,
}, func(c *runtime.Call, a removeNetworkArgs) (starlark.Value, error) {
	return c.Do(&removeNetwork{name: a.Name})
})

// removeNetwork is the change that removes a network.
type removeNetwork struct {
	name string
	was  *network.Inspect
}

// Describe implements [runtime.Change].
func (n *removeNetwork) Describe() runtime.Description {
	return runtime.Description{
		Call: "docker.remove_network", Target: n.name, Needs: []policy.Need{needNetwork(n.name)}, Undo: runtime.Compensating,
		UndoNote: "makes an equal one",
	}
}

// Probe implements [runtime.Change].
func (n *removeNetwork) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	return looking(ctx, r, func(e *engine.Client) (runtime.Finding, error) {
		found := runtime.Finding{Needed: true, Summary: "remove it", Value: changed(n.name, false)}
		there, now, err := lookNetwork(ctx, e, r, n.name)
		n.was = now
		switch {
		case err != nil:
			return found, err
		case !there:
			found.Needed, found.Summary = false, "there is no such network"
			return found, nil
		}
		list, err := e.Containers(ctx, nil)
		if err != nil {
			return found, err
		}
		users := usersOf(r, list, func(c container.Summary) bool { return now != nil && isIn(c, now) },
			func(p predictedContainer) bool { return p.network == n.name })
		// One that was set aside is connected to an equal network when it is brought back, any other could not start again.
		return found, hinder(&found, users, notAside, "containers are in it: %s; docker.remove sets them aside, whether they run or not")
	})
}

// isIn reports whether a container is in a network.
func isIn(c container.Summary, n *network.Inspect) bool {
	if c.NetworkSettings == nil {
		return false
	}
	for name, in := range c.NetworkSettings.Networks {
		if in.NetworkID == n.ID || in.NetworkID == "" && name == n.Name {
			return true
		}
	}
	return false
}

// Undo implements [runtime.Change].
func (n *removeNetwork) Undo(context.Context, *runtime.Keeper) (*runtime.Undo, error) {
	return &runtime.Undo{Kind: networkKind, Args: networkUndo{Name: n.name, Was: n.was}, Note: "makes an equal one"}, nil
}

// Apply implements [runtime.Change].
func (n *removeNetwork) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := newControl(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer x.Close()
	return runtime.Applied{Value: changed(n.name, true)}, refusal(engine.Explain(ctx, x.API.NetworkRemove(ctx, n.was.ID)))
}

// Predict implements [runtime.Change].
func (n *removeNetwork) Predict(w *runtime.World) (starlark.Value, error) {
	o := overlayOf(w)
	predict(o, o.networks, n.name, false)
	return changed(n.name, true), nil
}

// networkUndo are the arguments of the undo of what changes networks.
type networkUndo struct {
	Name  string           `json:"name"`
	Token string           `json:"token,omitempty"` // of the one that the change made
	Was   *network.Inspect `json:"was,omitempty"`   // nil: there was none
}

func undoNetwork(ctx context.Context, w *runtime.Writer, args networkUndo) error {
	x, err := newControl(ctx, w)
	if err != nil {
		return err
	}
	defer x.Close()
	if args.Was != nil {
		return x.networkAgain(ctx, args.Was)
	}
	now, err := x.Network(ctx, args.Name)
	if err != nil || now == nil || now.Labels[changeLabel] != args.Token {
		return err
	}
	if len(now.Containers) > 0 {
		x.Run.Warn("network %s stays: containers are in it", args.Name)
		return nil
	}
	if err := x.API.NetworkRemove(ctx, now.ID); err != nil {
		return fmt.Errorf("remove network %s: %w", args.Name, engine.Explain(ctx, err))
	}
	return nil
}
