package process

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// portList is a parameter that takes a list of TCP ports.
type portList []int

// TypeName names the type in documentation.
func (*portList) TypeName() string { return "list of int" }

// Unpack implements starlark.Unpacker.
func (p *portList) Unpack(v starlark.Value) error {
	seq, ok := v.(starlark.Sequence)
	if !ok {
		return fmt.Errorf("got %s, want a list of ports", v.Type())
	}
	for e := range starlark.Elements(seq) {
		n, err := starlark.AsInt32(e)
		if err != nil || n < 1 || n > math.MaxUint16 {
			return fmt.Errorf("%s is no port, which is 1 to 65535", e)
		}
		*p = append(*p, n)
	}
	return nil
}

type startArgs struct {
	Name        string            `arg:"name" doc:"its name: letters, digits and ._-"`
	Command     runtime.Strings   `arg:"command" doc:"the command and its arguments; a command without a slash is looked for in PATH, a relative path is relative to cwd"`
	Dir         string            `arg:"dir" doc:"an existing directory for the start script and the pidfile"`
	Cwd         string            `arg:"cwd" default:"" doc:"its working directory; by default dir"`
	Env         runtime.StringMap `arg:"env" default:"" doc:"its variables. It inherits none: like a systemd unit it has PATH, HOME, USER, LOGNAME, SHELL and LANG beside these. No secrets: those belong in env_file"`
	EnvFile     string            `arg:"env_file" default:"" doc:"a file as text.dotenv writes it, with more variables, which win over env; it is read, not executed, and copied, so that it can be started again as it was"`
	Log         string            `arg:"log" default:"" doc:"the file to which its output is appended; by default <dir>/<name>.log. It stays open: rotate it with copytruncate"`
	Ports       portList          `arg:"ports" default:"" doc:"the TCP ports on which it will listen: a start fails if a stranger has one of them, and a preview takes them for taken"`
	StopTimeout runtime.Seconds   `arg:"stop_timeout" default:"10s" doc:"how long it has to end after SIGTERM, in seconds, before it is ended by force"`
	User        string            `arg:"user" default:"" doc:"who runs it, by name or number; only root can run something as somebody else"`
}

// definition makes absolute what is relative, and refuses what can never work.
func (a startArgs) definition(base string, s service) (definition, error) {
	d := definition{
		Name: s.name, Command: slices.Clone(a.Command), Cwd: s.dir, Env: a.Env, Log: s.file(".log"), Ports: a.Ports,
		StopTimeout: seconds(a.StopTimeout.Duration), User: a.User,
	}
	for _, path := range []struct {
		name  string
		given string
		into  *string
	}{{"cwd", a.Cwd, &d.Cwd}, {"env_file", a.EnvFile, &d.EnvFile}, {"log", a.Log, &d.Log}} {
		if err := oneLine(path.name, path.given); err != nil {
			return d, err
		}
		if path.given != "" {
			*path.into = filesys.Abs(base, path.given)
		}
	}
	if err := (child.Spec{Argv: d.Command, Env: d.Env}).Check(); err != nil {
		return d, err
	}
	if err := oneLine("command", d.Command[0]); err != nil {
		return d, err
	}
	if err := checkNames(d.Env); err != nil {
		return d, err
	}
	if file, err := child.Lookup(d.Command[0], d.Cwd); err == nil {
		d.Command[0] = file
	} else {
		d.Command[0] = child.Absolute(d.Command[0], d.Cwd) // the probe says what is wrong with it
	}
	slices.Sort(d.Ports)
	return d, nil
}

var (
	variablePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// shellNames are variables that some shell does not let anybody set.
	shellNames = []string{"PPID", "UID", "EUID", "SHELLOPTS", "BASHOPTS", "BASH_VERSINFO"}
)

// checkNames refuses variables that the start script cannot set.
func checkNames(env map[string]string) error {
	for name := range env {
		switch {
		case !variablePattern.MatchString(name):
			return fmt.Errorf("env: %q cannot be set by a start script: a name is letters, digits and _, and does not begin with a digit", name)
		case slices.Contains(shellNames, name):
			return fmt.Errorf("env: %s cannot be set by a start script: it belongs to the shell", name)
		case strings.HasPrefix(strings.ToUpper(name), "INFRARUN_"):
			return fmt.Errorf("env: %s cannot be set: names that begin with INFRARUN_ are infrarun's own", name)
		}
	}
	return nil
}

// checkFiles refuses a log or environment file that is one of the service's own files.
func (d definition) checkFiles(s service) error {
	own := s.files()
	if slices.Contains(own, filepath.Clean(d.Log)) || slices.Contains(own, filepath.Clean(d.EnvFile)) {
		return errors.New("log and env_file: take another name than the service's own .sh, .json, .environment, .pid and .state")
	}
	return nil
}

// seconds rounds up: a start script counts in whole ones.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
