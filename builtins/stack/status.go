package stack

import (
	"github.com/docker/docker/api/types/swarm"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
)

var statusBuiltin = runtime.Define(runtime.Builtin{
	Name:       "stack.status",
	Returns:    "[struct(name, service, image, mode, wanted, running, update, message, ports = [int], failed, error)]",
	Permission: "`docker` on stack:name",
	Doc: "Returns the services of a stack, by name; name is that within the stack, service that in the swarm. Wanted and running are numbers of " +
		"tasks. Update is \"\" for a service that was never updated, else what the swarm says: updating, completed, paused, " +
		"rollback_started, rollback_paused, rollback_completed. Failed is how many of the tasks that the swarm remembers have failed, error " +
		"why the last of them did. A stack that is not there has none.",
	Example: `ready = all([s.running == s.wanted for s in stack.status("infra-core")])`,
}, func(c *runtime.Call, a nameArgs) (starlark.Value, error) {
	if err := checkName(a.Name); err != nil {
		return nil, err
	}
	if err := c.Need(need(a.Name)); err != nil {
		return nil, err
	}
	r := c.Reader()
	if r.Preview() && predictions(r.World()).of(a.Name) != nil {
		return unknownTasks(a.Name), nil
	}
	e, s, err := opened(c.Context(), r, a.Name)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	var list []starlark.Value
	for _, service := range s.services {
		tasks, err := tasksOf(c.Context(), e, service.ID)
		if err != nil {
			return nil, err
		}
		list = append(list, describe(a.Name, service, tasks))
	}
	return starlark.NewList(list), nil
})

// describe is a service as a recipe sees it.
func describe(stack string, s swarm.Service, tasks []swarm.Task) starlark.Value {
	wanted, replicated := replicas(s.Spec.Mode)
	running, failed, last := 0, 0, ""
	for _, t := range tasks {
		switch {
		case t.Status.State == swarm.TaskStateFailed || t.Status.State == swarm.TaskStateRejected:
			if failed++; last == "" {
				last = reason(t)
			}
		case t.DesiredState == swarm.TaskStateRunning:
			if !replicated {
				wanted++
			}
			if t.Status.State == swarm.TaskStateRunning {
				running++
			}
		}
	}
	image := ""
	if c := s.Spec.TaskTemplate.ContainerSpec; c != nil {
		image = c.Image
	}
	state, message := "", ""
	if u := s.UpdateStatus; u != nil {
		state, message = string(u.State), u.Message
	}
	var ports []starlark.Value
	for _, p := range publishedPorts(s.Spec) {
		ports = append(ports, starlark.MakeInt(p))
	}
	return structOf(starlark.StringDict{
		"name": starlark.String(short(stack, s.Spec.Name)), "service": starlark.String(s.Spec.Name), "image": starlark.String(image),
		"mode": starlark.String(kindOf(s.Spec.Mode)), "wanted": starlark.MakeUint64(wanted), "running": starlark.MakeInt(running),
		"update": starlark.String(state), "message": starlark.String(message), "ports": starlark.NewList(ports),
		"failed": starlark.MakeInt(failed), "error": starlark.String(last),
	})
}

var swarmBuiltin = runtime.Define(runtime.Builtin{
	Name:    "stack.swarm",
	Returns: "struct(active, manager, node, nodes = [struct(id, name, role, state, availability, address, engine)])",
	Doc: "Says whether this engine is of a swarm (active), and whether it is a manager of it, which alone can be asked about nodes and services. " +
		"Node is its own id. State is ready, down, unknown or disconnected.",
	Example: `if not stack.swarm().manager: fail("docker swarm init makes this machine a manager")`,
}, func(c *runtime.Call, _ struct{}) (starlark.Value, error) {
	ctx := c.Context()
	e, err := engine.Look(ctx, c.Reader())
	if err != nil {
		return nil, err
	}
	defer e.Close()
	var about swarm.Info
	if e.Assumed() == "" {
		info, err := e.Info(ctx)
		if err != nil {
			return nil, engine.Explain(ctx, err)
		}
		about = info.Swarm
	}
	var nodes []starlark.Value
	if about.ControlAvailable {
		list, err := e.NodeList(ctx, swarm.NodeListOptions{})
		if err != nil {
			return nil, engine.Explain(ctx, err)
		}
		for _, n := range list {
			nodes = append(nodes, structOf(starlark.StringDict{
				"id": starlark.String(n.ID), "name": starlark.String(n.Description.Hostname), "role": starlark.String(n.Spec.Role),
				"state": starlark.String(n.Status.State), "availability": starlark.String(n.Spec.Availability),
				"address": starlark.String(n.Status.Addr), "engine": starlark.String(n.Description.Engine.EngineVersion),
			}))
		}
	}
	return structOf(starlark.StringDict{
		"active": starlark.Bool(about.LocalNodeState == swarm.LocalNodeStateActive), "manager": starlark.Bool(about.ControlAvailable),
		"node": starlark.String(about.NodeID), "nodes": starlark.NewList(nodes),
	}), nil
})
