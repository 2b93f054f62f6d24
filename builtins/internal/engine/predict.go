package engine

import (
	"context"
	"slices"
	"sync"

	"github.com/docker/docker/api/types/image"

	"github.com/infrarun/infrarun/runtime"
)

// Images is what a preview predicts of references to images, for all families that use the engine. It is safe for
// concurrent use.
type Images struct {
	mu    sync.Mutex
	known map[string]predictedImage
}

type predictedImage struct {
	id string // of an image that is there already; "" for one that will be made or brought
	by string // the builtin that brings it; "" if the reference leads nowhere
}

// PredictedImages returns the predictions of a preview; in a run there are none.
func PredictedImages(w *runtime.World) *Images {
	return runtime.Overlay(w, "docker.images", func() *Images { return &Images{known: map[string]predictedImage{}} })
}

func (p *Images) set(ref string, to predictedImage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[ref] = to
}

// Bring predicts that a builtin, such as docker.build, gives a reference to an image that nobody has seen yet.
func (p *Images) Bring(ref, by string) { p.set(ref, predictedImage{by: by}) }

// Tag predicts that a reference leads to an image that is there, by its id, or to one that will be brought: then id is "".
func (p *Images) Tag(ref, id, by string) { p.set(ref, predictedImage{id, by}) }

// Remove predicts that a reference leads nowhere.
func (p *Images) Remove(ref string) { p.set(ref, predictedImage{}) }

// Names returns the names of an image by then, of those that it has.
func (p *Images) Names(id string, has []string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := slices.DeleteFunc(slices.Clone(has), func(ref string) bool {
		to, predicted := p.known[ref]
		return predicted && to.id != id
	})
	for ref, to := range p.known {
		if to.id == id && !slices.Contains(names, ref) {
			names = append(names, ref)
		}
	}
	return names
}

// SeenImage is an image as a recipe sees it.
type SeenImage struct {
	*image.InspectResponse        // nil if there is none, or it is predicted
	Predicted              bool   // it will be made or brought
	By                     string // by which builtin
}

// There reports whether the reference leads to an image.
func (s SeenImage) There() bool { return s.Predicted || s.InspectResponse != nil }

// SeeImage looks at an image, through what a preview predicts. Ref is as docker shows it, with its tag.
func (c *Client) SeeImage(ctx context.Context, r *runtime.Reader, ref string) (SeenImage, error) {
	at := ref
	if r.Preview() {
		images := PredictedImages(r.World())
		images.mu.Lock()
		p, ok := images.known[ref]
		images.mu.Unlock()
		if ok && p.id == "" {
			return SeenImage{Predicted: p.by != "", By: p.by}, nil
		} else if ok {
			at = p.id
		}
	}
	img, err := c.Image(ctx, at)
	return SeenImage{InspectResponse: img}, err
}
