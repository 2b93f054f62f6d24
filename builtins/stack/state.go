package stack

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/infrarun/infrarun/builtins/internal/engine"
)

// state is what a swarm has of a stack.
type state struct {
	services []swarm.Service // by name
	networks []network.Inspect
	configs  []swarm.Config
	secrets  []swarm.Secret
	// names are those of all networks of the swarm, by id.
	names map[string]string
}

// manager fails unless the engine can be asked about services.
func manager(ctx context.Context, e *engine.Client) error {
	info, err := e.Info(ctx)
	if err != nil {
		return fmt.Errorf("ask the engine about its swarm: %w", engine.Explain(ctx, err))
	}
	if !info.Swarm.ControlAvailable {
		return errNoManager
	}
	return nil
}

func ofStack(name string) filters.Args {
	return filters.NewArgs(filters.Arg("label", namespaceLabel+"="+name))
}

// look returns what the swarm has of a stack.
func look(ctx context.Context, e *engine.Client, name string) (*state, error) {
	s := &state{names: map[string]string{}}
	var err error
	if s.services, err = services(ctx, e, name); err != nil {
		return nil, err
	}
	networks, err := e.NetworkList(ctx, network.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list networks: %w", engine.Explain(ctx, err))
	}
	for _, n := range networks {
		s.names[n.ID] = n.Name
		if n.Labels[namespaceLabel] == name && n.Scope == "swarm" {
			s.networks = append(s.networks, n)
		}
	}
	if s.configs, err = e.ConfigList(ctx, swarm.ConfigListOptions{Filters: ofStack(name)}); err != nil {
		return nil, fmt.Errorf("list configs: %w", engine.Explain(ctx, err))
	}
	if s.secrets, err = e.SecretList(ctx, swarm.SecretListOptions{Filters: ofStack(name)}); err != nil {
		return nil, fmt.Errorf("list secrets: %w", engine.Explain(ctx, err))
	}
	return s, nil
}

// services returns the services of a stack, by name.
func services(ctx context.Context, e *engine.Client, name string) ([]swarm.Service, error) {
	list, err := e.ServiceList(ctx, swarm.ServiceListOptions{Filters: ofStack(name)})
	if err != nil {
		return nil, fmt.Errorf("list services: %w", engine.Explain(ctx, err))
	}
	slices.SortFunc(list, func(a, b swarm.Service) int { return strings.Compare(a.Spec.Name, b.Spec.Name) })
	return list, nil
}

// service returns one of the services, nil if there is none of that name.
func (s *state) service(name string) *swarm.Service {
	for i := range s.services {
		if s.services[i].Spec.Name == name {
			return &s.services[i]
		}
	}
	return nil
}

func (s *state) network(name string) *network.Inspect {
	for i := range s.networks {
		if s.networks[i].Name == name {
			return &s.networks[i]
		}
	}
	return nil
}

// files are the configs and secrets of the stack; what is in a secret a swarm tells nobody.
func (s *state) files() []wantedFile {
	var all []wantedFile
	for _, c := range s.configs {
		all = append(all, wantedFile{kind: configKind, name: c.Spec.Name, data: c.Spec.Data, labels: c.Spec.Labels})
	}
	for _, c := range s.secrets {
		all = append(all, wantedFile{kind: secretKind, name: c.Spec.Name, labels: c.Spec.Labels})
	}
	return all
}

// fileID is the id of a config or secret of the stack, "" if there is none.
func (s *state) fileID(kind fileKind, name string) string {
	if kind == configKind {
		for _, c := range s.configs {
			if c.Spec.Name == name {
				return c.ID
			}
		}
		return ""
	}
	for _, c := range s.secrets {
		if c.Spec.Name == name {
			return c.ID
		}
	}
	return ""
}

// short is the name of a service within its stack.
func short(stack, service string) string { return strings.TrimPrefix(service, stack+"_") }
