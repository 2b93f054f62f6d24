package filesys

import (
	"errors"
	"io/fs"

	"github.com/infrarun/infrarun/runtime"
)

// View is the file system as a probe sees it: in a run what is there, in a preview with what has been
// predicted on top. Paths are absolute. An error about something that does not exist is fs.ErrNotExist; one
// about something that a preview cannot know is a *runtime.UnknownError.
type View struct {
	over  *Overlay // nil: nothing can be predicted
	world *runtime.World
	state string // where infrarun keeps what it needs to roll back
}

// Read returns the file system of a run or preview.
func Read(r *runtime.Reader) *View {
	v := &View{world: r.World(), state: r.StateDir()}
	if r.Preview() {
		v.over = Predicted(v.world)
	}
	return v
}

// Machine returns the file system as it is, for what is not seen through a preview.
func Machine() *View { return &View{world: &runtime.World{}} }

var errSpecial = errors.New("is a device, socket or pipe, not a file")

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// Lstat describes a path; a link itself, not what it leads to.
func (v *View) Lstat(path string) (Info, error) { return v.stat(path, false) }

// Stat describes what a path leads to, through links.
func (v *View) Stat(path string) (Info, error) { return v.stat(path, true) }

func (v *View) stat(path string, follow bool) (Info, error) {
	n, err := v.find(path, follow)
	if err != nil {
		return Info{}, err
	}
	var i Info
	switch {
	case n != nil:
		i = n.info
	case follow:
		i, err = stat(path)
	default:
		i, err = lstat(path)
	}
	i.Path = path
	return i, err
}

// find returns the node of a path, nil if nothing is predicted at all and the machine can be asked. The node
// is a copy of its own.
func (v *View) find(path string, follow bool) (*node, error) {
	if !v.predicts() {
		return nil, nil
	}
	v.over.mu.RLock()
	defer v.over.mu.RUnlock()
	way, err := v.over.lookup(path, follow)
	if err != nil {
		return nil, err
	}
	n := *way.last()
	if n.maybe {
		return nil, unknown(path, n.info.Opaque)
	}
	return &n, nil
}

func (v *View) predicts() bool {
	if v.over == nil {
		return false
	}
	v.over.mu.RLock()
	defer v.over.mu.RUnlock()
	return v.over.used
}

// Exists reports whether a path leads to something, through links.
func (v *View) Exists(path string) (bool, error) {
	_, err := v.Stat(path)
	if isNotExist(err) {
		return false, nil
	}
	return err == nil, err
}

// Predicted reports whether what a path leads to is not on the disk as it is predicted: a command that a
// preview really runs would find something else there. Of a directory it tells nothing about what is below.
func (v *View) Predicted(path string) bool {
	if !v.predicts() {
		return false
	}
	v.over.mu.RLock()
	defer v.over.mu.RUnlock()
	way, err := v.over.lookup(path, true)
	if err == nil {
		at, ok := way.last().base.(onDisk)
		return !ok || string(at) != way.path()
	}
	_, there := stat(path)
	return there == nil || !isNotExist(err)
}

// Resolve returns where a path really leads. The last component is not followed and need not exist.
func (v *View) Resolve(path string) (string, error) {
	if !v.predicts() {
		return resolveParent(path)
	}
	v.over.mu.RLock()
	defer v.over.mu.RUnlock()
	way, err := v.over.resolve(path, false)
	if err != nil {
		return "", err
	}
	return way.path(), nil
}

// Follow returns where a path that exists really leads, the last component included.
func (v *View) Follow(path string) (string, error) {
	if !v.predicts() {
		return evalLinks(path)
	}
	v.over.mu.RLock()
	defer v.over.mu.RUnlock()
	way, err := v.over.lookup(path, true)
	if err != nil {
		return "", err
	}
	return way.path(), nil
}

// Redirect returns a path with the predicted links in it replaced by what they lead to, those that are really
// there left alone. What a preview needs permission for is both: the policy follows links of the machine only.
func (v *View) Redirect(path string) string {
	if v.over == nil {
		return path
	}
	v.over.mu.RLock()
	defer v.over.mu.RUnlock()
	if !v.over.links {
		return path
	}
	for range maxLinks {
		next, ok := v.over.redirect(path)
		if !ok {
			break
		}
		path = next
	}
	return path
}
