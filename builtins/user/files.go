package user

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/journal"
)

// accountFiles are the files that say who there is.
var accountFiles = []string{passwdFile, groupFile, "/etc/shadow", "/etc/gshadow", "/etc/subuid", "/etc/subgid"}

// sideSuffixes are of the files that the tools keep beside those: the copy from before the last change, a lock, and the
// next content. The last two are only there while a tool works, or if it was killed.
var sideSuffixes = []string{"-", ".lock", "+"}

// kept is a file as it was.
type kept struct {
	Path    string `json:"path"`
	There   bool   `json:"there"`
	Content []byte `json:"content,omitempty"`
	Mode    uint32 `json:"mode,omitempty"`
	UID     int    `json:"uid,omitempty"`
	GID     int    `json:"gid,omitempty"`
	MTime   int64  `json:"mtime,omitempty"` // ns since 1970
}

// readKept reads a file as it is.
func readKept(path string) (kept, error) {
	k := kept{Path: path}
	fi, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	} else if err != nil {
		return k, err
	}
	if !fi.Mode().IsRegular() {
		return k, fmt.Errorf("%s is no ordinary file, so it could not be put back as it is", path)
	}
	k.There, k.Mode, k.MTime = true, uint32(fi.Mode().Perm()), fi.ModTime().UnixNano()
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		k.UID, k.GID = int(st.Uid), int(st.Gid)
	}
	k.Content, err = os.ReadFile(path)
	return k, err
}

// keepAll keeps the files of accounts and what lies beside them. They hold hashes of passwords, so they are sealed.
func keepAll(k *runtime.Keeper) (journal.Blob, error) {
	var all []kept
	for _, path := range accountFiles {
		for _, suffix := range append([]string{""}, sideSuffixes...) {
			file, err := readKept(path + suffix)
			if err != nil {
				return journal.Blob{}, err
			}
			all = append(all, file)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return journal.Blob{}, err
	}
	return k.Keep(bytes.NewReader(text), true)
}
