package exec

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type runArgs struct {
	Argv     runtime.Strings   `arg:"argv" doc:"the command and its arguments; a command without a slash is looked for in PATH, a relative path is relative to cwd"`
	Cwd      string            `arg:"cwd" default:"" doc:"its working directory; by default that of infrarun"`
	Env      runtime.StringMap `arg:"env" default:"" doc:"variables to set beside those that infrarun has; of these INFRARUN_… are not passed on"`
	Stdin    string            `arg:"stdin" default:"" doc:"what it reads; by default nothing"`
	Timeout  runtime.Seconds   `arg:"timeout" default:"10m" doc:"how long it may take, in seconds; then it is ended, which is an error whatever check says; 0: as long as it likes"`
	User     string            `arg:"user" default:"" doc:"who runs it, by name or number; only root can run something as somebody else"`
	Check    bool              `arg:"check" default:"true" doc:"whether an exit status other than 0 is an error"`
	ReadOnly bool              `arg:"read_only" default:"false" doc:"whether it changes nothing: then it is no change, and runs in a preview too"`
	Preview  assumption        `arg:"preview" default:"" doc:"what a preview takes for its result: exec.result(…); without it a preview stops where the result is used"`
	Undo     runtime.Strings   `arg:"undo" default:"" doc:"the command that takes it back; it is run even if the command itself failed or never began"`
	Creates  runtime.Strings   `arg:"creates" default:"" doc:"paths that it makes; one with / at its end is a directory. If all are there nothing is to do; undo removes those that were not"`
	Title    string            `arg:"title" default:"" doc:"what the operator reads instead of the command"`
	Show     bool              `arg:"show" default:"false" doc:"of a read_only command: tell the operator each line that it prints, as log.info does"`
	Secret   bool              `arg:"secret" default:"false" doc:"of a read_only command: its stdout is a secret, which is shown nowhere"`
}

var run = runtime.Define(runtime.Builtin{
	Name: "exec.run",
	Doc: "Runs a command to its end and shows what it prints. " +
		"A preview does not run it, unless it is declared read_only: declare that only if it is true, for then " +
		"nothing guards what the command does. " +
		"Of the output the first 4 MiB of each stream are in the result; if there was more, the last line says so. " +
		"A command that fails may have had half of its effect, so it is undone like one that did not.",
	Returns:    "struct(ok, code, stdout, stderr, command)",
	Permission: "`exec` on argv[0] and undo[0], `fs.write` on each of creates",
	Undo:       runtime.Compensating,
	Example: `exec.run(["npm", "ci"], cwd = web, creates = [web + "/node_modules/"], title = "install npm packages")` + "\n" +
		`version = exec.run(["go", "version"], read_only = True).stdout` + "\n" +
		`exec.run(["createdb", "infra"], undo = ["dropdb", "--if-exists", "infra"])`,
}, func(c *runtime.Call, a runArgs) (starlark.Value, error) {
	cmd, err := newCommand(c.BaseDir(), a)
	if err != nil {
		return nil, err
	}
	if a.ReadOnly {
		return cmd.probe(c)
	}
	return c.Do(cmd)
})

// command is a call of exec.run. As a runtime.Change it is the command that changes something.
type command struct {
	spec    child.Spec
	check   bool
	assumed assumption
	undo    []string
	creates []created
	title   string
	show    bool // tell what it prints
	secret  bool // what it prints is for nobody
}

// newCommand makes absolute what is relative, and refuses what can never work.
func newCommand(base string, a runArgs) (*command, error) {
	cmd := &command{
		spec: child.Spec{
			Argv: a.Argv, Dir: filesys.Abs(base, a.Cwd), Env: a.Env, User: a.User, Stdin: a.Stdin, Timeout: a.Timeout.Duration,
		},
		check: a.Check, assumed: a.Preview, undo: a.Undo, title: a.Title,
		show: a.Show, secret: a.Secret,
	}
	if err := cmd.spec.Check(); err != nil {
		return nil, err
	}
	if (a.Show || a.Secret) && (!a.ReadOnly || a.Show && a.Secret) {
		return nil, errors.New("show and secret say what becomes of the output of a read_only command; give one of them")
	}
	if a.Undo != nil {
		if err := (child.Spec{Argv: a.Undo}).Check(); err != nil {
			return nil, fmt.Errorf("undo: %w", err)
		}
	}
	if a.ReadOnly && (a.Undo != nil || len(a.Creates) > 0) {
		return nil, errors.New("it is declared read_only, so there is nothing to undo and it creates nothing")
	}
	for _, path := range a.Creates {
		if path == "" {
			return nil, errors.New("creates: a path is empty")
		}
		cmd.creates = append(cmd.creates, created{path: filesys.Abs(base, path), dir: strings.HasSuffix(path, "/")})
	}
	return cmd, nil
}

// text is the command as a person would type it.
func (cmd *command) text() string { return child.Quote(cmd.spec.Argv) }

// name is what the operator reads.
func (cmd *command) name() string {
	if cmd.title != "" {
		return cmd.title
	}
	return cmd.text()
}

// needs lists the permissions that the call takes.
func (cmd *command) needs() []policy.Need {
	needs := []policy.Need{{Kind: "exec", Target: child.Absolute(cmd.spec.Argv[0], cmd.spec.Dir)}}
	if cmd.undo != nil {
		needs = append(needs, policy.Need{Kind: "exec", Target: child.Absolute(cmd.undo[0], cmd.spec.Dir)})
	}
	for _, c := range cmd.creates {
		needs = append(needs, policy.Need{Kind: "fs.write", Target: c.path})
	}
	return slices.Compact(needs)
}
