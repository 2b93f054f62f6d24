package archive

import (
	"archive/tar"
	"io/fs"
	"syscall"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// header describes an entry.
func (x *packer) header(fi fs.FileInfo, kind byte, name string) *tar.Header {
	hdr := &tar.Header{Typeflag: kind, Name: name, ModTime: fi.ModTime(), Mode: int64(fi.Mode().Perm()), Format: tar.FormatPAX}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		hdr.Mode = int64(st.Mode & 0o7777)
		hdr.Uid, hdr.Gid = int(st.Uid), int(st.Gid)
		hdr.Uname, hdr.Gname = x.ownerNames(hdr.Uid, hdr.Gid)
	}
	return hdr
}

// ownerNames returns the names of a user and a group, "" for one that has none.
func (x *packer) ownerNames(uid, gid int) (user, group string) {
	if _, known := x.owners[uid]; !known {
		x.owners[uid] = nameOnly(filesys.UserName(uid))
	}
	if _, known := x.owners[-1-gid]; !known {
		x.owners[-1-gid] = nameOnly(filesys.GroupName(gid))
	}
	return x.owners[uid], x.owners[-1-gid]
}

// nameOnly takes away what is a number: it would be taken for a name where the archive is unpacked.
func nameOnly(name string) string {
	if name != "" && name[0] >= '0' && name[0] <= '9' {
		return ""
	}
	return name
}
