package filesys

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Keep stands for an owner that stays what it is; of something new, that of infrarun's process.
const Keep = -1

// owned replaces Keep by the owner that a new file would get.
func owned(uid, gid int) (int, int) {
	if uid == Keep {
		uid = os.Geteuid()
	}
	if gid == Keep {
		gid = os.Getegid()
	}
	return uid, gid
}

// WriteFile predicts a file with this content. An owner of an existing file stays if it is [Keep].
func (o *Overlay) WriteFile(path string, content []byte, mode fs.FileMode, uid, gid int) error {
	info := Info{Kind: File, Mode: mode, Size: int64(len(content)), ModTime: time.Now(), UID: uid, GID: gid}
	return o.place(path, &node{info: info, base: inMemory(bytes.Clone(content))})
}

// Mkdir predicts a directory. If there is one already, only its mode and owner change.
func (o *Overlay) Mkdir(path string, mode fs.FileMode, uid, gid int) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	way, err := o.resolve(path, false)
	if err != nil {
		return err
	}
	if n := way.last(); n != nil && n.treeable() && !n.maybe {
		way.pin().setMeta(mode, uid, gid)
		return nil
	}
	info := Info{Kind: Dir, Mode: mode, ModTime: time.Now(), UID: uid, GID: gid}
	return o.enter(way, path, &node{info: info, base: nothing{}})
}

// MkdirAll predicts a directory and those that are missing above it, which get the mode 0755.
func (o *Overlay) MkdirAll(path string, mode fs.FileMode, uid, gid int) error {
	missing, err := (&View{over: o}).MissingDirs(path)
	if err != nil {
		return err
	}
	for _, dir := range missing {
		if dir != path {
			if err := o.Mkdir(dir, 0o755, Keep, Keep); err != nil {
				return err
			}
		}
	}
	return o.Mkdir(path, mode, uid, gid)
}

// Symlink predicts a link.
func (o *Overlay) Symlink(target, path string) error {
	info := Info{Kind: Link, Mode: fs.ModePerm, ModTime: time.Now(), UID: Keep, GID: Keep, Target: target}
	return o.place(path, &node{info: info, base: nothing{}})
}

// Remove predicts that a path, with all below it, is not there.
func (o *Overlay) Remove(path string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	way, err := o.resolve(path, false)
	if isNotExist(err) || err == nil && way.last() == nil {
		return nil
	} else if err != nil {
		return err
	}
	return o.enter(way, path, nil)
}

// Opaque predicts that something will be at path, and that nothing else is known of it: reading it stops a
// preview. What says what it is, as "the output of npm run build".
func (o *Overlay) Opaque(path, what string) error {
	return o.place(path, &node{info: Info{Kind: File, Mode: 0o644, UID: Keep, GID: Keep, Opaque: what}, base: opaque{what}})
}

// OpaqueTree predicts a directory whose entries are not known, other than those predicted later.
func (o *Overlay) OpaqueTree(dir, what string) error {
	return o.place(dir, &node{info: Info{Kind: Dir, Mode: 0o755, UID: Keep, GID: Keep, Opaque: what}, base: opaque{what}})
}

// Mount predicts a whole tree at dir, which is read when it is looked at: the files of a commit. The tree
// must be safe for concurrent use, and should implement [fs.ReadLinkFS] if it has links.
func (o *Overlay) Mount(dir string, tree fs.FS) error {
	info := Info{Kind: Dir, Mode: 0o755, ModTime: time.Now(), UID: Keep, GID: Keep}
	return o.place(dir, &node{info: info, base: inTree{tree, "."}})
}

// Chmod predicts a mode.
func (o *Overlay) Chmod(path string, mode fs.FileMode) error {
	return o.meta(path, func(n *node) { n.setMeta(mode, Keep, Keep) })
}

// Chown predicts an owner; [Keep] keeps the user or the group.
func (o *Overlay) Chown(path string, uid, gid int) error {
	return o.meta(path, func(n *node) { n.setMeta(n.info.Mode, uid, gid) })
}

func (o *Overlay) meta(path string, set func(*node)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	way, err := o.lookup(path, false)
	if err != nil {
		return err
	}
	o.used = true
	set(way.pin())
	return nil
}

func (n *node) setMeta(mode fs.FileMode, uid, gid int) {
	n.info.Mode = mode
	if uid != Keep {
		n.info.UID = uid
	}
	if gid != Keep {
		n.info.GID = gid
	}
}

// place enters a node at a path, in the place of what is there.
func (o *Overlay) place(path string, n *node) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	way, err := o.resolve(path, false)
	if err != nil {
		return err
	}
	return o.enter(way, path, n)
}

// enter puts a node, nil for none, at the end of a trail.
func (o *Overlay) enter(way trail, path string, n *node) error {
	if len(way) == 1 {
		return fmt.Errorf("predict %s: the root directory stays what it is", path)
	}
	dir, end := way[:len(way)-1], way[len(way)-1]
	if dir.last() == nil {
		return &fs.PathError{Op: "predict", Path: filepath.Dir(path), Err: fs.ErrNotExist}
	}
	if !dir.last().treeable() {
		return &fs.PathError{Op: "predict", Path: filepath.Dir(path), Err: syscall.ENOTDIR}
	}
	if n != nil {
		if old := end.node; old != nil && n.info.UID == Keep && !old.maybe {
			n.info.UID = old.info.UID
		}
		if old := end.node; old != nil && n.info.GID == Keep && !old.maybe {
			n.info.GID = old.info.GID
		}
		n.info.UID, n.info.GID = owned(n.info.UID, n.info.GID)
		o.links = o.links || n.mayLink()
	}
	o.used = true
	for _, s := range dir {
		if s.node.info.Kind != Dir {
			s.node.info.Kind, s.node.info.Mode, s.node.maybe = Dir, 0o755, false // it has an entry now
		}
	}
	dir.pin().put(end.name, n)
	return nil
}
