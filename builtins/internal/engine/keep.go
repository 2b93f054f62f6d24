package engine

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/journal"
)

// Kept is an image that an undo needs. It is data, for the arguments of an undo.
type Kept struct {
	ID    string        `json:"id"`              // sha256:…
	Saved *journal.Blob `json:"saved,omitempty"` // its content; nil if what uses it keeps it
}

// keepRepository holds the tags of kept images: infrarun/keep:<sign of the run>.<first digits of the id>.
const keepRepository = "infrarun/keep"

// keepTag is the reference under which a run holds an image.
func keepTag(sign, id string) string {
	digits := strings.TrimPrefix(id, "sha256:")
	return fmt.Sprintf("%s:%s.%s", keepRepository, sign, digits[:min(12, len(digits))])
}

var keepTagPattern = regexp.MustCompile(`^(?:docker\.io/)?` + keepRepository + `:([0-9]{8}-[0-9]{6}-[0-9]{3}(?:\.[0-9a-f]{8})?)\.[0-9a-f]+$`)

// KeptBy returns the sign of the run that holds an image by this reference, "" if it is none of a run.
func KeptBy(ref string) string {
	if m := keepTagPattern.FindStringSubmatch(ref); m != nil {
		return m[1]
	}
	return ""
}

// saved remembers which images a run has saved already, and which containers it has stopped, or is about to.
type saved struct {
	mu    sync.Mutex
	blobs map[string]journal.Blob
	stops map[string]bool
}

func noneSaved() *saved {
	return &saved{blobs: map[string]journal.Blob{}, stops: map[string]bool{}}
}

// keeps reports whether one of the containers runs, and goes on running as far as the run knows: changes that are made side
// by side may stop one each.
func (s *saved) keeps(users []container.Summary) bool {
	return slices.ContainsFunc(users, func(u container.Summary) bool {
		return u.State == container.StateRunning && !s.stops[u.ID]
	})
}

// KeepImage makes sure that an undo can have an image again, and returns how. What stops, or takes away, a container that
// runs the image says so with stops: the ids of those containers. The image is saved unless another
// container that runs keeps it. See the package comment.
//
// An image that is gone already cannot be kept: then what was made from it can be kept only as it is.
//
// It only reads from the engine; the tag that holds the image as well is set by [Writer.Hold].
func (c *Client) KeepImage(ctx context.Context, k *runtime.Keeper, id string, stops ...string) (Kept, error) {
	kept := Kept{ID: id}
	done := runtime.Overlay(k.World(), "docker.saved", noneSaved)
	done.mu.Lock()
	defer done.mu.Unlock()
	for _, stopped := range stops {
		done.stops[stopped] = true
	}
	users, err := c.Users(ctx, id)
	if err != nil || done.keeps(users) {
		return kept, err
	}
	img, err := c.Image(ctx, id)
	if err != nil || img == nil {
		return kept, err
	}
	if blob, ok := done.blobs[id]; ok {
		kept.Saved = &blob
		return kept, nil
	}
	// Others live on that disk as well: it must not be full before it is known that there is not enough of it.
	if err := filesys.CheckRoom(k.StateDir(), img.Size); err != nil {
		return kept, fmt.Errorf("save image %s, which a rollback needs: %w", id, err)
	}
	blob, err := c.save(ctx, k, id)
	if err != nil {
		return kept, fmt.Errorf("save image %s, which a rollback needs: %w", id, Explain(ctx, err))
	}
	done.blobs[id] = blob
	kept.Saved = &blob
	return kept, nil
}

// save saves an image to the run's directory.
func (c *Client) save(ctx context.Context, k *runtime.Keeper, id string) (journal.Blob, error) {
	content, err := c.ImageSave(ctx, []string{id})
	if err != nil {
		return journal.Blob{}, err
	}
	whole := newWholeArchive(content)
	defer whole.Close()
	blob, err := k.Keep(whole, false)
	return blob, errors.Join(err, content.Close())
}

// anyRuns reports whether one of the containers runs.
func anyRuns(list []container.Summary) bool {
	for _, c := range list {
		if c.State == container.StateRunning {
			return true
		}
	}
	return false
}
