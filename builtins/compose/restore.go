package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
)

// restoreKind is the undo of what changes a project's containers.
const restoreKind = "compose.restore"

// restoreUndo puts a project back as it was recorded. It does not call Compose, which would need the old files and would
// make other containers than there were; it makes each lost container again from what the engine said of it.
func restoreUndo(ctx context.Context, w *runtime.Writer, args restoreArgs) error {
	rec, err := openRecord(w, args)
	if err != nil {
		return err
	}
	x, err := engine.Write(ctx, w)
	if err != nil {
		return err
	}
	defer x.Close()
	u := &restorer{Writer: x, rec: rec, args: args, starts: map[string]starts{}, ended: map[string]string{}}
	err = u.restore(ctx)
	return errors.Join(err, args.Files.Undo(ctx, w))
}

// engineTimeout is how long it is tried with an engine that ends in the middle: it may be restarted, which may be what made
// the change fail.
const engineTimeout = 30 * time.Second

// restorer puts one project back.
type restorer struct {
	*engine.Writer
	rec  *record
	args restoreArgs
	now  map[string]string // the id of each recorded container now, by the recorded one
	used []string          // volumes of the containers that it removed

	starts map[string]starts // by id
	ended  map[string]string // how containers have ended that it had started, by name
}

const (
	// settle is how long the engine has to finish what it was asked for before Compose was ended: a container whose making
	// had begun appears although nobody waits for it any more.
	settle = time.Second
	// rounds is how often it is tried.
	rounds = 4
)

// restore puts back until it finds everything as it was, and the engine has had time to finish.
func (u *restorer) restore(ctx context.Context) error {
	begin := time.Now()
	for n := 1; ; n++ {
		removed, err := u.round(ctx)
		late := time.Since(begin) >= settle
		if err == nil && u.unsettled() {
			late, err = false, u.unstable(time.Since(begin))
		}
		switch {
		case err == nil && removed == 0 && late:
			for _, kept := range u.args.Images {
				err = errors.Join(err, u.Release(ctx, kept))
			}
			return err
		case client.IsErrConnectionFailed(err) && time.Since(begin) < engineTimeout: // it is restarted
		case err != nil && (late && n >= rounds || errors.As(err, new(*unstableError))):
			return err // what is new stays: it may be needed to find out why
		case err == nil && removed > 0 && late:
			continue
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(settle / 2):
		}
	}
}

// round puts back all that it finds to be otherwise, and returns how many new containers it removed.
func (u *restorer) round(ctx context.Context) (removed int, err error) {
	removed, volumes, err := u.removeNew(ctx)
	u.used = append(u.used, volumes...)
	if err != nil {
		return removed, err
	}
	if err := u.restoreNetworks(ctx); err != nil {
		return removed, err
	}
	var errs []error
	for _, c := range u.order() {
		if err := u.restoreContainer(ctx, c); err != nil {
			errs = append(errs, fmt.Errorf("container %s: %w", nameOf(c), err))
		}
	}
	if len(errs) > 0 {
		return removed, errors.Join(errs...)
	}
	for _, c := range u.rec.Containers {
		errs = append(errs, u.restoreRef(ctx, c.Config.Image))
	}
	errs = append(errs, u.removeNewNetworks(ctx), u.removeNewVolumes(ctx, u.used))
	return removed, errors.Join(errs...)
}

func nameOf(c container.InspectResponse) string { return strings.TrimPrefix(c.Name, "/") }

// order is that in which the containers were started, so that none comes before what it needs; those that were not
// running come last.
func (u *restorer) order() []container.InspectResponse {
	list := slices.Clone(u.rec.Containers)
	key := func(c container.InspectResponse) string {
		if c.State == nil || !c.State.Running {
			return "~" + c.Name
		}
		return c.State.StartedAt
	}
	slices.SortStableFunc(list, func(a, b container.InspectResponse) int { return strings.Compare(key(a), key(b)) })
	return list
}

// recorded returns the id of the recorded container that c is, "" if it is none.
func (u *restorer) recorded(c container.InspectResponse) string {
	for _, r := range u.rec.Containers {
		if r.ID == c.ID {
			return r.ID
		}
	}
	for _, r := range u.rec.Containers {
		if engine.Is(c, r.ID) {
			return r.ID
		}
	}
	return ""
}

// removeNew removes the containers that were not there, and returns how many, and the volumes that they used.
func (u *restorer) removeNew(ctx context.Context) (removed int, volumes []string, err error) {
	running, err := inspect(ctx, u.Client, u.args.Project)
	if err != nil {
		return 0, nil, err
	}
	u.now = map[string]string{}
	for _, r := range running {
		if id := u.recorded(r.InspectResponse); id != "" && u.now[id] == "" {
			u.now[id] = r.ID
			continue
		}
		for _, m := range r.Mounts {
			if m.Name != "" {
				volumes = append(volumes, m.Name)
			}
		}
		if err := takeAway(ctx, u.Writer, r.ID, r.name()); err != nil {
			return removed, volumes, err
		}
		removed++
	}
	return removed, volumes, nil
}

// restoreContainer sees to it that a recorded container is there, under its name and in its state.
func (u *restorer) restoreContainer(ctx context.Context, was container.InspectResponse) error {
	id := u.now[was.ID]
	if id == "" {
		var err error
		if id, err = u.makeAgain(ctx, was); err != nil || id == "" {
			return err
		}
		u.now[was.ID] = id
	}
	is, err := u.Container(ctx, id)
	if err != nil {
		return err
	}
	if is == nil {
		return errors.New("it is gone again: somebody removes it")
	}
	if is.Name != was.Name {
		if err := u.API.ContainerRename(ctx, id, nameOf(was)); err != nil {
			return fmt.Errorf("rename: %w", engine.Explain(ctx, err))
		}
	}
	if err := u.joinNetworks(ctx, *is, was); err != nil {
		return err
	}
	if id != was.ID && !is.State.Running { // and not been started since it was made again
		if err := u.copyAgain(ctx, id, u.rec.Copied[was.ID]); err != nil {
			return err
		}
	}
	return u.restoreState(ctx, *is, was)
}
