package git

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/diag"
)

// maxRead is the size in bytes up to which git.read returns a file.
const maxRead = 16 << 20

var errTooLarge = fmt.Errorf("the tree has more than %d entries, or lies deeper than %d directories", maxEntries, maxDepth)

type readArgs struct {
	repositoryArgs
	Commit  string         `arg:"commit" doc:"a commit, branch or tag"`
	Path    string         `arg:"path" doc:"the file, from the top of the repository"`
	Default starlark.Value `arg:"default" default:"" doc:"what to return if the commit has no such file; None: that is an error"`
	tokenArg
}

func readBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "git.read", Permission: readPermission, Returns: "string, or default",
		Doc:     "Reads a file of a commit without checking it out. It may have up to 16 MiB. A link is not followed, nor a submodule looked into.",
		Example: `version = git.read(url, commit, "VERSION").strip()`,
	}, func(c *runtime.Call, a readArgs) (starlark.Value, error) {
		name := strings.Trim(a.Path, "/")
		if !fs.ValidPath(name) || name == "." {
			return nil, fmt.Errorf("path %q: want the path of a file, from the top of the repository", a.Path)
		}
		o, err := newOpener(c, a.Token)
		if err != nil {
			return nil, err
		}
		var v starlark.Value
		err = o.use(a.URL, []string{a.Commit}, func(r *repo, at []resolved) error {
			content, err := r.readFile(at[0].commit, name)
			if errors.Is(err, fs.ErrNotExist) && a.Default != nil && a.Default != starlark.None {
				v = a.Default
				return nil
			}
			v = starlark.String(content)
			return err
		})
		return v, err
	})
}

// readFile reads a file of a commit; its error is fs.ErrNotExist if there is none.
func (r *repo) readFile(h hash, name string) ([]byte, error) {
	e, siblings, err := r.entryAt(h, name)
	if err != nil {
		return nil, err
	}
	switch e.mode & modeKind {
	case 0:
		near := diag.DidYouMean(path.Base(name), siblings)
		return nil, &missingFile{fmt.Sprintf("%s has no file %s at %s%s", r.where, name, short(h), near)}
	case modeTree:
		return nil, fmt.Errorf("%s is a directory in %s", name, r.where)
	case modeLink:
		return nil, fmt.Errorf("%s is a symbolic link in %s; read what it leads to", name, r.where)
	case modeSubmodule:
		return nil, fmt.Errorf("%s is a submodule in %s; read its own repository", name, r.where)
	}
	data, err := r.readBlob(e.hash, maxRead)
	if err != nil {
		return nil, fmt.Errorf("%s in %s: %w", name, r.where, err)
	}
	return data, nil
}

// missingFile is a file that a commit does not have.
type missingFile struct{ text string }

func (e *missingFile) Error() string { return e.text }
func (e *missingFile) Unwrap() error { return fs.ErrNotExist }
