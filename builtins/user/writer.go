package user

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// toolTimeout is how long a tool may take. It waits some seconds for another one that holds the lock.
const toolTimeout = time.Minute

// maker makes users and groups.
type maker struct {
	*making
	w      *runtime.Writer
	runner *child.Runner
}

// newMaker returns what makes users and groups, in exchange for a run's writer.
func newMaker(w *runtime.Writer, m *making) *maker {
	w.Require()
	return &maker{m, w, child.NewRunner(w)}
}

// make does what the plan says, and looks whether it is so then.
func (x *maker) make(ctx context.Context) error {
	var commands [][]string
	if x.makeGroup {
		commands = append(commands, x.tools.addGroup(x.group, x.args.System))
	}
	if x.makeUser {
		commands = append(commands, x.tools.addUser(x.user, x.group.name, x.args.System))
	}
	if x.changesUser() {
		argv, err := x.tools.modify(x.user, x.args.Home, x.args.Shell)
		if err != nil {
			return err
		}
		commands = append(commands, argv)
	}
	if len(x.join) > 0 {
		commands = append(commands, x.tools.join(x.args.Name, x.join)...)
	}
	for _, argv := range commands {
		if err := x.run(ctx, argv); err != nil {
			return err
		}
	}
	return x.check()
}

func (x *maker) run(ctx context.Context, argv []string) error {
	program := programAt(argv[0], func(path string) bool { _, err := os.Stat(path); return err == nil })
	if program == "" {
		return fmt.Errorf("%s: %w", argv[0], errNoTools)
	}
	spec := child.Spec{Argv: append([]string{program}, argv[1:]...), Timeout: toolTimeout, Line: x.w.Output, Env: map[string]string{"LC_ALL": "C"}}
	if _, err := x.runner.Run(ctx, spec); err != nil {
		return fmt.Errorf("%s: %w", child.Quote(argv), err)
	}
	return nil
}

// check fails unless the tools have done what they were told.
func (x *maker) check() error {
	now, err := readAccounts(x.view)
	if err != nil {
		return err
	}
	if x.makeGroup {
		if g, ok := now.group(x.group.name); !ok || g.gid != x.group.gid {
			return fmt.Errorf("%s has not made the group %s with the number %d", x.tools.name, x.group.name, x.group.gid)
		}
	}
	if x.call == "user.group" {
		return nil
	}
	u, ok := now.user(x.user.name)
	if !ok || u.uid != x.user.uid || u.gid != x.user.gid || u.home != x.user.home || u.shell != x.user.shell {
		return fmt.Errorf("%s has not made the user as it was told: there is %q, want %q", x.tools.name, u.line(), x.user.line())
	}
	for _, name := range x.join {
		if g, _ := now.group(name); !slices.Contains(g.members, u.name) {
			return fmt.Errorf("%s has not added the user to the group %s", x.tools.name, name)
		}
	}
	return nil
}

// fileWriter writes files of accounts.
type fileWriter struct {
	w     *runtime.Writer
	files *filesys.Writer
}

func newFileWriter(w *runtime.Writer) *fileWriter {
	w.Require()
	return &fileWriter{w, filesys.Writable(w)}
}

// restore puts a file back as it was, with its time.
func (x *fileWriter) restore(was kept) error {
	now, err := readKept(was.Path)
	if err != nil {
		return err
	}
	if !was.There {
		if !now.There {
			return nil
		}
		return x.files.Delete(was.Path)
	}
	if now.There && now.Mode == was.Mode && now.UID == was.UID && now.GID == was.GID && now.MTime == was.MTime &&
		string(now.Content) == string(was.Content) {
		return nil
	}
	if err := x.write(was, was.Content); err != nil {
		return err
	}
	at := time.Unix(0, was.MTime)
	return os.Chtimes(was.Path, at, at)
}

// write gives a file a content, and the mode and owner of like.
func (x *fileWriter) write(like kept, content []byte) error {
	return x.files.WriteFile(like.Path, content, os.FileMode(like.Mode), like.UID, like.GID)
}
