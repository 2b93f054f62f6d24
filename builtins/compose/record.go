package compose

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/fileundo"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/journal"
)

// record is a project as it was before a change: all that it takes to make its containers again, by whatever they were
// made and from whatever file.
type record struct {
	Containers []container.InspectResponse `json:"containers"`
	Networks   []network.Inspect           `json:"networks"`
	Volumes    []string                    `json:"volumes"` // all that the engine has, of whatever project
	// Refs are the names of the containers' images and to which image they led, "" for none.
	Refs map[string]string `json:"refs"`
	// Copied is what Compose has copied into the containers, by their ids.
	Copied map[string][]copiedFile `json:"copied,omitempty"`
}

// restoreArgs are the arguments of the undo.
type restoreArgs struct {
	Project string           `json:"project"`
	Record  journal.Blob     `json:"record"` // sealed: there are environments in it
	Images  []engine.Kept    `json:"images"`
	Files   fileundo.Records `json:"files,omitempty"`
}

// left is what a change has left of a project: its containers' ids by name.
type left map[string]string

// leftOf describes containers for the check for drift.
func leftOf(running []replica) left {
	l := left{}
	for _, r := range running {
		l[r.name()] = imageref.Short(engine.Origin(r.InspectResponse))
	}
	return l
}

// recordOf looks at all that belongs to a project.
func recordOf(ctx context.Context, e *engine.Client, project string, running []replica) (*record, error) {
	rec := &record{Refs: map[string]string{}, Copied: map[string][]copiedFile{}}
	for _, r := range running {
		rec.Containers = append(rec.Containers, r.InspectResponse)
		files, err := copiedInto(ctx, e, r.InspectResponse)
		if err != nil {
			return nil, err
		}
		if len(files) > 0 {
			rec.Copied[r.ID] = files
		}
		ref := r.Config.Image
		if _, done := rec.Refs[ref]; done {
			continue
		}
		img, err := e.Image(ctx, ref)
		if err != nil {
			return nil, err
		}
		rec.Refs[ref] = ""
		if img != nil {
			rec.Refs[ref] = img.ID
		}
	}
	networks, err := networksOf(ctx, e, project)
	if err != nil {
		return nil, err
	}
	rec.Networks = networks
	rec.Volumes, err = volumeNames(ctx, e, nil)
	return rec, err
}

// networksOf returns the networks that Compose made for a project.
func networksOf(ctx context.Context, e *engine.Client, project string) ([]network.Inspect, error) {
	list, err := e.NetworkList(ctx, network.ListOptions{Filters: ofProject(project)})
	if err != nil {
		return nil, fmt.Errorf("list networks: %w", engine.Explain(ctx, err))
	}
	return list, nil
}

// volumeNames lists volumes, nil filters for all.
func volumeNames(ctx context.Context, e *engine.Client, of *filters.Args) ([]string, error) {
	options := volume.ListOptions{}
	if of != nil {
		options.Filters = *of
	}
	list, err := e.VolumeList(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("list volumes: %w", engine.Explain(ctx, err))
	}
	names := make([]string, len(list.Volumes))
	for i, v := range list.Volumes {
		names[i] = v.Name
	}
	slices.Sort(names)
	return names, nil
}

func ofProject(project string) filters.Args {
	return filters.NewArgs(filters.Arg("label", projectLabel+"="+project))
}

// keepProject makes the undo of a change to a project: touched are the containers that it stops, removes or starts.
func keepProject(ctx context.Context, k *runtime.Keeper, project string, touched []string) (*restoreArgs, error) {
	e, err := engine.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	running, err := inspect(ctx, e, project)
	if err != nil {
		return nil, err
	}
	rec, err := recordOf(ctx, e, project, running)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(rec)
	if err != nil {
		return nil, fmt.Errorf("record the project: %w", err)
	}
	args := &restoreArgs{Project: project}
	if args.Record, err = k.Keep(bytes.NewReader(text), true); err != nil {
		return nil, fmt.Errorf("record the project: %w", err)
	}
	var kept []string
	for _, r := range running {
		if !slices.Contains(touched, r.ID) || slices.Contains(kept, r.Image) {
			continue
		}
		kept = append(kept, r.Image)
		image, err := e.KeepImage(ctx, k, r.Image, touched...)
		if err != nil {
			return nil, err
		}
		args.Images = append(args.Images, image)
	}
	return args, nil
}

// openRecord reads what was recorded.
func openRecord(w *runtime.Writer, args restoreArgs) (*record, error) {
	content, err := w.Open(args.Record)
	if err != nil {
		return nil, fmt.Errorf("read the record of project %s: %w", args.Project, err)
	}
	defer content.Close()
	rec := &record{}
	if err := json.NewDecoder(content).Decode(rec); err != nil {
		return nil, fmt.Errorf("read the record of project %s: %w", args.Project, err)
	}
	return rec, nil
}

// restoreDrift says how a project differs from what a change has left.
func restoreDrift(ctx context.Context, _ *runtime.Reader, args restoreArgs, after left) (string, error) {
	e, err := engine.Open(ctx)
	if err != nil {
		return "", err
	}
	defer e.Close()
	running, err := inspect(ctx, e, args.Project)
	if err != nil {
		return "", err
	}
	return engine.Drift("container", "is another one", after, leftOf(running)), nil
}
