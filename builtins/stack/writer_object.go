package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/infrarun/infrarun/builtins/internal/engine"
)

// absent reports whether an error says that there is no such thing.
func absent(err error) bool { return errdefs.IsNotFound(err) }

func (c *control) makeNetwork(ctx context.Context, name string, options network.CreateOptions) error {
	if _, err := c.API.NetworkCreate(ctx, name, options); err != nil {
		return fmt.Errorf("create network %s: %w", name, engine.Explain(ctx, err))
	}
	return nil
}

func (c *control) makeFile(ctx context.Context, f wantedFile) error {
	about := swarm.Annotations{Name: f.name, Labels: f.labels}
	var err error
	if f.kind == configKind {
		_, err = c.API.ConfigCreate(ctx, swarm.ConfigSpec{Annotations: about, Data: f.data})
	} else {
		_, err = c.API.SecretCreate(ctx, swarm.SecretSpec{Annotations: about, Data: f.data})
	}
	if err != nil {
		return fmt.Errorf("create %s %s: %w", f.kind, f.name, engine.Explain(ctx, err))
	}
	return nil
}

// removeFile removes a config or secret. That it is gone is no error.
func (c *control) removeFile(ctx context.Context, id string, f wantedFile) error {
	return c.removeWhenFree(ctx, f.id(), func(ctx context.Context) error {
		if f.kind == configKind {
			return c.API.ConfigRemove(ctx, id)
		}
		return c.API.SecretRemove(ctx, id)
	})
}

// identify puts the ids of configs and secrets into a specification, which the swarm wants beside their names.
func (c *control) identify(ctx context.Context, spec *swarm.ServiceSpec) error {
	container := *spec.TaskTemplate.ContainerSpec
	spec.TaskTemplate.ContainerSpec = &container
	if len(container.Configs) > 0 {
		list, err := c.ConfigList(ctx, swarm.ConfigListOptions{})
		if err != nil {
			return fmt.Errorf("list configs: %w", engine.Explain(ctx, err))
		}
		container.Configs = slices.Clone(container.Configs)
		for i, ref := range container.Configs {
			at := slices.IndexFunc(list, func(c swarm.Config) bool { return c.Spec.Name == ref.ConfigName })
			if at < 0 {
				return fmt.Errorf("service %s: the swarm has no config %s", spec.Name, ref.ConfigName)
			}
			with := *ref
			with.ConfigID = list[at].ID
			container.Configs[i] = &with
		}
	}
	if len(container.Secrets) > 0 {
		list, err := c.SecretList(ctx, swarm.SecretListOptions{})
		if err != nil {
			return fmt.Errorf("list secrets: %w", engine.Explain(ctx, err))
		}
		container.Secrets = slices.Clone(container.Secrets)
		for i, ref := range container.Secrets {
			at := slices.IndexFunc(list, func(s swarm.Secret) bool { return s.Spec.Name == ref.SecretName })
			if at < 0 {
				return fmt.Errorf("service %s: the swarm has no secret %s", spec.Name, ref.SecretName)
			}
			with := *ref
			with.SecretID = list[at].ID
			container.Secrets[i] = &with
		}
	}
	return nil
}

// removeNetwork removes a network, and waits until no machine that is asked knows it any more: a service could not be made
// in it.
func (c *control) removeNetwork(ctx context.Context, id, name string) error {
	err := c.removeWhenFree(ctx, "network "+name, func(ctx context.Context) error { return c.API.NetworkRemove(ctx, id) })
	if err != nil {
		return err
	}
	return c.removeWhenFree(ctx, "network "+name, func(ctx context.Context) error {
		list, err := c.NetworkList(ctx, network.ListOptions{})
		if err == nil && slices.ContainsFunc(list, func(n network.Summary) bool { return n.ID == id }) {
			err = errBusy
		}
		return err
	})
}

var errBusy = errors.New("it is still in use")

// removeTimeout is how long a network may still be in use by tasks that are about to end.
const removeTimeout = time.Minute

// removeWhenFree removes something that tasks which are about to end may still use. That it is gone is no error.
func (c *control) removeWhenFree(ctx context.Context, what string, take func(context.Context) error) error {
	for deadline := time.Now().Add(removeTimeout); ; {
		err := take(ctx)
		switch {
		case err == nil, absent(err):
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case time.Now().After(deadline):
			return fmt.Errorf("remove %s: %w", what, engine.Explain(ctx, err))
		}
		if err := pause(ctx, pollInterval); err != nil {
			return err
		}
	}
}
