package git

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type checkoutArgs struct {
	repositoryArgs
	Commit     string `arg:"commit" doc:"a commit, branch or tag"`
	Dest       string `arg:"dest" doc:"the directory to make; the one above it must exist"`
	Subdir     string `arg:"subdir" default:"" doc:"the directory of the repository to check out; \"\": all of it"`
	Submodules bool   `arg:"submodules" default:"true" doc:"whether to check out submodules, too; else they are empty directories"`
	tokenArg
}

func checkoutBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "git.checkout", Permission: "fs.write on dest; " + readPermission, Undo: runtime.Exact,
		Returns: "struct(path, commit, short, files, changed)",
		Doc: "Writes the files of a commit to a directory, which is there as a whole or not at all. It has no .git: a release " +
			"is not worked in. Files get the mode 0644 or 0755 and the time of the commit; links are written as they are " +
			"and never followed; .gitattributes is not applied, and contents kept elsewhere (LFS) are not fetched. " +
			"Submodules are written at the commits that are recorded.\n\n" +
			"A file " + releaseFile + " says what was checked out. If dest exists it must have been made by git.checkout " +
			"from the same commit and still have each of its files; what a build has added does not matter. Anything else " +
			"at dest is an error: a release is not changed in place.",
		Example: `git.checkout(url, commit, releases + "/" + commit[:12])`,
	}, func(c *runtime.Call, a checkoutArgs) (starlark.Value, error) {
		o, err := newOpener(c, a.Token)
		if err != nil {
			return nil, err
		}
		return c.Do(&checkout{args: a, opener: o, dest: filesys.Abs(c.BaseDir(), a.Dest)})
	})
}

// checkout is the change that git.checkout makes.
type checkout struct {
	args   checkoutArgs
	opener *opener
	dest   string
	temp   string // where the tree is written before it gets its name

	// What Probe has found.
	snap  *snapshot
	made  release
	title string // main (3f2a9c1 fix the gate)
}

func (ch *checkout) Describe() runtime.Description {
	return runtime.Description{
		Call: "git.checkout", Target: ch.dest, Undo: runtime.Exact, UndoNote: "removes the directory",
		Needs: []policy.Need{{Kind: "fs.write", Target: ch.dest}}, Tree: true,
	}
}

func (ch *checkout) Probe(ctx context.Context, r *runtime.Reader) (found runtime.Finding, err error) {
	if err := ch.load(ctx); err != nil {
		return runtime.Finding{}, err
	}
	defer func() {
		if !found.Needed {
			ch.snap.close()
		}
	}()
	view := filesys.Read(r)
	there, err := ch.present(ctx, view)
	if err != nil {
		return runtime.Finding{}, err
	}
	if there {
		return runtime.Finding{
			Summary: fmt.Sprintf("%s is there, %d files", ch.title, ch.made.Files), Value: ch.value(false),
		}, nil
	}
	above, err := view.Stat(filepath.Dir(ch.dest))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return runtime.Finding{}, fmt.Errorf("the directory %s does not exist; make it with fs.mkdir", filepath.Dir(ch.dest))
	case err != nil:
		return runtime.Finding{}, err
	case above.Kind != filesys.Dir:
		return runtime.Finding{}, fmt.Errorf("%s is no directory", filepath.Dir(ch.dest))
	}
	return runtime.Finding{
		Needed: true, Summary: fmt.Sprintf("check out %s into %s, %d files", ch.title, ch.dest, ch.made.Files),
	}, nil
}

