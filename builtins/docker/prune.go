package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/image"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/dockerpolicy"
	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
)

type pruneArgs struct {
	Images    runtime.Strings   `arg:"images" default:"" doc:"names of images without a tag, such as registry.example:5000/app, whose old tags are removed"`
	Keep      int               `arg:"keep" default:"3" doc:"how many tags of each name stay, the newest images"`
	Nameless  bool              `arg:"nameless" default:"false" doc:"whether images without any name are removed, such as those left by builds, by whomever"`
	OlderThan runtime.Seconds   `arg:"older_than" default:"" doc:"of images without any name only those that were made, or had a name last, more than so many seconds ago"`
	Labels    runtime.StringMap `arg:"labels" default:"" doc:"of images without any name only those with all of these labels; the value \"\" is any"`
}

var pruneBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.prune", Undo: runtime.NoUndo, Returns: "struct(images, containers): what was removed, by name",
	Permission: "`docker` on image:NAME:TAG of what is removed, on prune for nameless",
	Doc: "Removes old images, and what earlier runs have set aside for an undo that can no longer be asked for. What a container " +
		"uses stays, whether it runs or not, and so does what the undo of any run needs whose record is still there. What runs " +
		"of another state directory have set aside stays as well: only a prune with that one knows whether they need it. Nothing " +
		"undoes it.",
	Example: `docker.prune(images = ["app"], keep = 3)`,
}, func(c *runtime.Call, a pruneArgs) (starlark.Value, error) {
	if a.Keep < 1 {
		return nil, fmt.Errorf("keep is %d, want 1 or more", a.Keep)
	}
	if !a.Nameless && (a.OlderThan.Duration > 0 || len(a.Labels) > 0) {
		return nil, errors.New("older_than and labels say which images without a name are removed: they need nameless = True")
	}
	p := &prune{args: a}
	for _, name := range a.Images {
		ref, err := imageref.Parse(name)
		if err != nil {
			return nil, err
		}
		if ref.Repo != name && !strings.HasSuffix(name, "/"+ref.Repo) {
			return nil, fmt.Errorf("images: %q: give the name without a tag, %s", name, ref.Repo)
		}
		p.repos = append(p.repos, ref.Repo)
	}
	return c.Do(p)
})

// prune is the change that removes what is not needed.
type prune struct {
	args  pruneArgs
	repos []string
	seen  map[string]seenImage // by id

	images     []string // references, or ids of images without one
	containers []string // that were set aside
}

// Describe implements [runtime.Change].
func (p *prune) Describe() runtime.Description {
	d := runtime.Description{Call: "docker.prune", Target: strings.Join(p.repos, ", "), Undo: runtime.NoUndo}
	if len(p.repos) == 0 {
		d.Target = "what is not needed"
	}
	for _, repo := range p.repos {
		d.Needs = append(d.Needs, needImage(repo+":*"))
	}
	if p.args.Nameless {
		d.Needs = append(d.Needs, dockerpolicy.Need("prune", ""))
	}
	return d
}

// Probe implements [runtime.Change].
func (p *prune) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	return looking(ctx, r, func(e *engine.Client) (runtime.Finding, error) {
		found := runtime.Finding{Value: pruned(nil, nil)}
		needed := func(sign string) bool { return sign == "" || r.Undoable(sign) }
		used, err := p.find(ctx, e, needed)
		if err != nil {
			return found, err
		}
		all, err := e.ImageList(ctx, image.ListOptions{})
		if err != nil {
			return found, fmt.Errorf("list images: %w", engine.Explain(ctx, err))
		}
		if p.seen, err = newestFirst(ctx, e, all); err != nil {
			return found, err
		}
		p.images = p.choose(all, used, needed, time.Now())
		found.Needed = len(p.images)+len(p.containers) > 0
		found.Summary = "nothing is old"
		if found.Needed {
			found.Summary = "remove " + strings.Join(slices.Concat(p.images, p.containers), ", ")
		}
		return found, nil
	})
}

// Undo implements [runtime.Change].
func (p *prune) Undo(context.Context, *runtime.Keeper) (*runtime.Undo, error) { return nil, nil }

// Apply implements [runtime.Change].
func (p *prune) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := newControl(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer x.Close()
	for _, name := range p.containers {
		if err := x.remove(ctx, name); err != nil {
			return runtime.Applied{}, err
		}
	}
	for _, ref := range p.images {
		if engine.KeptBy(ref) != "" {
			err = x.untagKept(ctx, ref)
		} else {
			err = x.RemoveImage(ctx, ref, false)
		}
		if err != nil {
			return runtime.Applied{}, err
		}
	}
	return runtime.Applied{Value: pruned(p.images, p.containers)}, nil
}

// untagKept takes away the tag by which a run that is gone held an image, and the image with it unless something uses it.
func (x *control) untagKept(ctx context.Context, ref string) error {
	img, err := x.Image(ctx, ref)
	if err != nil || img == nil {
		return err
	}
	users, err := x.Users(ctx, img.ID)
	if err != nil || len(users) > 0 && len(img.RepoTags) < 2 {
		return err // its only name stays with it
	}
	return x.RemoveImage(ctx, ref, false)
}

func pruned(images, containers []string) starlark.Value {
	return structOf(starlark.StringDict{"images": listOf(images), "containers": listOf(containers)})
}

// Predict implements [runtime.Change].
func (p *prune) Predict(w *runtime.World) (starlark.Value, error) {
	for _, ref := range p.images {
		engine.PredictedImages(w).Remove(ref)
	}
	o := overlayOf(w)
	for _, name := range p.containers {
		predict(o, o.containers, name, predictedContainer{gone: true})
	}
	return pruned(p.images, p.containers), nil
}
