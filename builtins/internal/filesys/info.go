package filesys

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"

	"github.com/infrarun/infrarun/runtime"
)

// Kind is what a path names.
type Kind string

// The kinds of files.
const (
	File  Kind = "file"
	Dir   Kind = "dir"
	Link  Kind = "link"
	Other Kind = "other" // a device, socket or pipe
)

// Info describes what a path names.
type Info struct {
	Path    string // absolute, as it was asked for
	Kind    Kind
	Mode    fs.FileMode // permission bits, with setuid, setgid and sticky; no type bits
	UID     int
	GID     int
	Size    int64 // of a file, in bytes
	ModTime time.Time
	Target  string // of a link

	// Opaque is set in a preview for what will be there but is not known: "" or what it is, such as "the
	// output of npm run build". Then only the existence is certain, and the kind if it is Dir.
	Opaque string
}

// Known returns the error of using something that a preview cannot know, nil for what is known.
func (i Info) Known() error {
	if i.Opaque == "" {
		return nil
	}
	return unknown(i.Path, i.Opaque)
}

// unknown is the error of looking at something that a preview cannot know.
func unknown(path, what string) error {
	return runtime.NewUnknown(fmt.Sprintf("%s (%s)", path, what),
		"a preview cannot look into what a run would only then make; let a later step depend on what the recipe itself writes").Err()
}

// permBits are the bits of a mode that a file's owner can set.
const permBits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// infoOf turns what the system says into an Info. The target of a link is not read.
func infoOf(path string, fi fs.FileInfo) Info {
	i := Info{Path: path, Mode: fi.Mode() & permBits, Size: fi.Size(), ModTime: fi.ModTime(), UID: -1, GID: -1}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		i.UID, i.GID = int(st.Uid), int(st.Gid)
	}
	switch fi.Mode().Type() {
	case 0:
		i.Kind = File
	case fs.ModeDir:
		i.Kind, i.Size = Dir, 0
	case fs.ModeSymlink:
		i.Kind, i.Size = Link, 0
	default:
		i.Kind, i.Size = Other, 0
	}
	return i
}

// Octal writes a mode as chmod takes it: 0644, 04755.
func Octal(m fs.FileMode) string { return fmt.Sprintf("%#04o", unixMode(m)) }

// unixMode returns the bits as the system call takes them.
func unixMode(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	for mode, bit := range specialBits {
		if m&mode != 0 {
			bits |= bit
		}
	}
	return bits
}

// fileMode is the inverse of unixMode.
func fileMode(bits uint32) fs.FileMode {
	m := fs.FileMode(bits & 0o777)
	for mode, bit := range specialBits {
		if bits&bit != 0 {
			m |= mode
		}
	}
	return m
}

var specialBits = map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000}

// Private reports whether a mode lets only the owner in: what such a file holds is not shown and is kept
// sealed.
func Private(m fs.FileMode) bool { return m&0o077 == 0 }

// Abs returns the clean absolute form of a path; a relative one is relative to dir.
func Abs(dir, path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return filepath.Clean(path)
}
