package stack

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/journal"
)

// restoreKind is the undo of what changes a stack.
const restoreKind = "stack.restore"

// record is a stack as it was before a change.
type record struct {
	Services []swarm.Service   `json:"services"`
	Networks []network.Inspect `json:"networks"`
	// Names are those of all networks of the swarm, by id: specifications have ids.
	Names   map[string]string `json:"names"`
	Configs []string          `json:"configs"` // names
	Secrets []string          `json:"secrets"` // names
	// Files are the configs and secrets that the change removes, with what is in them.
	Files []keptFile `json:"files"`
	// Refs are the images that ran on this machine under a name without a digest, and which they were.
	Refs map[string]string `json:"refs"`
	// Running is how many tasks of each service ran.
	Running map[string]int `json:"running"`
}

// keptFile is a config or secret, to be made again.
type keptFile struct {
	Kind   fileKind          `json:"kind"`
	Name   string            `json:"name"`
	Data   []byte            `json:"data"`
	Labels map[string]string `json:"labels"`
}

// restoreArgs are the arguments of the undo.
type restoreArgs struct {
	Stack   string        `json:"stack"`
	Record  journal.Blob  `json:"record"`  // sealed: there are environments in it
	Images  []engine.Kept `json:"images"`  // which no registry has
	Fetched []engine.Kept `json:"fetched"` // which the machines fetch again
	Timeout time.Duration `json:"timeout"`
}

// held are the images that are tagged until the undo.
func (a *restoreArgs) held() []engine.Kept { return slices.Concat(a.Images, a.Fetched) }

// left is what a change has left of a stack: what each service's specification comes to, by name.
type left map[string]string

// leftOf describes services for the check for drift, by fingerprints: there may be weak secrets in environments. Neither the version counts, which the swarm counts up when it only notes
// how an update goes, nor ids of what was made again by another rollback, nor how often a service was restarted.
func leftOf(s *state, prints fingerprint) (left, error) {
	l := left{}
	for _, one := range s.services {
		tree, err := normal(one.Spec, s.names)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(tree)
		if err != nil {
			return nil, fmt.Errorf("service %s: %w", one.Spec.Name, err)
		}
		sum, err := prints("service "+one.Spec.Name, text)
		if err != nil {
			return nil, err
		}
		l[one.Spec.Name] = hex.EncodeToString(sum)
	}
	return l, nil
}

// leaves looks at a stack and describes it for the check for drift.
func leaves(ctx context.Context, e *engine.Client, name string, prints fingerprint) (left, error) {
	s, err := look(ctx, e, name)
	if err != nil {
		return nil, err
	}
	return leftOf(s, prints)
}

// undoTimeout is how long an undo waits at least: somebody who gave a change little time did not mean that the way back is to
// be given up.
const undoTimeout = 5 * time.Minute

// keepStack makes the undo of a change to a stack: touched are the names of the services that it updates or removes, files the
// configs and secrets that it removes.
func keepStack(ctx context.Context, k *runtime.Keeper, name string, touched []string, files []wantedFile, timeout time.Duration) (*restoreArgs, error) {
	e, err := engine.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	s, err := look(ctx, e, name)
	if err != nil {
		return nil, err
	}
	rec := &record{Services: s.services, Networks: s.networks, Names: s.names, Refs: map[string]string{}, Running: map[string]int{}}
	for _, c := range s.configs {
		rec.Configs = append(rec.Configs, c.Spec.Name)
	}
	for _, c := range s.secrets {
		rec.Secrets = append(rec.Secrets, c.Spec.Name)
	}
	for _, f := range files {
		rec.Files = append(rec.Files, keptFile{f.kind, f.name, f.data, f.labels})
	}
	for _, service := range s.services {
		tasks, err := tasksOf(ctx, e, service.ID)
		if err != nil {
			return nil, err
		}
		for _, t := range tasks {
			if t.Status.State == swarm.TaskStateRunning && t.DesiredState == swarm.TaskStateRunning {
				rec.Running[service.Spec.Name]++
			}
		}
	}
	args := &restoreArgs{Stack: name, Timeout: max(timeout, undoTimeout)}
	if err := args.keepImages(ctx, k, e, rec, touched); err != nil {
		return nil, err
	}
	text, err := json.Marshal(rec)
	if err != nil {
		return nil, fmt.Errorf("record the stack: %w", err)
	}
	if args.Record, err = k.Keep(bytes.NewReader(text), true); err != nil {
		return nil, fmt.Errorf("record the stack: %w", err)
	}
	return args, nil
}

// keepImages keeps the images of the tasks on this machine that the change ends. One from a registry is only held: what was
// saved and loaded again would not have the digest by which tasks name it.
func (a *restoreArgs) keepImages(ctx context.Context, k *runtime.Keeper, e *engine.Client, rec *record, touched []string) error {
	list, err := e.ContainerList(ctx, container.ListOptions{Filters: ofStack(a.Stack)})
	if err != nil {
		return fmt.Errorf("list containers: %w", engine.Explain(ctx, err))
	}
	losesDigests, err := classicStore(ctx, e)
	if err != nil {
		return err
	}
	var ids, kept []string
	list = slices.DeleteFunc(list, func(c container.Summary) bool { return !slices.Contains(touched, c.Labels[serviceNameLabel]) })
	for _, c := range list {
		ids = append(ids, c.ID)
	}
	for _, c := range list {
		ref := imageOf(rec.Services, c.Labels[serviceNameLabel])
		named := strings.Contains(ref, "@")
		if ref != "" && !named && rec.Refs[ref] == "" {
			rec.Refs[ref] = c.ImageID
		}
		if slices.Contains(kept, c.ImageID) {
			continue
		}
		kept = append(kept, c.ImageID)
		if named && losesDigests {
			a.Fetched = append(a.Fetched, engine.Kept{ID: c.ImageID})
			continue
		}
		image, err := e.KeepImage(ctx, k, c.ImageID, ids...)
		if err != nil {
			return err
		}
		a.Images = append(a.Images, image)
	}
	return nil
}

// classicStore reports whether the engine keeps images in its own store, in which only what was pulled or pushed has a
// digest. In that of containerd everything has one.
func classicStore(ctx context.Context, e *engine.Client) (bool, error) {
	info, err := e.Info(ctx)
	if err != nil {
		return false, fmt.Errorf("ask the engine about its images: %w", engine.Explain(ctx, err))
	}
	return !slices.ContainsFunc(info.DriverStatus, func(pair [2]string) bool { return strings.Contains(pair[1], "containerd.snapshotter") }), nil
}

func imageOf(list []swarm.Service, name string) string {
	for _, s := range list {
		if s.Spec.Name == name && s.Spec.TaskTemplate.ContainerSpec != nil {
			return s.Spec.TaskTemplate.ContainerSpec.Image
		}
	}
	return ""
}

// restoreDrift says how a stack differs from what a change has left.
func restoreDrift(ctx context.Context, r *runtime.Reader, args restoreArgs, after left) (string, error) {
	e, err := engine.Open(ctx)
	if err != nil {
		return "", err
	}
	defer e.Close()
	now, err := leaves(ctx, e, args.Stack, r.Fingerprint)
	if err != nil {
		return "", err
	}
	return engine.Drift("service", "was changed", after, now), nil
}
