package secret

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/policy"
)

// maxFile bounds a file that holds a secret: keys and certificates are far smaller.
const maxFile = 1 << 20

type fileArgs struct {
	Path string `arg:"path" doc:"the file; a relative path is relative to the directory infrarun was started in"`
}

var fileBuiltin = runtime.Define(runtime.Builtin{
	Name: "secret.file", Returns: "string", Permission: "secret on file:PATH",
	Doc: "Returns the content of a file and keeps it out of everything that is written. Ends of lines at its end are left " +
		"out. Of a content of several lines each line of 8 bytes or more is a secret as well. Where others than its owner " +
		"may read the file there is a warning. If the path is a link, what it leads to must be declared too.",
	Example: `password = secret.file("/etc/app/database.password")`,
}, readFile)

func readFile(c *runtime.Call, a fileArgs) (starlark.Value, error) {
	path := filesys.Abs(c.BaseDir(), a.Path)
	source := "file:" + path
	if err := c.Need(policy.Need{Kind: "secret", Target: source}); err != nil {
		return nil, err
	}
	view := filesys.Read(c.Reader())
	real, err := target(view, path)
	if err != nil {
		return nil, readError(path, err)
	}
	// The names of secrets are compared as they are written, so a link could lead out of what was declared.
	if err := c.Need(policy.Need{Kind: "secret", Target: "file:" + real}); err != nil {
		return nil, err
	}
	info, err := view.Lstat(real)
	if err != nil {
		return nil, readError(path, err)
	}
	data, err := view.ReadFile(real, maxFile)
	if err != nil {
		return nil, readError(path, err)
	}
	value := strings.TrimRight(string(data), "\r\n")
	if value == "" {
		return nil, fmt.Errorf("%s is empty; write the secret into it", path)
	}
	if !filesys.Private(info.Mode) {
		c.Emit(events.Event{Kind: events.Log, Level: "warn", Position: c.Position(), Text: fmt.Sprintf(
			"%s holds a secret and has mode %04o, so others may read it; chmod 600 it", path, info.Mode.Perm())})
	}
	return register(c, source, value)
}

// maxLinks is how many links in a row the kernel follows.
const maxLinks = 40

// target returns where a path really leads.
func target(view *filesys.View, path string) (string, error) {
	for range maxLinks {
		real, err := view.Resolve(path)
		if err != nil {
			return "", err
		}
		info, err := view.Lstat(real)
		if err != nil || info.Kind != filesys.Link {
			return real, err
		}
		path = filesys.Abs(filepath.Dir(real), info.Target)
	}
	return "", errors.New("too many links")
}

// readError says what to do about a file that is not there.
func readError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no file %s; write the secret into it, with mode 0600", path)
	}
	return fmt.Errorf("read %s: %w", path, err)
}
