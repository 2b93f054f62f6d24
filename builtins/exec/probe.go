package exec

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// probe runs a command that is declared to change nothing, in a preview too.
func (cmd *command) probe(c *runtime.Call) (starlark.Value, error) {
	if err := c.Need(cmd.needs()...); err != nil {
		return nil, err
	}
	if c.Preview() {
		if why := cmd.notYet(filesys.Read(c.Reader())); why != "" {
			if !cmd.assumed.given {
				return nil, fmt.Errorf("%s: %s, so a preview cannot run it; preview = exec.result(stdout = …) says what to assume then", cmd.name(), why)
			}
			c.Assume("%s ends with exit status %d (%s)", cmd.name(), cmd.assumed.result.Code, why)
			return cmd.assume()
		}
	}
	spec := cmd.spec
	spec.Line = func(stream, line string) {
		switch {
		case cmd.secret && stream == "stdout":
		case cmd.show:
			c.Emit(events.Event{Kind: events.Log, Level: "info", Text: line})
		default:
			c.Emit(events.Event{Kind: events.Output, Stream: stream, Source: cmd.name(), Text: line, Level: "debug"})
		}
	}
	result, err := child.Probe(c.Context(), c.Reader(), spec)
	if text := strings.TrimSpace(result.Stdout); cmd.secret && text != "" {
		if err := c.AddSecret(text); err != nil {
			return nil, fmt.Errorf("%s: its output: %w", cmd.name(), err)
		}
	}
	if err := cmd.judge(err); err != nil {
		return nil, fmt.Errorf("%s: %w", cmd.name(), err)
	}
	return valueOf(result, cmd.text()), nil
}

// notYet says what a command needs that would only be there after a run, "" if nothing.
func (cmd *command) notYet(v *filesys.View) string {
	file := child.Absolute(cmd.spec.Argv[0], cmd.spec.Dir)
	for _, path := range []string{file, cmd.spec.Dir} {
		if filepath.IsAbs(path) && v.Predicted(path) {
			return path + " is not there yet as it will be"
		}
	}
	if there, err := v.Exists(cmd.spec.Dir); err == nil && !there {
		return "its working directory " + cmd.spec.Dir + " does not exist"
	}
	var missing *child.NotFoundError
	if _, err := child.Lookup(cmd.spec.Argv[0], cmd.spec.Dir); errors.As(err, &missing) {
		return "the command is not there yet"
	}
	if who := cmd.spec.User; who != "" && !knows(filesys.Machine(), who) && knows(v, who) {
		return "user " + who + " is not there yet"
	}
	return ""
}

func knows(v *filesys.View, name string) bool {
	_, err := child.FindUser(v, name)
	return err == nil
}

// startable says why a command could not be started as things are, or, in a preview, will be.
func (cmd *command) startable(r *runtime.Reader) error {
	v := filesys.Read(r)
	info, err := v.Stat(cmd.spec.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("its working directory %s does not exist", cmd.spec.Dir)
	case err != nil:
		return err
	case info.Kind != filesys.Dir && info.Opaque == "":
		return fmt.Errorf("its working directory %s is not a directory", cmd.spec.Dir)
	}
	if cmd.spec.User != "" {
		u, err := child.FindUser(v, cmd.spec.User)
		if err != nil {
			return err
		}
		if _, err := child.Switches(u); err != nil {
			return err
		}
	}
	if file := child.Absolute(cmd.spec.Argv[0], cmd.spec.Dir); filepath.IsAbs(file) && v.Predicted(file) {
		_, err := v.Stat(file)
		return err
	}
	_, err = child.Lookup(cmd.spec.Argv[0], cmd.spec.Dir)
	return err
}

type whichArgs struct {
	Name string `arg:"name" doc:"a name, which is looked for in PATH, or a path"`
}

var which = runtime.Define(runtime.Builtin{
	Name:    "exec.which",
	Doc:     "Returns the file that would run as a command, \"\" if there is none. A preview sees the commands that the run would put there.",
	Returns: "string",
	Example: `if not exec.which("jq"):` + "\n" + `    pkg.install(["jq"])`,
}, func(c *runtime.Call, a whichArgs) (starlark.Value, error) {
	if a.Name == "" || strings.ContainsRune(a.Name, 0) {
		return nil, errors.New("the name is empty or holds a NUL byte")
	}
	v := filesys.Read(c.Reader())
	for _, file := range child.Candidates(a.Name, c.BaseDir()) {
		info, err := v.Stat(file)
		if err == nil && info.Kind != filesys.Dir && (info.Opaque != "" || info.Mode&0o111 != 0) {
			return starlark.String(file), nil
		}
	}
	return starlark.String(""), nil
})