// present reports whether dest is already the commit. It is an error if something else is there.
func (ch *checkout) present(ctx context.Context, view reader) (bool, error) {
	info, err := view.Lstat(ch.dest)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if err := info.Known(); err != nil {
		return false, err
	}
	if info.Kind != filesys.Dir {
		return false, fmt.Errorf("it exists, and is a %s", info.Kind)
	}
	found, err := releaseAt(view, ch.dest)
	switch {
	case errors.Is(err, errNoRelease):
		return false, fmt.Errorf("it exists, and %w; remove it or check out elsewhere", err)
	case err != nil:
		return false, err
	case found.Subdir != ch.made.Subdir:
		return false, fmt.Errorf("it holds the directory %q of the repository, not %q; check out elsewhere", found.Subdir, ch.made.Subdir)
	case found.Commit != ch.made.Commit:
		return false, fmt.Errorf("it holds the commit %s, not %s; a release is not changed in place: check out elsewhere",
			found.Commit[:7], ch.made.Commit[:7])
	}
	if err := ch.snap.compare(ctx, view, ch.dest); err != nil {
		var unknown *runtime.UnknownError
		if errors.As(err, &unknown) || ctx.Err() != nil {
			return false, err
		}
		return false, fmt.Errorf("it was changed since it was checked out: %w; a release is not repaired in place: "+
			"remove it or check out elsewhere", err)
	}
	return true, nil
}

func (ch *checkout) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	ch.temp = tempBeside(ch.dest)
	created := filesys.UndoCreatedTree(k, ch.dest)
	args, err := json.Marshal(created.Args)
	if err != nil {
		return nil, err
	}
	return &runtime.Undo{
		Kind: undoKind, Note: created.Note,
		Args: undoArgs{Temp: filesys.Path(ch.temp), Kind: created.Kind, Created: args},
	}, nil
}

// tempBeside returns a name that nobody can have prepared something under.
func tempBeside(dest string) string {
	return filepath.Join(filepath.Dir(dest), ".infrarun-checkout-"+rand.Text())
}

func (ch *checkout) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	defer ch.snap.close()
	if ch.temp == "" {
		ch.temp = tempBeside(ch.dest) // in a rollback, which is not undone
	}
	if err := newWriter(w).checkOut(ctx, ch.snap, ch.temp, ch.dest, ch.title); err != nil {
		return runtime.Applied{}, ch.opener.distrust(err)
	}
	return runtime.Applied{Value: ch.value(true), After: ch.made}, nil
}

func (ch *checkout) Predict(w *runtime.World) (starlark.Value, error) {
	return ch.value(true), filesys.Predicted(w).Mount(ch.dest, treeFS{ch.snap})
}

func (ch *checkout) value(changed bool) starlark.Value {
	return structOf(starlark.StringDict{
		"path": starlark.String(ch.dest), "commit": starlark.String(ch.made.Commit),
		"short": starlark.String(ch.made.Commit[:7]), "files": starlark.MakeInt(ch.made.Files), "changed": starlark.Bool(changed),
	})
}

const undoKind = "git.checkout"

// undoArgs are what takes a checkout back: the undo of making dest, and where an interrupted one left its files.
type undoArgs struct {
	Temp    filesys.Path    `json:"temp"`
	Kind    string          `json:"kind"`
	Created json.RawMessage `json:"created"`
}

func undoCheckout(ctx context.Context, w *runtime.Writer, args undoArgs) error {
	temp := string(args.Temp)
	if _, err := os.Lstat(temp); err == nil {
		if err := filesys.Writable(w).Delete(temp); err != nil {
			return err
		}
	}
	undoer := filesys.Undoers()[args.Kind]
	if undoer == nil {
		return fmt.Errorf("this version of infrarun knows no undo of the kind %s", args.Kind)
	}
	return undoer.Undo(ctx, w, args.Created)
}

// drift says how a release differs from what the run left: whether another one stands in its place.
func drift(_ context.Context, r *runtime.Reader, args undoArgs, left release) (string, error) {
	var created struct {
		Paths []filesys.Path `json:"paths"`
	}
	if err := json.Unmarshal(args.Created, &created); err != nil || len(created.Paths) == 0 {
		return "", err
	}
	dest := string(created.Paths[len(created.Paths)-1])
	now, err := releaseAt(filesys.Read(r), dest)
	switch {
	case errors.Is(err, errNoRelease):
		return dest + " is gone, or is no release any more", nil
	case err != nil:
		return "", err
	case now.Commit != left.Commit:
		return fmt.Sprintf("%s holds the commit %s, not %s", dest, now.Commit[:7], left.Commit[:7]), nil
	}
	return "", nil
}
