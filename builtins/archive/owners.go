package archive

import (
	"archive/tar"
	"io/fs"
	"os"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// owners says to whom what is unpacked belongs. Only root can give a file to somebody else; unpacked by another user
// everything is that user's.
type owners struct {
	root          bool
	bits          fs.FileMode // of the mode, those that are set
	users, groups map[string]int
}

func newOwners() owners {
	o := owners{root: os.Geteuid() == 0, bits: modeBits, users: map[string]int{}, groups: map[string]int{}}
	if !o.root {
		o.bits = fs.ModePerm | fs.ModeSticky // a program that runs as its owner would run as somebody else now
	}
	return o
}

// of returns whose an entry is: by name where this machine knows it, else by number.
func (o *owners) of(hdr *tar.Header) (uid, gid int) {
	if !o.root {
		return filesys.Keep, filesys.Keep
	}
	uid, known := o.users[hdr.Uname]
	if !known {
		uid = filesys.Keep
		if id, _, err := filesys.LookupOwner(hdr.Uname, ""); err == nil {
			uid = id
		}
		o.users[hdr.Uname] = uid
	}
	gid, known = o.groups[hdr.Gname]
	if !known {
		gid = filesys.Keep
		if _, id, err := filesys.LookupOwner("", hdr.Gname); err == nil {
			gid = id
		}
		o.groups[hdr.Gname] = gid
	}
	if uid == filesys.Keep {
		uid = hdr.Uid
	}
	if gid == filesys.Keep {
		gid = hdr.Gid
	}
	return uid, gid
}
