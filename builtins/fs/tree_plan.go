package fs

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

var skipDir = iofs.SkipDir

// treePlan is what it takes to make one tree a copy of another.
type treePlan struct {
	view    *filesys.View
	dst     string
	dirs    []dirPlan
	files   []*file
	links   []linkPlan
	unknown []unknownPlan // a preview only: what is not known before a run
	kept    int           // directories and links that are as they should be
}

type dirPlan struct {
	path string
	mode iofs.FileMode
	make bool // else only the mode differs
}

type linkPlan struct {
	path, target string
	make         bool
}

type unknownPlan struct{ from, path string }

// add compares what is at one place of the source with what is at path.
func (p *treePlan) add(src filesys.Info, path string) error {
	if src.Opaque != "" {
		p.unknown = append(p.unknown, unknownPlan{src.Path, path})
		if src.Kind == filesys.Dir {
			return skipDir
		}
		return nil
	}
	switch src.Kind {
	case filesys.Dir:
		return p.addDir(src, path)
	case filesys.Link:
		return p.addLink(src, path)
	case filesys.File:
		f := &file{path: path, from: src.Path, uid: filesys.Keep, gid: filesys.Keep}
		if p.inNewDir(path) {
			// The directory is not there yet, so neither is the file.
			f.action, f.size, f.mode = create, src.Size, runtime.FileMode{Bits: src.Mode, Set: true}
		} else if err := f.probe(p.view); err != nil {
			return err
		}
		p.files = append(p.files, f)
		return nil
	}
	return fmt.Errorf("%s is a device, socket or pipe, which is not copied; leave it out with exclude", src.Path)
}

// inNewDir reports whether the directory of a path is one that is to be made.
func (p *treePlan) inNewDir(path string) bool {
	if len(p.dirs) == 0 {
		return false
	}
	for i := len(p.dirs) - 1; i >= 0; i-- {
		if d := p.dirs[i]; d.make && isIn(path, d.path) {
			return true
		}
	}
	return false
}

func (p *treePlan) addDir(src filesys.Info, path string) error {
	if p.inNewDir(path) {
		p.dirs = append(p.dirs, dirPlan{path, src.Mode, true})
		return nil
	}
	// Only the tree itself may be reached through a link: where one below leads nobody has asked for permission.
	look := p.view.Lstat
	if path == p.dst {
		look = p.view.Stat
	}
	old, err := look(path)
	switch {
	case isNotExist(err):
		if err := parentThere(p.view, path); err != nil {
			return err
		}
		p.dirs = append(p.dirs, dirPlan{path, src.Mode, true})
	case isUnknown(err):
		p.dirs = append(p.dirs, dirPlan{path, src.Mode, true})
	case err != nil:
		return err
	case old.Kind != filesys.Dir && old.Opaque == "":
		return fmt.Errorf("there is a %s at %s, where a directory is to be; remove it first", old.Kind, path)
	case old.Mode != src.Mode && old.Opaque == "":
		p.dirs = append(p.dirs, dirPlan{path, src.Mode, false})
	default:
		p.kept++
	}
	return nil
}

func (p *treePlan) addLink(src filesys.Info, path string) error {
	link := linkPlan{path, src.Target, true}
	if p.inNewDir(path) {
		p.links = append(p.links, link)
		return nil
	}
	old, err := p.view.Lstat(path)
	switch {
	case isNotExist(err) || isUnknown(err):
	case err != nil:
		return err
	case old.Kind == filesys.Link && old.Target == src.Target:
		p.kept++
		return nil
	case old.Kind == filesys.Dir || old.Kind == filesys.Other:
		return fmt.Errorf("there is a %s at %s, where a link is to be; remove it first", old.Kind, path)
	default:
		link.make = false
	}
	p.links = append(p.links, link)
	return nil
}

// finding tells what there is to do.
func (p *treePlan) finding() runtime.Finding {
	created, rewritten, kept := 0, 0, p.kept
	for _, d := range p.dirs {
		count(d.make, &created, &rewritten)
	}
	for _, l := range p.links {
		count(l.make, &created, &rewritten)
	}
	for _, f := range p.files {
		if f.action == keep {
			kept++
			continue
		}
		count(f.action == create, &created, &rewritten)
	}
	found := runtime.Finding{Needed: created+rewritten+len(p.unknown) > 0, Value: result(p.dst, false)}
	found.Summary = fmt.Sprintf("create %d, change %d, keep %d", created, rewritten, kept)
	if !found.Needed {
		found.Summary = fmt.Sprintf("all %d already so", kept)
	}
	if n := len(p.unknown); n > 0 {
		found.Summary += fmt.Sprintf(", and what a run makes of %d more", n)
		found.Assumed = fmt.Sprintf("that %s is to be copied: what is in it is known only in a run", p.unknown[0].from)
	} else if n := countBlind(p.files); n > 0 {
		found.Assumed = fmt.Sprintf("that %d of the files are to be written: what is there is known only in a run", n)
	}
	return found
}

func count(first bool, yes, no *int) {
	if first {
		*yes++
	} else {
		*no++
	}
}

// wholly reports whether the tree is made from the top.
func (p *treePlan) wholly() bool { return len(p.dirs) > 0 && p.dirs[0].make && p.dirs[0].path == p.dst }

// touched lists what is made or changed, directories before what is in them.
func (p *treePlan) touched() []string {
	var paths []string
	for _, d := range p.dirs {
		paths = append(paths, d.path)
	}
	paths = append(paths, changed(p.files)...)
	for _, l := range p.links {
		paths = append(paths, l.path)
	}
	return paths
}

// apply makes the copy. A directory that not even its owner may write to gets its mode when all is in it.
func (p *treePlan) apply(ctx context.Context, x *filesys.Writer) error {
	for _, d := range p.dirs {
		if d.make {
			if err := x.Mkdir(d.path, d.mode|0o700, filesys.Keep, filesys.Keep); err != nil {
				return err
			}
		}
	}
	if err := apply(ctx, x, p.files); err != nil {
		return err
	}
	for _, l := range p.links {
		if err := x.Symlink(l.target, l.path); err != nil {
			return err
		}
	}
	var errs []error
	for _, d := range p.dirs {
		if !d.make || d.mode|0o700 != d.mode {
			errs = append(errs, x.Chmod(d.path, d.mode))
		}
	}
	return errors.Join(errs...)
}

// predict enters the copy into a preview.
func (p *treePlan) predict(o *filesys.Overlay) error {
	for _, d := range p.dirs {
		if err := o.Mkdir(d.path, d.mode, filesys.Keep, filesys.Keep); err != nil {
			return err
		}
	}
	if err := predict(o, p.files); err != nil {
		return err
	}
	for _, l := range p.links {
		if err := o.Symlink(l.target, l.path); err != nil {
			return err
		}
	}
	for _, u := range p.unknown {
		if err := o.CopyTree(u.from, u.path); err != nil {
			return err
		}
	}
	return nil
}
