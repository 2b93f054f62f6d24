package compose

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/builtins/internal/engine"
)

// makeAgain makes a lost container. It returns "" for one that this change did not touch and whose image is gone, too:
// somebody else removed both.
func (u *restorer) makeAgain(ctx context.Context, was container.InspectResponse) (string, error) {
	img, err := u.Image(ctx, was.Image)
	if err != nil {
		return "", err
	}
	if img == nil {
		i := slices.IndexFunc(u.args.Images, func(k engine.Kept) bool { return k.ID == was.Image })
		if i < 0 {
			u.Run.Warn("container %s, which was %s, and its image have been removed by somebody else", nameOf(was), was.State.Status)
			return "", nil
		}
		if err := u.Restore(ctx, u.args.Images[i]); err != nil {
			return "", err
		}
	}
	done, err := u.lendRef(ctx, was)
	if err != nil {
		return "", err
	}
	defer done()
	c := again(was, u.now)
	answer, err := u.API.ContainerCreate(ctx, c.config, c.host, c.network, nil, nameOf(was))
	if err != nil {
		return "", fmt.Errorf("make it again: %w", engine.Explain(ctx, err))
	}
	return answer.ID, nil
}

// lendRef has the name of a container's image lead to that image while the container is made, so that it has the image
// under its name; the function it returns has it lead again to where it led.
func (u *restorer) lendRef(ctx context.Context, was container.InspectResponse) (func(), error) {
	ref := was.Config.Image
	img, err := u.Image(ctx, ref)
	if err != nil || img != nil && img.ID == was.Image {
		return func() {}, err
	}
	if isID(ref) {
		return func() {}, nil
	}
	if err := u.Tag(ctx, was.Image, ref); err != nil {
		return func() {}, err
	}
	return func() {
		if img != nil {
			_ = u.Tag(ctx, img.ID, ref) // else restoreRef does, or says why it cannot
		}
	}, nil
}

func isID(ref string) bool { return strings.HasPrefix(ref, "sha256:") || strings.Contains(ref, "@") }

// restoreRef has the name of an image lead to where it led, as far as that image is here: somebody else may have cleaned
// up, or the change may have come to a name of an image that it did not need.
func (u *restorer) restoreRef(ctx context.Context, ref string) error {
	id := u.rec.Refs[ref]
	if id == "" || isID(ref) {
		return nil
	}
	now, err := u.Image(ctx, ref)
	if err != nil || now != nil && now.ID == id {
		return err
	}
	if img, err := u.Image(ctx, id); err != nil || img == nil {
		return err
	}
	return u.Tag(ctx, id, ref)
}
