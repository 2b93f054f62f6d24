package docker

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
)

// find finds what was set aside and is not needed any more, and returns the ids of the images that others use.
func (p *prune) find(ctx context.Context, e *engine.Client, needed func(sign string) bool) (used map[string]bool, err error) {
	containers, err := e.Containers(ctx, nil)
	used = map[string]bool{}
	for _, c := range containers {
		if name := engine.NameOf(c); !needed(keptRun(name)) && atRest(c) {
			p.containers = append(p.containers, name)
			continue
		}
		used[c.ImageID] = true
	}
	return used, err
}

// atRest reports whether a container does nothing. One that was set aside may have been started by somebody who needed it.
func atRest(c container.Summary) bool {
	return slices.Contains([]container.ContainerState{container.StateCreated, container.StateExited, container.StateDead}, c.State)
}

// seenImage is what an image tells of its age.
type seenImage struct {
	made   time.Time
	needed time.Time // when it was made, or was given a name last: one from a registry may have been made long ago, or in 1970
}

// newestFirst sorts images by when they were made. A list of the engine's has only seconds of that.
func newestFirst(ctx context.Context, e *engine.Client, all []image.Summary) (map[string]seenImage, error) {
	seen := map[string]seenImage{}
	for _, img := range all {
		found, err := e.Image(ctx, img.ID)
		if err != nil {
			return nil, err
		}
		if found == nil {
			continue
		}
		made, _ := time.Parse(time.RFC3339Nano, found.Created) // else it is the oldest
		one := seenImage{made: made, needed: made}
		if named := found.Metadata.LastTagTime; named.After(made) {
			one.needed = named
		}
		seen[img.ID] = one
	}
	sortByAge(all, seen)
	return seen, nil
}

// sortByAge sorts images, the newest first. Those that are built so that they come out the same everywhere were all made in
// 1970, or 1980: of them those that were given a name last are the newest.
func sortByAge(all []image.Summary, seen map[string]seenImage) {
	slices.SortStableFunc(all, func(a, b image.Summary) int {
		return cmp.Or(seen[b.ID].made.Compare(seen[a.ID].made), seen[b.ID].needed.Compare(seen[a.ID].needed))
	})
}

// choose returns what is removed of all images, which are sorted.
func (p *prune) choose(all []image.Summary, used map[string]bool, needed func(sign string) bool, now time.Time) []string {
	var chosen []string
	kept := map[string]int{}
	for _, img := range all {
		free := !used[img.ID]
		for _, tag := range img.RepoTags {
			if sign := engine.KeptBy(tag); sign != "" && needed(sign) {
				free = false
			}
		}
		for _, tag := range img.RepoTags {
			ref, err := imageref.Parse(tag)
			switch {
			case err != nil:
				continue
			case engine.KeptBy(tag) != "":
				if !needed(engine.KeptBy(tag)) {
					chosen = append(chosen, tag)
				}
				continue
			case !slices.Contains(p.repos, ref.Repo):
				continue
			}
			if kept[ref.Repo]++; kept[ref.Repo] > p.args.Keep && free {
				chosen = append(chosen, tag)
			}
		}
		named := slices.ContainsFunc(img.RepoTags, func(tag string) bool { return tag != "<none>:<none>" })
		if !named && free && p.args.Nameless && p.matches(img, now) {
			chosen = append(chosen, img.ID)
		}
	}
	return chosen
}

// matches reports whether an image without a name is one of those that are meant.
func (p *prune) matches(img image.Summary, now time.Time) bool {
	for name, want := range p.args.Labels {
		if value, ok := img.Labels[name]; !ok || want != "" && value != want {
			return false
		}
	}
	seen, ok := p.seen[img.ID]
	return ok && now.Sub(seen.needed) >= p.args.OlderThan.Duration
}
