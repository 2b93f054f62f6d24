package stack

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// localLabel is on the containers of an image that is in no registry, with its id: another content of the same name makes
// other tasks.
const localLabel = "io.infrarun.stack.image"

// resolver finds out which content an image has.
type resolver struct {
	engine *engine.Client
	reader *runtime.Reader
	auth   string                     // for registries, encoded; "" for none
	need   func(...policy.Need) error // asked before a registry is
	done   map[string]resolved
}

// resolved is an image as the tasks of a service name it.
type resolved struct {
	ref   string // with a digest where a registry has it
	local string // the id of one that no registry has
	by    string // the builtin that will bring it, in a preview
}

// resolve names the content of an image: all machines run the same, and a rollback fetches it again. An image that was
// built here and pushed nowhere stays without a digest; then every machine needs it already.
func (r *resolver) resolve(ctx context.Context, w wantedService) (resolved, error) {
	if known, ok := r.done[w.image]; ok {
		return known, nil
	}
	found, err := r.find(ctx, w)
	if err == nil {
		r.done[w.image] = found
	}
	return found, err
}

func (r *resolver) find(ctx context.Context, w wantedService) (resolved, error) {
	name, err := imageref.Parse(w.image)
	if err != nil {
		return resolved{}, fmt.Errorf("%s: service %s: image: %w", w.place, w.key, err)
	}
	if name.HasDigest() {
		return resolved{ref: w.image}, nil
	}
	img, err := r.engine.SeeImage(ctx, r.reader, w.image)
	switch {
	case err != nil:
		return resolved{}, err
	case img.Predicted:
		return resolved{ref: w.image, by: img.By}, nil
	case img.InspectResponse != nil:
		for _, digest := range img.RepoDigests {
			if repo, sum, _ := strings.Cut(digest, "@"); repo == name.Repo {
				return resolved{ref: w.image + "@" + sum}, nil
			}
		}
		return resolved{ref: w.image, local: img.ID}, nil
	}
	if err := r.need(name.NeedRegistry()); err != nil {
		return resolved{}, fmt.Errorf("%s: service %s: image %s is not on this machine: %w", w.place, w.key, w.image, err)
	}
	there, err := r.engine.DistributionInspect(ctx, w.image, r.auth)
	if err != nil {
		return resolved{}, fmt.Errorf("%s: service %s: image %s is not on this machine, and its registry does not tell of it: %w",
			w.place, w.key, w.image, engine.Explain(ctx, err))
	}
	if there.Descriptor.Digest == "" {
		return resolved{}, errors.New("the registry gives no digest for image " + w.image)
	}
	return resolved{ref: w.image + "@" + there.Descriptor.Digest.String()}, nil
}
