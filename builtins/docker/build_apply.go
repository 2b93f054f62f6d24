package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strings"

	api "github.com/docker/docker/api/types/build"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/builtins/internal/lines"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

const (
	// buildLabel has the hash of what an image was built from, except base images.
	buildLabel = "infrarun.build"
	// basesLabel has the ids of the base images, by name.
	basesLabel = "infrarun.bases"
)

// digestOf returns a hash of what the image is built from.
func (b *build) digestOf(ctx context.Context) (string, error) {
	content, err := b.context.digest(ctx)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal([]any{content, b.context.dockerfile, b.args.Args, b.args.Target, b.args.Labels})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// differs says why an image has to be built anew, "" if it has not. A base image that is not here any more is no reason:
// others clean up.
func (b *build) differs(ctx context.Context, e *engine.Client, r *runtime.Reader, now engine.SeenImage) (string, error) {
	if now.Config == nil || now.Config.Labels[buildLabel] == "" {
		return "the image of that name was not built by docker.build", nil
	}
	if now.Config.Labels[buildLabel] != b.digest {
		return "the files or arguments have changed", nil
	}
	var from map[string]string
	if err := json.Unmarshal([]byte(now.Config.Labels[basesLabel]), &from); err != nil {
		return "its label is damaged", nil
	}
	for _, name := range b.bases {
		img, err := e.SeeImage(ctx, r, name)
		if err != nil {
			return "", err
		}
		if img.Predicted || img.InspectResponse != nil && img.ID != from[name] {
			return "base image " + name + " has changed", nil
		}
	}
	return "", nil
}

// Apply implements [runtime.Change].
func (b *build) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	return brings(ctx, w, b.before, func(x *engine.Writer) error {
		labels, err := b.labels(ctx, x)
		if err != nil {
			return err
		}
		pack, send := io.Pipe()
		go func() { send.CloseWithError(b.context.write(ctx, send)) }()
		defer pack.Close()
		args := map[string]*string{}
		for name, value := range b.args.Args {
			args[name] = &value
		}
		sent := &watched{Reader: pack, w: w, bar: events.Bar{What: "send " + b.dir, Unit: "bytes"}}
		answer, err := x.API.ImageBuild(ctx, sent, api.ImageBuildOptions{
			Version: api.BuilderV1, Tags: []string{b.ref}, Dockerfile: b.context.dockerfile, Target: b.args.Target,
			BuildArgs: args, Labels: labels, Remove: true, ForceRemove: true,
		})
		if err != nil {
			return engine.Explain(ctx, err)
		}
		shown := printed(w)
		defer shown.Flush()
		return engine.Follow(ctx, answer.Body, func(m engine.Message) { _, _ = io.WriteString(shown, m.Stream) })
	})
}

// labels brings the base images, and returns the labels that say from what the image is built.
func (b *build) labels(ctx context.Context, x *engine.Writer) (map[string]string, error) {
	from := map[string]string{}
	for _, name := range b.bases {
		img, err := x.Image(ctx, name)
		if err == nil && img == nil {
			if err = b.pullBase(ctx, x, name); err == nil {
				img, err = x.Image(ctx, name)
			}
		}
		if err != nil {
			return nil, err
		}
		if img != nil {
			from[name] = img.ID
		}
	}
	text, err := json.Marshal(from)
	if err != nil {
		return nil, err
	}
	labels := map[string]string{buildLabel: b.digest, basesLabel: string(text)}
	maps.Copy(labels, b.args.Labels)
	return labels, nil
}

func (b *build) pullBase(ctx context.Context, x *engine.Writer, name string) error {
	ref, err := imageref.Parse(name)
	if err != nil {
		return err
	}
	auth, err := encoded(b.authFor(ref))
	if err != nil {
		return err
	}
	if err := x.Pull(ctx, name, auth); err != nil {
		return fmt.Errorf("bring base image %s: %w", name, err)
	}
	return nil
}

// printed shows what a build prints.
func printed(w *runtime.Writer) *lines.Splitter {
	return &lines.Splitter{Emit: func(line string) {
		if line = strings.TrimRight(line, " "); line != "" {
			w.Output("stdout", line)
		}
	}}
}
