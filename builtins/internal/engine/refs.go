package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"

	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
)

// Refs is to which images names lead before a change, kept so that they can lead there again. It is data, for the
// arguments of an undo.
type Refs struct {
	Refs []RefBefore `json:"refs"`
	// Nameless are the images that had no name: one that the change gives a name was there before, and must stay.
	Nameless []string `json:"nameless,omitempty"`
}

// RefBefore is to which image a name led.
type RefBefore struct {
	Ref    string `json:"ref"`
	Before *Kept  `json:"before,omitempty"` // nil: to none
}

// RefsLeft is the id of the image to which each name leads after a change, "" for none.
type RefsLeft map[string]string

// UndoOfRefs is an undo whose arguments are Refs.
func UndoOfRefs() runtime.UndoKind[Refs, RefsLeft] {
	return runtime.UndoKind[Refs, RefsLeft]{UndoFunc: undoRefs, DriftFunc: refsDrift}
}

// KeepRefs keeps the images to which names lead.
func KeepRefs(ctx context.Context, k *runtime.Keeper, refs ...string) (*Refs, error) {
	e, err := Open(ctx)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	all := &Refs{}
	if all.Nameless, err = e.nameless(ctx); err != nil {
		return nil, err
	}
	for _, ref := range refs {
		before := RefBefore{Ref: ref}
		img, err := e.Image(ctx, ref)
		if err != nil {
			return nil, err
		}
		if img != nil {
			kept, err := e.KeepImage(ctx, k, img.ID)
			if err != nil {
				return nil, err
			}
			before.Before = &kept
		}
		all.Refs = append(all.Refs, before)
	}
	return all, nil
}

// nameless lists the images that no name leads to, by id.
func (c *Client) nameless(ctx context.Context) ([]string, error) {
	list, err := c.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("dangling", "true"))})
	if err != nil {
		return nil, fmt.Errorf("list images: %w", Explain(ctx, err))
	}
	ids := make([]string, len(list))
	for i, img := range list {
		ids[i] = img.ID
	}
	return ids, nil
}

// Images lists the images that there were.
func (r *Refs) Images() []Kept {
	var all []Kept
	for _, ref := range r.Refs {
		if ref.Before != nil {
			all = append(all, *ref.Before)
		}
	}
	return all
}

// Note says what the undo of one name does.
func (r RefBefore) Note() string {
	if r.Before == nil {
		return "takes the tag away"
	}
	return "has the tag lead to image " + imageref.Short(r.Before.ID) + " again"
}

// Same reports whether the name still leads, or leads again, to the same image.
func (r RefBefore) Same(now RefsLeft) bool {
	if r.Before == nil {
		return now[r.Ref] == ""
	}
	return now[r.Ref] == r.Before.ID
}

// Lead says to which images names lead now.
func (c *Client) Lead(ctx context.Context, r *Refs) (RefsLeft, error) {
	now := RefsLeft{}
	for _, ref := range r.Refs {
		img, err := c.Image(ctx, ref.Ref)
		if err != nil {
			return nil, err
		}
		now[ref.Ref] = ""
		if img != nil {
			now[ref.Ref] = img.ID
		}
	}
	return now, nil
}

// refsDrift says how names differ from what a change has left.
func refsDrift(ctx context.Context, _ *runtime.Reader, args Refs, after RefsLeft) (string, error) {
	e, err := Open(ctx)
	if err != nil {
		return "", err
	}
	defer e.Close()
	now, err := e.Lead(ctx, &args)
	if err != nil {
		return "", err
	}
	var lost []string
	for _, ref := range slices.Sorted(maps.Keys(now)) {
		id, known := after[ref]
		switch {
		case !known || now[ref] == id:
		case now[ref] == "":
			lost = append(lost, fmt.Sprintf("image %s is gone", ref))
		default:
			lost = append(lost, fmt.Sprintf("%s leads to another image, %s", ref, imageref.Short(now[ref])))
		}
	}
	return strings.Join(lost, ", "), nil
}
