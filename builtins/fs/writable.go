package fs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"golang.org/x/sys/unix"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

var writableBuiltin = runtime.Define(runtime.Builtin{
	Name: "fs.writable", Permission: "fs.read on path",
	Returns: "struct(ok, error): error names the directory and says why not, \"\" if ok",
	Doc: "Tells whether infrarun could write at a path, or below it if it is a directory, with the rights it has now. The kernel is " +
		"asked about the directory, or the nearest parent that is there; nothing is written. In a preview what would be made by " +
		"then is taken for granted, and the directory of the machine in which it would be made is asked.",
	Example: "check = fs.writable(\"/opt/app/releases\")\nif not check.ok:\n    fail(check.error)",
}, writable)

func writable(c *runtime.Call, a pathArgs) (starlark.Value, error) {
	v, path, err := forReading(c, a.Path)
	if err != nil {
		return nil, err
	}
	why := ""
	dir, err := directoryFor(v, path)
	var notDir *notDirError
	switch {
	case errors.As(err, &notDir):
		why = notDir.Error()
	case err != nil:
		return nil, err
	default:
		why = refusal(onDisk(dir))
	}
	return starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
		"ok": starlark.Bool(why == ""), "error": starlark.String(why),
	}), nil
}

// notDirError is something in the middle of a path that no directory can be made in.
type notDirError struct {
	path string
	kind filesys.Kind
}

func (e *notDirError) Error() string {
	return fmt.Sprintf("%s is a %s, not a directory", e.path, e.kind)
}

// directoryFor returns the directory in which something at path would be made, through links: path itself if it is one,
// or its nearest parent that is there. A file is replaced, so what counts is the directory that it is in.
func directoryFor(v *filesys.View, path string) (string, error) {
	for at := path; ; at = filepath.Dir(at) {
		i, err := v.Stat(at)
		switch {
		case err != nil && at != "/" && isNotExist(err):
			continue
		case err != nil:
			return "", err
		case i.Kind == filesys.Dir:
			return v.Follow(at)
		case at != path && i.Opaque == "":
			return "", &notDirError{at, i.Kind}
		}
		real, err := v.Resolve(at) // a link that is replaced is not followed
		return filepath.Dir(real), err
	}
}

// onDisk returns a directory, or its nearest parent that is one on the machine.
func onDisk(dir string) string {
	for dir != "/" {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

// refusal says why nothing can be made in a directory, "" if it can.
func refusal(dir string) string {
	err := unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS)
	switch {
	case err == nil:
		return ""
	case errors.Is(err, unix.EROFS):
		return dir + " is on a read-only file system"
	case errors.Is(err, unix.EPERM):
		return dir + " is immutable; see lsattr -d " + dir
	case errors.Is(err, unix.EACCES):
		return "user " + filesys.UserName(os.Geteuid()) + " may not write to " + dir + ownership(dir)
	}
	return fmt.Sprintf("%s cannot be written to: %v", dir, err)
}

// ownership tells who may write to a directory, as the rest of a sentence; "" if that cannot be found out.
func ownership(dir string) string {
	info, err := os.Stat(dir)
	if err != nil {
		return ""
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf(", which belongs to %s and %s and has the mode %s",
		filesys.UserName(int(st.Uid)), filesys.GroupName(int(st.Gid)), filesys.Octal(info.Mode()))
}
