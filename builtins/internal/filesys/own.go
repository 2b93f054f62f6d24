package filesys

import (
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/infrarun/infrarun/runtime"
)

// ownership remembers which paths a run has made, so that it can delete them again without keeping them: taking
// back the making undoes both. Paths are real ones: a link below a directory that the run made leads out of it.
type ownership struct {
	mu    sync.Mutex
	marks map[string]bool   // true: made by the run; false: moved there from elsewhere
	temps map[string]string // private directories of the run, with where they really are
}

func ownershipOf(w *runtime.World) *ownership {
	return runtime.Overlay(w, "filesys.own", func() *ownership {
		return &ownership{marks: map[string]bool{}, temps: map[string]string{}}
	})
}

// claim marks a path at which nothing is, and where the run is about to make something, as its own. It reports whether
// the path was not marked before. What is there already is somebody else's.
func (o *ownership) claim(path string) bool {
	real := realOf(path)
	o.mu.Lock()
	defer o.mu.Unlock()
	if made, ok := o.marks[real]; ok && made {
		return false
	}
	if _, err := lstat(real); !isNotExist(err) {
		return false
	}
	o.marks[real] = true
	return true
}

// madeDirs lists, outermost first, a directory and those above it as far as the run has made them. The run may remove
// them again, for good: then an undo that needs them makes them anew, and the undo of making them takes them away.
func (o *ownership) madeDirs(dir string) []Path {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil // it is not there: nothing can be put back into it either
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	var below, made []Path
	for at := real; at != "/"; at = filepath.Dir(at) {
		below = append(below, Path(at))
		own, marked := o.marks[at]
		if marked && !own {
			break // it was moved there, and what holds it is never removed for good
		}
		if own {
			made = slices.Clone(below)
		}
	}
	slices.Reverse(made)
	return made
}

// owns reports whether everything at and below path is the run's own.
func (o *ownership) owns(path string) bool {
	real := realOf(path)
	o.mu.Lock()
	defer o.mu.Unlock()
	for marked, made := range o.marks {
		if !made && within(marked, real) {
			return false
		}
	}
	for at := real; ; at = filepath.Dir(at) {
		if made, ok := o.marks[at]; ok {
			return made
		}
		if at == "/" {
			return false
		}
	}
}

// moved notes a move that has happened; ours tells whether before it everything was the run's own.
func (o *ownership) moved(from, to string, ours bool) {
	src, dst := realOf(from), realOf(to)
	o.mu.Lock()
	defer o.mu.Unlock()
	for marked, made := range o.marks {
		if within(marked, src) {
			delete(o.marks, marked)
			if !made && marked != src {
				o.marks[dst+strings.TrimPrefix(marked, src)] = false
			}
		}
	}
	o.marks[dst] = ours
}

// AddTemp makes dir a private directory of the run: what a recipe does in it needs no permission.
func AddTemp(w *runtime.World, dir string) {
	o := ownershipOf(w)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.temps[dir] = realOf(dir)
}

// InTemp reports whether a path really lies in a private directory of the run: by its own name, and where it
// leads to if it is a link.
func (v *View) InTemp(path string) bool {
	o := ownershipOf(v.world)
	o.mu.Lock()
	defer o.mu.Unlock()
	for dir, real := range o.temps {
		if within(path, dir) && v.leadsInto(path, real) {
			return true
		}
	}
	return false
}

// leadsInto looks at the path or, as far as that does not exist yet, at the first directory above it that does.
func (v *View) leadsInto(path, dir string) bool {
	i, err := v.Lstat(path)
	for isNotExist(err) && path != "/" {
		path = filepath.Dir(path)
		i, err = v.Lstat(path)
	}
	if err != nil {
		return false
	}
	real, err := v.Resolve(path)
	if err != nil || !within(real, dir) {
		return false
	}
	if i.Kind != Link {
		return true
	}
	end, err := v.Follow(path)
	return err == nil && within(end, dir)
}

// realOf follows the links of a path as far as its directories exist. The last component is not followed.
func realOf(path string) string {
	if path == "/" {
		return path
	}
	dir, name := filepath.Dir(path), filepath.Base(path)
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return join(real, name)
	}
	return join(realOf(dir), name)
}
