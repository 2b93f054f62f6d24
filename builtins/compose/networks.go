package compose

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"

	"github.com/infrarun/infrarun/builtins/internal/engine"
)

// restoreNetworks makes the recorded networks again that are gone or have become other ones.
func (u *restorer) restoreNetworks(ctx context.Context) error {
	for _, was := range u.rec.Networks {
		now, err := u.Network(ctx, was.Name)
		if err != nil {
			return err
		}
		if now != nil && (now.ID == was.ID || sameNetwork(*now, was)) {
			continue
		}
		if now != nil {
			if err := u.removeNetwork(ctx, *now); err != nil {
				return err
			}
		}
		ipv6 := was.EnableIPv6
		_, err = u.API.NetworkCreate(ctx, was.Name, network.CreateOptions{
			Driver: was.Driver, EnableIPv6: &ipv6, IPAM: &was.IPAM, Internal: was.Internal, Attachable: was.Attachable,
			Options: was.Options, Labels: was.Labels,
		})
		if err != nil {
			return fmt.Errorf("make network %s again: %w", was.Name, engine.Explain(ctx, err))
		}
	}
	return nil
}

// sameNetwork reports whether two networks are made alike.
func sameNetwork(a, b network.Inspect) bool {
	return a.Driver == b.Driver && a.Internal == b.Internal && a.EnableIPv6 == b.EnableIPv6 &&
		maps.Equal(a.Options, b.Options) && maps.Equal(a.Labels, b.Labels) && reflect.DeepEqual(a.IPAM, b.IPAM)
}

// removeNetwork removes a network; what is in it leaves it first.
func (u *restorer) removeNetwork(ctx context.Context, n network.Inspect) error {
	for id := range n.Containers {
		if err := u.API.NetworkDisconnect(ctx, n.ID, id, true); err != nil && !absent(err) {
			return fmt.Errorf("leave network %s: %w", n.Name, engine.Explain(ctx, err))
		}
	}
	if err := u.API.NetworkRemove(ctx, n.ID); err != nil && !absent(err) {
		return fmt.Errorf("remove network %s: %w", n.Name, engine.Explain(ctx, err))
	}
	return nil
}

// joinNetworks has a container join the networks in which it was.
func (u *restorer) joinNetworks(ctx context.Context, is, was container.InspectResponse) error {
	if was.NetworkSettings == nil || is.NetworkSettings == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(was.NetworkSettings.Networks)) {
		if is.NetworkSettings.Networks[name] != nil {
			continue
		}
		if err := u.API.NetworkConnect(ctx, name, is.ID, endpoint(was, name)); err != nil {
			return fmt.Errorf("join network %s: %w", name, engine.Explain(ctx, err))
		}
	}
	return nil
}

// removeNewNetworks removes the networks of the project that were not there.
func (u *restorer) removeNewNetworks(ctx context.Context) error {
	list, err := networksOf(ctx, u.Client, u.args.Project)
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range list {
		if !slices.ContainsFunc(u.rec.Networks, func(was network.Inspect) bool { return was.Name == n.Name }) {
			errs = append(errs, u.removeNetwork(ctx, n))
		}
	}
	return errors.Join(errs...)
}

// removeNewVolumes removes the volumes that were not there: those of the project, and those among used, of its
// removed containers.
func (u *restorer) removeNewVolumes(ctx context.Context, used []string) error {
	of := ofProject(u.args.Project)
	own, err := volumeNames(ctx, u.Client, &of)
	if err != nil {
		return err
	}
	candidates := append(own, used...)
	slices.Sort(candidates)
	var errs []error
	for _, name := range slices.Compact(candidates) {
		if slices.Contains(u.rec.Volumes, name) {
			continue
		}
		users, err := u.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("volume", name))})
		if err != nil {
			errs = append(errs, fmt.Errorf("who uses volume %s: %w", name, engine.Explain(ctx, err)))
			continue
		}
		if len(users) > 0 {
			u.Run.Warn("volume %s stays: container %s uses it meanwhile", name, engine.NameOf(users[0]))
			continue
		}
		if err := u.API.VolumeRemove(ctx, name, false); err != nil && !absent(err) {
			errs = append(errs, fmt.Errorf("remove volume %s: %w", name, engine.Explain(ctx, err)))
		}
	}
	return errors.Join(errs...)
}
