package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/infrarun/infrarun/builtins/internal/engine"
)

// restorer puts one stack back.
type restorer struct {
	*control
	rec  *record
	args restoreArgs
}

func (u *restorer) restore(ctx context.Context) error {
	if err := u.images(ctx); err != nil {
		return err
	}
	now, err := look(ctx, u.Client, u.args.Stack)
	if err != nil {
		return err
	}
	var removed []string
	var errs []error
	for _, s := range now.services { // first: they may hold a port that is needed
		if !slices.ContainsFunc(u.rec.Services, func(old swarm.Service) bool { return old.Spec.Name == s.Spec.Name }) {
			removed = append(removed, s.Spec.Name)
			errs = append(errs, u.removeService(ctx, s.ID, s.Spec.Name))
		}
	}
	ids, err := u.networks(ctx, now)
	if err == nil {
		err = u.files(ctx, now)
	}
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	watch := &watch{control: u.control, stack: u.args.Stack, undo: true}
	stopped := map[string]string{}
	for _, old := range u.rec.Services {
		w, err := u.service(ctx, old, now, ids)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if n, ok := replicas(old.Spec.Mode); ok && n == 0 {
			stopped[w.id] = w.name
		} else if w.enough = u.rec.Running[old.Spec.Name]; w.enough > 0 {
			watch.services = append(watch.services, w)
		}
	}
	if len(watch.services) > 0 {
		errs = append(errs, watch.until(ctx, u.args.Timeout))
	}
	errs = append(errs, u.waitEnded(ctx, stopped, u.args.Timeout))
	errs = append(errs, u.waitGone(ctx, u.args.Stack, removed), u.leftovers(ctx, now))
	return errors.Join(errs...)
}

// images has the names of images lead to what they led to.
func (u *restorer) images(ctx context.Context) error {
	for _, kept := range u.args.Images {
		if err := u.Restore(ctx, kept); err != nil {
			return err
		}
	}
	for ref, id := range u.rec.Refs {
		img, err := u.Image(ctx, ref)
		if err != nil {
			return err
		}
		if img == nil || img.ID != id {
			if err := u.Tag(ctx, id, ref); err != nil {
				return err
			}
		}
	}
	return nil
}

// networks makes the networks again that are gone, and returns the ids of those that are now there by their old ones.
func (u *restorer) networks(ctx context.Context, now *state) (map[string]string, error) {
	ids := map[string]string{}
	for _, old := range u.rec.Networks {
		there := now.network(old.Name)
		if there == nil {
			enable := old.EnableIPv6
			options := network.CreateOptions{
				Driver: old.Driver, Scope: "swarm", EnableIPv6: &enable, Internal: old.Internal, Attachable: old.Attachable,
				Options: withoutAllocated(old.Options), Labels: old.Labels, IPAM: &network.IPAM{
					Driver: old.IPAM.Driver, Options: old.IPAM.Options, Config: old.IPAM.Config,
				},
			}
			made, err := u.API.NetworkCreate(ctx, old.Name, options)
			if err != nil {
				return nil, fmt.Errorf("create network %s again: %w", old.Name, engine.Explain(ctx, err))
			}
			ids[old.ID] = made.ID
		} else if there.ID != old.ID {
			ids[old.ID] = there.ID
		}
	}
	return ids, nil
}

// withoutAllocated leaves out of a network's options what the swarm has chosen for it.
func withoutAllocated(options map[string]string) map[string]string {
	own := map[string]string{}
	for name, value := range options {
		if !strings.HasSuffix(name, "vxlanid_list") {
			own[name] = value
		}
	}
	return own
}

// files makes the configs and secrets again that are gone.
func (u *restorer) files(ctx context.Context, now *state) error {
	for _, f := range u.rec.Files {
		if now.fileID(f.Kind, f.Name) != "" {
			continue
		}
		if err := u.makeFile(ctx, wantedFile{kind: f.Kind, name: f.Name, data: f.Data, labels: f.Labels}); err != nil {
			return err
		}
	}
	return nil
}

// service gives a service the specification that it had, or makes it again.
func (u *restorer) service(ctx context.Context, old swarm.Service, now *state, ids map[string]string) (*watched, error) {
	spec := old.Spec
	//lint:ignore SA1019 older services have their networks there
	for _, list := range [][]swarm.NetworkAttachmentConfig{spec.Networks, spec.TaskTemplate.Networks} {
		for i := range list {
			if id := ids[list[i].Target]; id != "" {
				list[i].Target = id
			}
		}
	}
	if err := u.identify(ctx, &spec); err != nil {
		return nil, err
	}
	there := now.service(spec.Name)
	same, err := equal(there, spec)
	if err != nil {
		return nil, err
	}
	if !same {
		u.Run.Output("stdout", short(u.args.Stack, spec.Name)+": goes back")
		return u.put(ctx, spec, there, "")
	}
	w := &watched{name: spec.Name, id: there.ID, updated: true}
	return w, u.remember(ctx, w)
}

// equal reports whether a service has a specification. One that was only restarted since, and has come up, has it: it would
// have to be restarted for nothing.
func equal(there *swarm.Service, spec swarm.ServiceSpec) (bool, error) {
	if there == nil {
		return false, nil
	}
	if u := there.UpdateStatus; u != nil && u.State == swarm.UpdateStateCompleted {
		spec.TaskTemplate.ForceUpdate = there.Spec.TaskTemplate.ForceUpdate
	}
	a, err := json.Marshal(there.Spec)
	if err != nil {
		return false, fmt.Errorf("service %s: %w", spec.Name, err)
	}
	b, err := json.Marshal(spec)
	return bytes.Equal(a, b), err
}

// leftovers removes networks, configs and secrets of the stack that were not there.
func (u *restorer) leftovers(ctx context.Context, now *state) error {
	var errs []error
	for _, n := range now.networks {
		if !slices.ContainsFunc(u.rec.Networks, func(old network.Inspect) bool { return old.Name == n.Name }) {
			errs = append(errs, u.removeNetwork(ctx, n.ID, n.Name))
		}
	}
	for _, f := range now.configs {
		if !slices.Contains(u.rec.Configs, f.Spec.Name) {
			errs = append(errs, u.removeFile(ctx, f.ID, wantedFile{kind: configKind, name: f.Spec.Name}))
		}
	}
	for _, f := range now.secrets {
		if !slices.Contains(u.rec.Secrets, f.Spec.Name) {
			errs = append(errs, u.removeFile(ctx, f.ID, wantedFile{kind: secretKind, name: f.Spec.Name}))
		}
	}
	return errors.Join(errs...)
}
