package sqlite

import (
	"context"
	"io/fs"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// replacer puts files in the place of databases.
type replacer struct{ files *filesys.Writer }

func newReplacer(w *runtime.Writer) *replacer {
	w.Require()
	return &replacer{filesys.Writable(w)}
}

// replace puts a copy of the database at src, a real path, in the place of the one at dst. The old log goes first:
// a new database with an old log would be taken for one, while what the old one lacks then is kept by the undo.
func (x *replacer) replace(ctx context.Context, a access, src, dst string, mode fs.FileMode) error {
	lock, err := lockForReading(ctx, src, time.Now().Add(a.timeout))
	if err != nil {
		return a.explain(src, err)
	}
	defer lock.release()
	if err := inOneFile(src); err != nil {
		return err
	}
	for _, path := range sideFiles(dst) {
		if err := x.files.Delete(path); err != nil {
			return err
		}
	}
	return x.files.WriteFiles(ctx, []filesys.NewFile{{Path: dst, From: src, Mode: mode, UID: filesys.Keep, GID: filesys.Keep}})
}
