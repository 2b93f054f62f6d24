package fetch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// recordName is the file in a tree that says what the tree was made from. It lies inside, so that it goes where the tree
// goes and no tree is without one.
const recordName = ".fetched"

// maxRecord is how long a record may be, in bytes.
const maxRecord = 64 << 10

// record is what a tree was made from. Where it was downloaded is not in it: the sum says all, and a URL may hold a token.
type record struct {
	Sum        string   `json:"sum"`
	Strip      int      `json:"strip,omitempty"`
	Executable []string `json:"executable,omitempty"`
	Files      int      `json:"files,omitempty"` // 0: a preview predicted the tree
	Bytes      int64    `json:"bytes,omitempty"`
}

// same reports whether two trees are made from the same in the same way.
func (r record) same(other record) bool {
	return r.Sum == other.Sum && r.Strip == other.Strip && slices.Equal(r.Executable, other.Executable)
}

func (r record) encode() ([]byte, error) {
	data, err := json.MarshalIndent(r, "", "  ")
	if err == nil && len(data) >= maxRecord {
		err = errors.New("the patterns of executable are too many to be noted in the tree; write fewer")
	}
	return append(data, '\n'), err
}

// recordIn reads the record of a tree. Its error is fs.ErrNotExist if there is none.
func recordIn(v *filesys.View, dir string) (record, error) {
	var r record
	path := filepath.Join(dir, recordName)
	info, err := v.Lstat(path)
	if err != nil {
		return r, err
	}
	if info.Kind != filesys.File {
		return r, fs.ErrNotExist
	}
	data, err := v.ReadFile(path, maxRecord)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil || r.Sum == "" {
		return r, fmt.Errorf("%s is damaged, so it does not say what the directory was made from; remove the directory with fs.remove", path)
	}
	return r, nil
}
