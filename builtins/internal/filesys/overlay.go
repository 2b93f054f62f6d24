package filesys

import (
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/infrarun/infrarun/runtime"
)

// Overlay is what a preview predicts about files. Its methods are what a change calls in Predict. It is safe
// for concurrent use.
//
// It is one tree of nodes over the whole machine, in which a path is resolved component by component, through
// links that are there and links that are predicted alike.
type Overlay struct {
	mu    sync.RWMutex
	root  *node
	links bool // links may have been predicted
	used  bool // anything was
}

// Predicted returns the overlay of a preview.
func Predicted(w *runtime.World) *Overlay {
	return runtime.Overlay(w, "filesys", func() *Overlay {
		return &Overlay{root: &node{info: Info{Kind: Dir, Mode: 0o755}, base: onDisk("/")}}
	})
}

// step is a node on the way to a path, with its name in the one before.
type step struct {
	name string
	node *node
}

// trail is the way from the root to a path, links resolved. If the last component does not exist its node is
// nil.
type trail []step

func (t trail) last() *node { return t[len(t)-1].node }

// path is where the trail really leads.
func (t trail) path() string {
	var b strings.Builder
	for _, s := range t[1:] {
		b.WriteString("/" + s.name)
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// pin enters the nodes of a trail into the overlay, so that what is put into the last one stays. The last
// component must exist.
func (t trail) pin() *node {
	for i := 1; i < len(t); i++ {
		t[i-1].node.put(t[i].name, t[i].node)
	}
	return t.last()
}

// maxLinks is how many links one path may lead through, as in the kernel.
const maxLinks = 40

// resolve follows a path. With follow, a link in the last component is followed, too. The error is that of
// the path: fs.ErrNotExist if a directory on the way does not exist, but not if only the last component does
// not.
func (o *Overlay) resolve(path string, follow bool) (trail, error) {
	fail := func(err error) (trail, error) {
		if _, ok := err.(*fs.PathError); ok {
			return nil, err
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	way := trail{{node: o.root}}
	todo := strings.Split(filepath.Clean(path), "/")
	for links := 0; len(todo) > 0; {
		name := todo[0]
		todo = todo[1:]
		switch {
		case name == "" || name == ".":
			continue
		case name == "..":
			way = way[:max(1, len(way)-1)]
			continue
		case way.last() == nil:
			return fail(fs.ErrNotExist)
		case !way.last().treeable():
			return fail(fs.ErrNotExist) // as lstat does: a file has nothing below it
		}
		c, err := way.last().child(name)
		switch {
		case isNotExist(err):
			way = append(way, step{name, nil})
			continue
		case err != nil:
			return fail(err)
		case c.info.Kind != Link || len(todo) == 0 && !follow:
			way = append(way, step{name, c})
			continue
		}
		if links++; links > maxLinks {
			return fail(syscall.ELOOP)
		}
		if filepath.IsAbs(c.info.Target) {
			way = way[:1]
		}
		todo = append(strings.Split(c.info.Target, "/"), todo...)
	}
	return way, nil
}

// lookup is resolve for a path that must exist.
func (o *Overlay) lookup(path string, follow bool) (trail, error) {
	way, err := o.resolve(path, follow)
	if err == nil && way.last() == nil {
		err = &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return way, err
}

// redirect replaces the first predicted link in a path.
func (o *Overlay) redirect(path string) (string, bool) {
	for end := 1; end < len(path); end++ {
		if next := strings.IndexByte(path[end:], '/'); next >= 0 {
			end += next
		} else {
			end = len(path)
		}
		way, err := o.lookup(path[:end], false)
		if err != nil {
			return path, false
		}
		n := way.last()
		at, ok := n.base.(onDisk)
		if n.info.Kind != Link || ok && string(at) == way.path() {
			continue
		}
		target := n.info.Target
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path[:end]), target)
		}
		return filepath.Join(target, path[end:]), true
	}
	return path, false
}
