// Package fs is the family of builtins for files, directories and links.
//
// Reading; in a preview through what has been predicted so far:
//
//	fs.read(path, default = None, max_size = 16777216) -> string   the content of a file
//	fs.list(path) -> list of string                  the names in a directory, sorted
//	fs.glob(pattern) -> list of string               the paths that match * ? [a-z] and **, sorted
//	fs.exists(path), fs.is_file(path), fs.is_dir(path), fs.is_link(path) -> bool
//	fs.stat(path, follow = True) -> struct           kind, size, mode, owner, time
//	fs.readlink(path) -> string                      the target of a link
//	fs.sha256(path) -> string                        the hash of a file, in hex
//	fs.size(path) -> int                             bytes of a file, or of all files of a tree
//	fs.usage(path) -> struct                         room on the file system that holds it
//	fs.writable(path) -> struct(ok, error)           whether something could be written there
//
// Changing; each finds "nothing to do" where the machine already is so, and is undone to the byte:
//
//	fs.write(path, content, mode = None, owner = "", group = "") -> struct(path, changed)
//	fs.write_all(files, mode = "0644", owner = "", group = "") -> struct(changed)   many files, one sync
//	fs.mkdir(path, mode = None, owner = "", group = "") -> struct(path, changed)    with its parents
//	fs.copy(src, dst, mode = None) -> struct(path, changed)
//	fs.copy_tree(src, dst, exclude = []) -> struct(path, changed)
//	fs.symlink(target, path, force = False) -> struct(path, changed)                atomically
//	fs.move(src, dst) -> struct(path, changed)
//	fs.remove(path, missing_ok = True) -> struct(path, changed)
//	fs.chmod(path, mode, recursive = False) -> struct(path, changed)
//	fs.chown(path, owner, group = "", recursive = False) -> struct(path, changed)
//	fs.permissions(path, owner = "", group = "", file_mode = None, dir_mode = None, exclude = [])
//	    -> struct(path, changed, count)              owner and modes of a whole tree
//	fs.temp_dir(prefix = "") -> string               private to the run
//
// Paths that are not absolute are relative to the directory that infrarun was started in. The last component of
// a path that is written, moved or removed is never followed if it is a link.
//
// How files are really read, predicted, written and put back is the business of builtins/internal/filesys; here
// are what a recipe calls, and what an operator reads about it.
package fs

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// Kinds of permission.
const (
	readKind  = "fs.read"
	writeKind = "fs.write"
)

// Family returns the family fs.
func Family() *runtime.Family {
	f := &runtime.Family{
		Name: "fs",
		Doc: "Files, directories and links. What is written is on the disk when the call returns, and is put back to the " +
			"byte by a rollback.",
		Undoers: filesys.Undoers(),
		Permissions: map[string]policy.Matcher{
			readKind:  policy.ImpliedBy(policy.Paths{}, writeKind),
			writeKind: policy.Paths{},
		},
	}
	f.Builtins = append(f.Builtins, readBuiltins()...)
	f.Builtins = append(f.Builtins, statBuiltins()...)
	f.Builtins = append(f.Builtins,
		writeBuiltin, writeAllBuiltin, mkdirBuiltin, copyBuiltin, copyTreeBuiltin, symlinkBuiltin, moveBuiltin,
		removeBuiltin, chmodBuiltin, chownBuiltin, permissionsBuiltin, tempDirBuiltin, writableBuiltin,
	)
	return f
}

// target is a path of a call: absolute, clean, with what it needs permission for.
type target struct {
	path  string
	needs []policy.Need
}

// at reads a path parameter.
func at(c *runtime.Call, kind, path string) (target, error) {
	clean, err := absolute(c, path)
	if err != nil {
		return target{}, err
	}
	return target{clean, filesys.Read(c.Reader()).Needs(kind, clean)}, nil
}

// fileAt reads a path parameter that names a file or link to be made.
func fileAt(c *runtime.Call, path string) (target, error) {
	if strings.HasSuffix(path, "/") {
		return target{}, fmt.Errorf("%s ends in a slash, which names a directory; give the path of the file", path)
	}
	return at(c, writeKind, path)
}

func absolute(c *runtime.Call, path string) (string, error) {
	switch {
	case path == "":
		return "", errors.New("the path is empty")
	case strings.ContainsRune(path, 0):
		return "", errors.New("the path has a NUL byte")
	}
	return filesys.Abs(c.BaseDir(), path), nil
}

// entryAt reads the path parameter of a builtin that takes away or moves what is in a directory: a link itself, not what
// that leads to, which needs no permission then.
func entryAt(c *runtime.Call, name string) (target, error) {
	clean, err := absolute(c, name)
	if err != nil {
		return target{}, err
	}
	v := filesys.Read(c.Reader())
	dir, base := filepath.Split(clean)
	if v.InTemp(clean) || v.InTemp(filepath.Clean(dir)) {
		return target{path: clean}, nil
	}
	t := target{clean, []policy.Need{{Kind: writeKind, Target: clean, Entry: true}}}
	if to := filepath.Join(v.Redirect(filepath.Clean(dir)), base); to != clean {
		t.needs = append(t.needs, policy.Need{Kind: writeKind, Target: to, Entry: true})
	}
	return t, nil
}

// forReading reads a path parameter of a builtin that only looks, and asks whether it may.
func forReading(c *runtime.Call, path string) (*filesys.View, string, error) {
	t, err := at(c, readKind, path)
	if err != nil {
		return nil, "", err
	}
	return filesys.Read(c.Reader()), t.path, c.Need(t.needs...)
}

// result is what most builtins return that change something.
func result(path string, changed bool) starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
		"path": starlark.String(path), "changed": starlark.Bool(changed),
	})
}

// changedDoc describes what result makes.
const changedDoc = "struct(path, changed)"

// isUnknown reports whether a preview cannot know what was asked.
func isUnknown(err error) bool {
	var unknown *runtime.UnknownError
	return errors.As(err, &unknown)
}

// parentThere fails if the directory that a path is to be made in is missing.
func parentThere(v *filesys.View, path string) error {
	dir := filepath.Dir(path)
	i, err := v.Stat(dir)
	switch {
	case isUnknown(err):
		return nil
	case isNotExist(err):
		return fmt.Errorf("its directory %s does not exist; make it first with fs.mkdir", dir)
	case err != nil:
		return err
	case i.Kind != filesys.Dir && i.Opaque == "":
		return fmt.Errorf("%s is a %s, not a directory", dir, i.Kind)
	}
	return nil
}

// isIn reports whether a clean path is dir or lies in it.
func isIn(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }
