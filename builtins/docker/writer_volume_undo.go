package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/docker/docker/api/types/volume"

	"github.com/infrarun/infrarun/builtins/internal/engine"
)

// refill makes a volume that is gone again, and has it hold what it held.
func (x *control) refill(ctx context.Context, args volumeUndo) error {
	v, err := x.Volume(ctx, args.Name)
	if err != nil {
		return err
	}
	if args.Elsewhere {
		if v != nil {
			return nil
		}
		return x.volumeAgain(ctx, args)
	}
	if _, err := os.Stat(args.Saved); errors.Is(err, fs.ErrNotExist) {
		return nil // the change had not begun, or has been undone
	} else if err != nil {
		return err
	}
	if v == nil {
		if err := markRemoved(args.Saved); err != nil {
			return err
		}
		if err := x.volumeAgain(ctx, args); err != nil {
			return err
		}
	} else if args.Removes && !wasRemoved(args.Saved) {
		return nil // it is the one that there was: it holds what somebody may have written since
	}
	users, err := volumeUsers(ctx, x.Client, args.Name)
	if err != nil {
		return err
	}
	if names := namesOf(users, runs); len(names) > 0 {
		return fmt.Errorf("put back what volume %s held: containers that run have it: %s; stop them, and `infrarun rollback` goes on",
			args.Name, strings.Join(names, ", "))
	}
	if err := x.fillVolume(ctx, args.Name, args.Saved, args.Token); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(removedMark(args.Saved)), os.Remove(args.Saved))
}

// volumeAgain makes a volume that a change has removed.
func (x *control) volumeAgain(ctx context.Context, args volumeUndo) error {
	options := map[string]string{}
	if args.Options != nil {
		content, err := x.Run.Open(*args.Options)
		if err != nil {
			return err
		}
		if err := errors.Join(json.NewDecoder(content).Decode(&options), content.Close()); err != nil {
			return fmt.Errorf("read the options of volume %s: %w", args.Name, err)
		}
	}
	_, err := x.API.VolumeCreate(ctx, volume.CreateOptions{
		Name: args.Name, Driver: args.Driver, DriverOpts: options, Labels: args.Labels,
	})
	if err != nil {
		return fmt.Errorf("make volume %s again: %w", args.Name, engine.Explain(ctx, err))
	}
	return nil
}

// removedMark is the file beside what a volume held that tells that the volume was removed: one of that name that is there
// then is another.
func removedMark(saved string) string { return saved + ".removed" }

func markRemoved(saved string) error { return os.WriteFile(removedMark(saved), nil, 0o600) }

func wasRemoved(saved string) bool {
	_, err := os.Stat(removedMark(saved))
	return err == nil
}

// dropToken marks the helper of [control.dropVolume]: it is the same in another process.
func dropToken(run, name string) string {
	sum := sha256.Sum256([]byte(run + " " + name))
	return hex.EncodeToString(sum[:6])
}

// dropVolume removes a volume that a change has made. What it holds by now is saved before.
func (x *control) dropVolume(ctx context.Context, name string) error {
	v, err := x.Volume(ctx, name)
	if err != nil || v == nil {
		return err
	}
	// One who carried out this undo before may have been killed: its helper has the volume.
	token := dropToken(x.Run.RunID(), name)
	if err := x.removeHelper(ctx, token); err != nil {
		return err
	}
	users, err := volumeUsers(ctx, x.Client, name)
	if err != nil {
		return err
	}
	if len(users) > 0 {
		x.Run.Warn("volume %s stays: container %s has it", name, engine.NameOf(users[0]))
		return nil
	}
	if !elsewhere(v) {
		if err := x.discard(ctx, name, token); err != nil {
			return err
		}
	}
	if err := x.API.VolumeRemove(ctx, name, false); err != nil {
		return fmt.Errorf("remove volume %s: %w", name, engine.Explain(ctx, err))
	}
	return nil
}

// discard saves what a volume holds, if anything, for whoever misses it.
func (x *control) discard(ctx context.Context, name, token string) error {
	file, err := x.Run.Discard()
	if err != nil {
		return err
	}
	if _, err := x.saveVolume(ctx, name, file, token); err != nil {
		return err
	}
	holds, err := tarHolds(file)
	if err == nil && !holds {
		err = os.Remove(file)
	} else if err == nil {
		x.Run.Warn("what volume %s held is in %s, a tar file", name, file)
	}
	return err
}
