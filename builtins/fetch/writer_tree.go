package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

// treeMaker makes what fetch.tree is to make.
type treeMaker struct {
	*fetchTree
	w     *runtime.Writer
	files *filesys.Writer
}

// newTreeMaker returns it in exchange for a run's writer.
func newTreeMaker(w *runtime.Writer, x *fetchTree) *treeMaker {
	w.Require()
	return &treeMaker{x, w, filesys.Writable(w)}
}

// The names in the private directory.
const (
	packedName = "packed"
	treeName   = "tree"
)

// make makes the tree and returns what it is made from.
func (m *treeMaker) make(ctx context.Context) (record, error) {
	made, err := m.prepare(ctx)
	if err != nil {
		return made, nothingLeft(err, m.files.Delete(m.temp))
	}
	if err := failpoint.Hit("fetch.tree-before-place"); err != nil {
		return made, err
	}
	if err := m.clear(ctx); err != nil {
		return made, err
	}
	if err := failpoint.Hit("fetch.tree-cleared"); err != nil {
		return made, err
	}
	if err := m.files.Rename(ctx, filepath.Join(m.temp, treeName), m.dst); err != nil {
		return made, err
	}
	if err := failpoint.Hit("fetch.tree-placed"); err != nil {
		return made, err
	}
	return made, m.files.Delete(m.temp)
}

// clear moves away the directory that is there.
func (m *treeMaker) clear(ctx context.Context) error {
	switch {
	case !m.replace:
		return nil
	case m.aside == "":
		return m.files.Discard(ctx, m.dst)
	}
	return m.files.Rename(ctx, m.dst, m.aside)
}

// prepare makes the whole tree in the private directory, on the disk.
func (m *treeMaker) prepare(ctx context.Context) (made record, err error) {
	if err := os.Mkdir(m.temp, 0o700); err != nil {
		return made, err
	}
	packed, err := os.OpenFile(filepath.Join(m.temp, packedName), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, packed.Close()) }()
	if err := m.into(ctx, packed, m.w); err != nil {
		return made, err
	}
	if err := failpoint.Hit("fetch.tree-downloaded"); err != nil {
		return made, err
	}
	if err := os.Mkdir(filepath.Join(m.temp, treeName), 0o755); err != nil {
		return made, err
	}
	root, err := os.OpenRoot(filepath.Join(m.temp, treeName))
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	made, err = m.unpack(ctx, packed, root)
	if err != nil {
		return made, fmt.Errorf("unpack %s: %w", m.shown, explain(m.dst, err))
	}
	return made, syncTree(root)
}

// unpack makes the files of the tree, and the record of what it is made from.
func (m *treeMaker) unpack(ctx context.Context, packed *os.File, root *os.Root) (record, error) {
	made := m.wanted
	fi, err := packed.Stat()
	if err != nil {
		return made, err
	}
	progress := newBar(m.w.Progress, "unpack "+m.shown, fi.Size())
	p := &planter{root: root, layout: layout{strip: made.Strip, executable: made.Executable}}
	if err := walk(ctx, io.NewSectionReader(packed, 0, fi.Size()), m.sum.plain(), progress, p.plant); err != nil {
		return made, err
	}
	if err := p.finish(m.provides); err != nil {
		return made, err
	}
	progress.done()
	made.Files, made.Bytes = p.files, p.kept
	note, err := made.encode()
	if err != nil {
		return made, err
	}
	return made, p.file(entry{name: recordName, kind: aFile, size: int64(len(note))}, bytes.NewReader(note))
}
