package process

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/builtins/internal/proc"
	"github.com/infrarun/infrarun/runtime"
)

// look tells who runs of a service, as far as a preview has predicted it. Of what was predicted there are no
// identities: only whether it runs.
func look(r *runtime.Reader, s service) (f found, running, predicted bool) {
	if r.Preview() {
		if running, ok := predictionsOf(r.World()).of(s); ok {
			return found{}, running, true
		}
	}
	f = s.find()
	return f, f.well(), false
}

// problems lists why a service could not be started as things are, or in a preview will be.
func (d definition) problems(v *filesys.View) []error {
	var all []error
	add := func(err error) {
		if err != nil {
			all = append(all, err)
		}
	}
	add(checkExecutable(v, d))
	add(checkKind(v, "its working directory", d.Cwd, filesys.Dir))
	if d.EnvFile != "" {
		add(checkKind(v, "its environment file", d.EnvFile, filesys.File))
	}
	o, err := ownerOf(v, d)
	add(err)
	if err == nil {
		add(checkTools(o))
	}
	return all
}

func checkExecutable(v *filesys.View, d definition) error {
	file := d.Command[0]
	if !filepath.IsAbs(file) {
		_, err := child.Lookup(file, d.Cwd)
		return err
	}
	info, err := v.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &child.NotFoundError{File: file}
	case err != nil:
		return err
	case info.Opaque != "":
		return nil
	case info.Kind == filesys.Dir:
		return &child.NotExecutableError{File: file, Why: "it is a directory"}
	case info.Mode&0o111 == 0:
		return &child.NotExecutableError{File: file, Why: "its mode " + filesys.Octal(info.Mode) + " lets nobody execute it"}
	}
	return nil
}

func checkKind(v *filesys.View, what, path string, want filesys.Kind) error {
	info, err := v.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s %s does not exist", what, path)
	case err != nil:
		return err
	case info.Kind != want && info.Opaque == "":
		return fmt.Errorf("%s %s is a %s", what, path, info.Kind)
	}
	return nil
}

// checkPorts fails if a stranger listens on a port that the service is to listen on.
func (d definition) checkPorts(w *runtime.World, s service) error {
	for _, port := range d.Ports {
		switch state, by := ports.Of(w).Lookup(port); {
		case state == ports.Free || state == ports.Taken && by == s.name:
			continue
		case state == ports.Taken:
			return fmt.Errorf("port %d will be taken by %s", port, by)
		}
		owner, taken, err := ports.Listener(port)
		if err != nil {
			return err
		}
		if !taken || slices.ContainsFunc(s.processes(), func(id proc.Identity) bool { return id.PID == owner.PID }) {
			continue
		}
		return fmt.Errorf("port %d is taken by %s; end that, or give %s another port", port, nameOf(owner), s.name)
	}
	return nil
}

// why says what a start has to do with what runs, "" if nothing is to do.
func (st *start) why(f found, running, predicted bool, before definition, known bool) string {
	switch {
	case !predicted && f.any() && !f.well():
		return "restart, since " + ailment(f)
	case !running:
		return "start"
	case st.force:
		return "restart"
	case !known:
		return "restart, since what it was started with is not recorded"
	}
	changed := st.def.changes(before)
	if !predicted {
		ran := origin{f.state.Executable, f.state.Directory}
		if ran != (origin{st.def.Executable.Path, st.def.Directory}) && len(changed) == 0 {
			changed = append(changed, "what its paths lead to")
		}
	}
	if st.envDiffers && !slices.Contains(changed, "env_file") {
		changed = append(changed, "content of env_file")
	}
	if len(changed) == 0 && st.scriptDiffers {
		changed = append(changed, "start script")
	}
	if len(changed) == 0 {
		return ""
	}
	return "restart with another " + strings.Join(changed, ", ")
}

// ailment says what is wrong with a service of which something runs.
func ailment(f found) string {
	if f.command != (proc.Identity{}) {
		return "its supervisor is gone"
	}
	if f.state.Exited {
		return fmt.Sprintf("it keeps failing with exit status %d", f.state.ExitCode)
	}
	return "it has only half begun"
}
