package fs

import (
	"path/filepath"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// largeWrite is from how many bytes on a change looks for room first. A smaller one finds out while it writes, and is
// put back.
const largeWrite = 1 << 20

// demand is what a change wants of one file system, in bytes.
type demand struct {
	at             string // a directory on it
	grows, largest int64
}

// checkRoom fails if the file systems that are to hold the files have no room for them, before any is written.
func checkRoom(v *filesys.View, files []*file) error {
	disks := map[uint64]*demand{}
	known := map[string]*demand{} // by directory
	for _, f := range files {
		if f.action != create && f.action != rewrite {
			continue
		}
		dir := filepath.Dir(f.path)
		d := known[dir]
		if d == nil {
			var err error
			if d, err = demandOn(v, disks, dir); err != nil {
				return err
			}
			known[dir] = d
		}
		d.largest = max(d.largest, f.size)
		d.grows += f.size
		if f.old.Kind == filesys.File {
			d.grows -= f.old.Size // the old content goes when the new one is whole
		}
	}
	for _, d := range disks {
		if need := max(d.grows, d.largest); need > largeWrite {
			if err := filesys.CheckRoom(d.at, need); err != nil {
				return err
			}
		}
	}
	return nil
}

// demandOn finds the file system of a directory, which may be reached through links, be predicted or be yet to be made.
func demandOn(v *filesys.View, disks map[uint64]*demand, dir string) (*demand, error) {
	if real, err := v.Follow(dir); err == nil {
		dir = real
	}
	disk, err := filesys.DiskOf(dir)
	if err != nil {
		return nil, err
	}
	if disks[disk] == nil {
		disks[disk] = &demand{at: dir}
	}
	return disks[disk], nil
}
