package docker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/image"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/dockerpolicy"
	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
)

type pruneArgs struct {
	Images   runtime.Strings `arg:"images" default:"" doc:"names of images without a tag, such as registry.example:5000/app, whose old tags are removed"`
	Keep     int             `arg:"keep" default:"3" doc:"how many tags of each name stay, the newest images"`
	Nameless bool            `arg:"nameless" default:"false" doc:"whether images without any name are removed, such as those left by builds"`
}

var pruneBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.prune", Undo: runtime.NoUndo, Returns: "struct(images, containers): what was removed, by name",
	Permission: "`docker` on image:NAME:TAG of what is removed, on prune for nameless",
	Doc: "Removes old images, and what earlier runs have set aside for an undo that can no longer be asked for. What a container " +
		"uses stays, whether it runs or not, and so does what the undo of any run needs whose record is still there. Nothing " +
		"undoes it.",
	Example: `docker.prune(images = ["app"], keep = 3)`,
}, func(c *runtime.Call, a pruneArgs) (starlark.Value, error) {
	if a.Keep < 1 {
		return nil, fmt.Errorf("keep is %d, want 1 or more", a.Keep)
	}
	p := &prune{args: a}
	for _, name := range a.Images {
		ref, err := parseRef(name)
		if err != nil {
			return nil, err
		}
		if ref.repo != name && !strings.HasSuffix(name, "/"+ref.repo) {
			return nil, fmt.Errorf("images: %q: give the name without a tag, %s", name, ref.repo)
		}
		p.repos = append(p.repos, ref.repo)
	}
	return c.Do(p)
})

// prune is the change that removes what is not needed.
type prune struct {
	args  pruneArgs
	repos []string

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
		runs := filepath.Join(filepath.Dir(r.Cache()), "runs")
		needed := func(run string) bool { return run == "" || undoable(runs, run) }
		used, err := p.find(ctx, e, needed)
		if err != nil {
			return found, err
		}
		all, err := e.ImageList(ctx, image.ListOptions{})
		if err != nil {
			return found, fmt.Errorf("list images: %w", engine.Explain(ctx, err))
		}
		if err := newestFirst(ctx, e, all); err != nil {
			return found, err
		}
		p.images = p.choose(all, used, needed)
		found.Needed = len(p.images)+len(p.containers) > 0
		found.Summary = "nothing is old"
		if found.Needed {
			found.Summary = "remove " + strings.Join(slices.Concat(p.images, p.containers), ", ")
		}
		return found, nil
	})
}

// undoable reports whether a run can still be undone: it has its journal.
func undoable(runs, run string) bool {
	_, err := os.Stat(filepath.Join(runs, run, "journal"))
	return err == nil
}

// find finds what was set aside and is not needed any more, and returns the ids of the images that others use.
func (p *prune) find(ctx context.Context, e *engine.Client, needed func(run string) bool) (used map[string]bool, err error) {
	containers, err := e.Containers(ctx, nil)
	used = map[string]bool{}
	for _, c := range containers {
		if name := engine.NameOf(c); !needed(keptRun(name)) {
			p.containers = append(p.containers, name)
			continue
		}
		used[c.ImageID] = true
	}
	return used, err
}

// newestFirst sorts images by when they were made. A list of the engine's has only seconds of that.
func newestFirst(ctx context.Context, e *engine.Client, all []image.Summary) error {
	made := map[string]string{}
	for _, img := range all {
		found, err := e.Image(ctx, img.ID)
		if err != nil {
			return err
		}
		if found == nil {
			continue
		}
		if t, err := time.Parse(time.RFC3339Nano, found.Created); err == nil {
			made[img.ID] = t.UTC().Format("2006-01-02T15:04:05.000000000")
		}
	}
	slices.SortStableFunc(all, func(a, b image.Summary) int { return strings.Compare(made[b.ID], made[a.ID]) })
	return nil
}

// choose returns what is removed of all images, which are sorted.
func (p *prune) choose(all []image.Summary, used map[string]bool, needed func(run string) bool) []string {
	var chosen []string
	kept := map[string]int{}
	for _, img := range all {
		free := !used[img.ID]
		for _, tag := range img.RepoTags {
			if run := engine.KeptBy(tag); run != "" && needed(run) {
				free = false
			}
		}
		for _, tag := range img.RepoTags {
			ref, err := parseRef(tag)
			switch {
			case err != nil:
				continue
			case engine.KeptBy(tag) != "":
				if !needed(engine.KeptBy(tag)) {
					chosen = append(chosen, tag)
				}
				continue
			case !slices.Contains(p.repos, ref.repo):
				continue
			}
			if kept[ref.repo]++; kept[ref.repo] > p.args.Keep && free {
				chosen = append(chosen, tag)
			}
		}
		if named := slices.ContainsFunc(img.RepoTags, func(tag string) bool { return tag != "<none>:<none>" }); !named && free && p.args.Nameless {
			chosen = append(chosen, img.ID)
		}
	}
	return chosen
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
	return pruned(p.images, p.containers), nil
}
