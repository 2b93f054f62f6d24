package fs

import (
	"context"
	"fmt"
	iofs "io/fs"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// file is a file as it is wanted, and what a probe found in its place.
type file struct {
	path    string
	content []byte
	from    string // a file whose content is wanted, instead of content
	mode    runtime.FileMode
	uid     int
	gid     int

	old    filesys.Info
	action action
	size   int64
	blind  bool // a preview cannot know what is there, or what is wanted
}

// action is what it takes to make a file what is wanted.
type action int

const (
	keep    action = iota // nothing
	create                // there is none
	rewrite               // its content differs, or it is a link
	dress                 // only mode or owner differ
)

// defaultMode is that of a new file where none is asked for.
const defaultMode = iofs.FileMode(0o644)

// probe looks at what is there and decides what to do.
func (f *file) probe(v *filesys.View) error {
	f.size = int64(len(f.content))
	var wanted filesys.Info
	if f.from != "" {
		var err error
		if wanted, err = v.Stat(f.from); err != nil {
			return err
		}
		f.size, f.blind = wanted.Size, wanted.Opaque != ""
		if !f.blind && wanted.Kind != filesys.File {
			return fmt.Errorf("%s is a %s, not a file", f.from, wanted.Kind)
		}
		if !f.mode.Set {
			f.mode = runtime.FileMode{Bits: wanted.Mode, Set: true}
		}
	}
	var err error
	f.old, err = v.Lstat(f.path)
	switch {
	case isNotExist(err):
		f.action = create
		return parentThere(v, f.path)
	case isUnknown(err):
		f.action, f.blind, f.old = rewrite, true, filesys.Info{}
		return nil
	case err != nil:
		return err
	case f.old.Opaque != "" || f.blind && f.old.Kind != filesys.Dir:
		f.action, f.blind = rewrite, true
		return nil
	}
	return f.compare(v)
}

func (f *file) compare(v *filesys.View) error {
	switch f.old.Kind {
	case filesys.Dir:
		return fmt.Errorf("there is a directory at %s; remove it first, or name a file in it", f.path)
	case filesys.Other:
		return fmt.Errorf("%s is a device, socket or pipe; it is not written to", f.path)
	case filesys.Link:
		f.action = rewrite
		return nil
	}
	same, err := f.sameContent(v)
	switch {
	case err != nil:
		return err
	case !same:
		f.action = rewrite
	case f.newMode() != f.old.Mode || f.changesOwner():
		f.action = dress
	default:
		f.action = keep
	}
	return nil
}

// newMode is the mode that the file will have.
func (f *file) newMode() iofs.FileMode {
	switch {
	case f.mode.Set:
		return f.mode.Bits
	case f.action != create && f.old.Kind == filesys.File:
		return f.old.Mode
	}
	return defaultMode
}

func (f *file) changesOwner() bool { return metaDiffers(f.old, f.old.Mode, f.uid, f.gid) }

// metaDiffers reports whether mode or owner are not yet what they are to be.
func metaDiffers(old filesys.Info, mode iofs.FileMode, uid, gid int) bool {
	return mode != old.Mode || uid != filesys.Keep && uid != old.UID || gid != filesys.Keep && gid != old.GID
}

// summary says in a line what is to be done.
func (f *file) summary(v *filesys.View) string {
	switch f.action {
	case keep:
		return "already so"
	case create:
		return fmt.Sprintf("create, %s, mode %s", filesys.Bytes(f.size), filesys.Octal(f.newMode()))
	}
	var parts []string
	switch {
	case f.action != rewrite:
	case f.blind:
		parts = append(parts, fmt.Sprintf("write %s over what is there by then", filesys.Bytes(f.size)))
	case f.old.Kind == filesys.Link:
		parts = append(parts, fmt.Sprintf("replace the link to %s by a file, %s", f.old.Target, filesys.Bytes(f.size)))
	default:
		parts = append(parts, fmt.Sprintf("change %s to %s", filesys.Bytes(f.old.Size), filesys.Bytes(f.size)))
	}
	if f.old.Kind == filesys.File && !f.blind {
		parts = append(parts, metaSummary(v, f.old, f.newMode(), f.uid, f.gid)...)
	}
	return strings.Join(parts, ", ")
}

// metaSummary says how mode and owner change.
func metaSummary(v *filesys.View, old filesys.Info, mode iofs.FileMode, uid, gid int) []string {
	var parts []string
	if mode != old.Mode {
		parts = append(parts, fmt.Sprintf("mode %s -> %s", filesys.Octal(old.Mode), filesys.Octal(mode)))
	}
	if uid != filesys.Keep && uid != old.UID {
		parts = append(parts, fmt.Sprintf("owner %s -> %s", v.UserName(old.UID), v.UserName(uid)))
	}
	if gid != filesys.Keep && gid != old.GID {
		parts = append(parts, fmt.Sprintf("group %s -> %s", v.GroupName(old.GID), v.GroupName(gid)))
	}
	return parts
}

// newFile is what to write.
func (f *file) newFile() filesys.NewFile {
	return filesys.NewFile{Path: f.path, Content: f.content, From: f.from, Mode: f.newMode(), UID: f.uid, GID: f.gid}
}

// apply makes the files what is wanted.
func apply(ctx context.Context, x *filesys.Writer, files []*file) error {
	var write []filesys.NewFile
	for _, f := range files {
		switch f.action {
		case create, rewrite:
			write = append(write, f.newFile())
		case dress:
			if err := x.Chown(f.path, f.uid, f.gid); err != nil {
				return err
			}
			if err := x.Chmod(f.path, f.newMode()); err != nil {
				return err
			}
		}
	}
	return x.WriteFiles(ctx, write)
}

// predict enters the files into a preview.
func predict(o *filesys.Overlay, files []*file) error {
	for _, f := range files {
		var err error
		switch {
		case f.action == keep:
		case f.action == dress:
			if err = o.Chmod(f.path, f.newMode()); err == nil {
				err = o.Chown(f.path, f.uid, f.gid)
			}
		case f.from != "":
			err = o.CopyFile(f.from, f.path, f.newMode())
		default:
			err = o.WriteFile(f.path, f.content, f.newMode(), f.uid, f.gid)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// changed lists the paths of those that are not kept as they are.
func changed(files []*file) []string {
	var paths []string
	for _, f := range files {
		if f.action != keep {
			paths = append(paths, f.path)
		}
	}
	return paths
}
