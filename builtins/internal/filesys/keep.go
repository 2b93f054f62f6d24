package filesys

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/infrarun/infrarun/runtime"
)

// UndoCreated is the undo of making paths at which nothing is, outermost first: parents, if they are made as
// well, precede what is in them. A directory that by then has things in it that nobody journalled is not deleted
// but put aside in the run's directory.
func UndoCreated(k *runtime.Keeper, paths ...string) *runtime.Undo {
	return undoCreated(k, createdArgs{}, paths)
}

// UndoCreatedTree is UndoCreated for a directory that one change makes with all that is in it, from a source that
// stays, such as a commit: where putting it aside would take a copy, it is deleted.
func UndoCreatedTree(k *runtime.Keeper, dir string) *runtime.Undo {
	return undoCreated(k, createdArgs{Content: repeatable}, []string{dir})
}

// UndoTemp is UndoCreated for a private directory of the run: it is deleted with all that is in it.
func UndoTemp(k *runtime.Keeper, dir string) *runtime.Undo {
	return undoCreated(k, createdArgs{Content: private}, []string{dir})
}

func undoCreated(k *runtime.Keeper, args createdArgs, paths []string) *runtime.Undo {
	own := ownershipOf(k.World())
	for i, p := range paths {
		// Of two changes side by side that need the same parent only one takes it away again.
		if own.claim(p) || i == len(paths)-1 {
			args.Paths = append(args.Paths, Path(p))
		}
	}
	return &runtime.Undo{Kind: "fs.created", Args: args, Note: fmt.Sprintf("removes %s", paths[len(paths)-1])}
}

// KeepFile is the undo of writing a file or link at path: what is there now is kept, with mode, owner and time.
// What is private or holds a secret is kept sealed.
func KeepFile(ctx context.Context, k *runtime.Keeper, path string) (*runtime.Undo, error) {
	return KeepFiles(ctx, k, []string{path})
}

// KeepFiles is KeepFile for many paths, among which may also be directories that are made, or whose mode is
// changed. They are in the order in which they are made: directories before what is in them.
func KeepFiles(ctx context.Context, k *runtime.Keeper, paths []string) (*runtime.Undo, error) {
	own := ownershipOf(k.World())
	keep := &keeping{ctx: ctx}
	dirs := madeAround{own: own, seen: map[Path]bool{}}
	var args keptArgs
	for _, p := range paths {
		i, err := lstat(p)
		switch {
		case isNotExist(err):
			own.claim(p)
			args.Files = append(args.Files, state{Path: Path(p)})
			continue
		case err != nil:
			return nil, err
		case i.Kind == Other:
			return nil, &fs.PathError{Op: "keep", Path: p, Err: errSpecial}
		}
		i.Path = p
		args.Files = append(args.Files, stateOf(i))
		dirs.add(i)
		if i.Kind != File {
			continue
		}
		keep.paths = append(keep.paths, p)
		if !keep.private {
			if keep.private, err = secret(k, i); err != nil {
				return nil, err
			}
		}
	}
	args.Dirs = dirs.list
	return undoKept(k, args, keep)
}

// madeAround gathers the directories of files that the run itself has made.
type madeAround struct {
	own  *ownership
	last string
	seen map[Path]bool
	list []Path
}

func (m *madeAround) add(i Info) {
	dir := filepath.Dir(i.Path)
	if i.Kind == Dir {
		dir = i.Path
	}
	if dir == m.last {
		return // files of a directory follow each other
	}
	m.last = dir
	for _, d := range m.own.madeDirs(dir) {
		if !m.seen[d] {
			m.seen[d] = true
			m.list = append(m.list, d)
		}
	}
}

func undoKept(k *runtime.Keeper, args keptArgs, keep *keeping) (*runtime.Undo, error) {
	note := "puts back what was there"
	if len(keep.paths) > 0 {
		// The sizes are found out while reading: a log may grow meanwhile.
		keep.sizes = make([]int64, len(keep.paths))
		defer keep.close()
		blob, err := k.Keep(keep, keep.private)
		if err != nil {
			return nil, err
		}
		args.Content = &blob
		n := 0
		for i := range args.Files {
			if args.Files[i].Kind == File {
				args.Files[i].Size = keep.sizes[n]
				n++
			}
		}
	} else if len(args.Files) == 1 && args.Files[0].Kind == "" {
		note = "removes " + string(args.Files[0].Path)
	}
	return &runtime.Undo{Kind: "fs.file", Args: args, Note: note}, nil
}

// maxScan is up to which size in bytes a file is searched for secrets. A larger one is kept sealed without.
const maxScan = 4 << 20

// secret reports whether a content must be kept sealed.
func secret(k *runtime.Keeper, i Info) (bool, error) {
	if Private(i.Mode) || i.Size > maxScan {
		return true, nil
	}
	f, err := openRegular(i.Path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxScan))
	return k.Secret(data), err
}

// keeping reads files one after the other as one content.
type keeping struct {
	ctx     context.Context
	paths   []string
	private bool
	sizes   []int64

	at  int // the file that is being read
	now io.ReadCloser
}

// Read implements [io.Reader].
func (k *keeping) Read(p []byte) (int, error) {
	if err := stopped(k.ctx); err != nil {
		return 0, err
	}
	for k.at < len(k.paths) {
		if k.now == nil {
			f, err := openRegular(k.paths[k.at])
			if err != nil {
				return 0, err
			}
			k.now = f
		}
		n, err := k.now.Read(p)
		k.sizes[k.at] += int64(n)
		if err == io.EOF {
			err = k.now.Close()
			k.now = nil
			k.at++
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.EOF
}

// close is for a reading that was broken off.
func (k *keeping) close() {
	if k.now != nil {
		k.now.Close()
	}
}

// UndoMeta is the undo of changing modes or owners; the infos are from before.
func UndoMeta(before []Info) *runtime.Undo { return undoMeta(metaArgs{}, before) }

// UndoMetaIn is the undo of [Writer.SetMeta].
func UndoMetaIn(dir string, before []Info) *runtime.Undo {
	return undoMeta(metaArgs{Dir: Path(dir)}, before)
}

func undoMeta(args metaArgs, before []Info) *runtime.Undo {
	for _, i := range before {
		s := stateOf(i)
		s.MTime, s.Size = 0, 0
		args.Files = append(args.Files, s)
	}
	return &runtime.Undo{Kind: "fs.meta", Args: args, Note: "puts back mode and owner"}
}

// UndoMoved is the undo of [Writer.Rename].
func UndoMoved(k *runtime.Keeper, from, to string) *runtime.Undo {
	args := movedArgs{Dirs: ownershipOf(k.World()).madeDirs(filepath.Dir(from)), From: Path(from), To: Path(to)}
	return &runtime.Undo{Kind: "fs.moved", Args: args, Note: "moves it back to " + from}
}
