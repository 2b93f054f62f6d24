package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type fileArgs struct {
	source
	Mode runtime.FileMode `arg:"mode" default:"0644" doc:"permission bits of the file"`
}

func fileBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "fetch.file", Undo: runtime.Exact, Permission: "net on the URL's host:port, and on that of every redirect; fs.write on dst",
		Returns: "struct(path, changed, size), size being in bytes",
		Doc: "Downloads a file, unless the file there has the sum already. Whoever opens dst finds the old file or the new one, " +
			"never a part: it gets its name when it is on the disk and its sum is verified. It belongs to whoever runs infrarun. " +
			"At most 4 GiB are downloaded. A preview contacts nobody.",
		Example: `fetch.file("https://downloads.example/app-1.4", "/usr/local/bin/app", sum = "sha256:" + APP_SHA256, mode = "0755")`,
	}, func(c *runtime.Call, a fileArgs) (starlark.Value, error) {
		d, err := a.prepare(c)
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(a.Dst, "/") {
			return nil, errors.New("for parameter dst: it ends in a slash, which names a directory; give the path of the file")
		}
		return c.Do(&fetchFile{download: d, mode: a.Mode.Bits, draft: beside(d.dst), view: filesys.Read(c.Reader())})
	})
}

// fetchFile is the change that fetch.file makes.
type fetchFile struct {
	*download
	mode  fs.FileMode
	draft string // what the file is called until it is whole
	view  *filesys.View

	action action
	old    filesys.Info
}

// action is what it takes to make a file what is wanted.
type action int

const (
	keep    action = iota // nothing
	create                // there is none
	replace               // it is another one, or a link
	chmod                 // only the mode differs
)

var _ runtime.Change = (*fetchFile)(nil)

// Describe implements runtime.Change.
func (x *fetchFile) Describe() runtime.Description {
	return runtime.Description{Call: "fetch.file", Target: x.dst, Needs: needs(x.view, x.download), Undo: runtime.Exact}
}

// Probe implements runtime.Change.
func (x *fetchFile) Probe(ctx context.Context, _ *runtime.Reader) (runtime.Finding, error) {
	found := runtime.Finding{}
	var err error
	x.old, err = x.view.Lstat(x.dst)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		x.action, err = create, dirAbove(x.view, x.dst)
	case isUnknown(err), err == nil && x.old.Opaque != "" && x.old.Opaque != x.described():
		x.action, err, x.old = replace, nil, filesys.Info{}
		found.Assumed = fmt.Sprintf("that %s is to be downloaded: what is there is known only in a run", x.dst)
	case err == nil:
		err = x.compare(ctx)
	}
	if err != nil {
		return found, err
	}
	found.Needed = x.action != keep
	found.Summary = x.summary()
	if !found.Needed {
		found.Value = x.value(false, x.oldSize())
	}
	return found, nil
}

// described is what a preview knows of the file, once it is predicted.
func (x *fetchFile) described() string { return "a download with the sum " + x.sum.canonical() }

// compare decides what to do about what is there.
func (x *fetchFile) compare(ctx context.Context) error {
	switch {
	case x.old.Kind == filesys.Dir:
		return fmt.Errorf("there is a directory at %s; remove it first, or name a file in it", x.dst)
	case x.old.Kind == filesys.Other:
		return fmt.Errorf("%s is a device, socket or pipe; it is not replaced", x.dst)
	case x.old.Kind == filesys.Link:
		x.action = replace
		return nil
	}
	same := x.old.Opaque != ""
	if !same {
		var err error
		if same, err = x.matches(ctx); err != nil {
			return err
		}
	}
	switch {
	case !same:
		x.action = replace
	case x.old.Mode != x.mode:
		x.action = chmod
	}
	return nil
}

func (x *fetchFile) oldSize() int64 {
	if x.old.Opaque != "" {
		return unknownSize
	}
	return x.old.Size
}

// maxPredicted is how long a file can be that a preview holds in memory, in bytes.
const maxPredicted = 256 << 20

// matches reports whether the file that is there has the sum.
func (x *fetchFile) matches(ctx context.Context) (bool, error) {
	r, err := x.view.Open(x.dst)
	if err != nil {
		return false, err
	}
	defer r.Close()
	var content *io.SectionReader
	if f, ok := r.(*os.File); ok {
		content = io.NewSectionReader(f, 0, x.old.Size)
	} else {
		text, err := io.ReadAll(io.LimitReader(r, maxPredicted))
		if err != nil {
			return false, err
		}
		content = io.NewSectionReader(strings.NewReader(string(text)), 0, int64(len(text)))
	}
	got, err := x.sum.of(ctx, content)
	if x.sum.plain() && err != nil && ctx.Err() == nil {
		return false, nil // no zip, so not the one that is wanted
	}
	return got == x.sum, err
}

func (x *fetchFile) summary() string {
	what := fmt.Sprintf("download %s (sum %s)", x.shown, x.sum)
	switch x.action {
	case keep:
		return "it has the sum already"
	case chmod:
		return fmt.Sprintf("mode %s -> %s", filesys.Octal(x.old.Mode), filesys.Octal(x.mode))
	case create:
		return what + ", mode " + filesys.Octal(x.mode)
	}
	switch x.old.Kind {
	case filesys.Link:
		return what + ", in the place of the link to " + x.old.Target
	case filesys.File:
		return what + ", in the place of a file of " + filesys.Bytes(x.old.Size)
	}
	return what + ", in the place of what is there by then"
}

// Undo implements runtime.Change.
func (x *fetchFile) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	switch x.action {
	case chmod:
		return filesys.UndoMeta([]filesys.Info{x.old}), nil
	case create:
		return filesys.UndoCreated(k, x.draft, x.dst), nil
	}
	return filesys.KeepFiles(ctx, k, []string{x.draft, x.dst})
}

// Apply implements runtime.Change.
func (x *fetchFile) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	size, err := newFileMaker(w, x).make(ctx)
	if err != nil {
		return runtime.Applied{}, err
	}
	after, err := filesys.LeftAt(x.dst)
	return runtime.Applied{Value: x.value(true, size), After: after}, err
}

// Predict implements runtime.Change.
func (x *fetchFile) Predict(w *runtime.World) (starlark.Value, error) {
	over := filesys.Predicted(w)
	if x.action == chmod {
		return x.value(true, x.oldSize()), over.Chmod(x.dst, x.mode)
	}
	err := over.Opaque(x.dst, x.described())
	if err == nil {
		err = over.Chmod(x.dst, x.mode)
	}
	if err == nil {
		err = over.Chown(x.dst, os.Geteuid(), os.Getegid())
	}
	return x.value(true, unknownSize), err
}

// value is what the call evaluates to; the size of what is not there yet is unknownSize.
func (x *fetchFile) value(changed bool, size int64) starlark.Value {
	fields := starlark.StringDict{"path": starlark.String(x.dst), "changed": starlark.Bool(changed)}
	if size == unknownSize {
		return runtime.NewPartial(fields, []string{"size"}, "the size of what fetch.file downloads to "+x.dst, downloadsNothing)
	}
	fields["size"] = starlark.MakeInt64(size)
	return starlarkstruct.FromStringDict(starlarkstruct.Default, fields)
}

// unknownSize is the size of a file that a preview predicts.
const unknownSize = -1
