package process

import (
	_ "embed"
	"fmt"
	"maps"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// template is the start script, with a line where the definition goes. It is a shell script by itself, so
// that it can be read and checked as one.
//
//go:embed script.sh
var template string

const definitionLine = "#@definition@\n"

// servicePath is where a service looks for commands: what systemd gives its units, not what whoever deploys
// happens to have.
const servicePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// owner is who runs a service.
type owner struct {
	user     *user.User
	switches bool // it is another one than who runs infrarun
}

// ownerOf finds who is to run a service; in the view of a preview that may be a user that the run would make.
func ownerOf(v *filesys.View, d definition) (owner, error) {
	if d.User == "" {
		u, err := user.Current()
		if err != nil {
			return owner{}, fmt.Errorf("find out who runs infrarun: %w", err)
		}
		return owner{user: u}, nil
	}
	u, err := child.FindUser(v, d.User)
	if err != nil {
		return owner{}, err
	}
	switches, err := child.Switches(u)
	return owner{u, switches}, err
}

// environment is what a service has before its own variables are set: always the same, whoever starts it.
func environment(s service, o owner) []string {
	env := []string{"PATH=" + servicePath, "SHELL=/bin/sh", "LANG=C.UTF-8", s.marker()}
	own := child.UserEnv(o.user)
	for _, name := range slices.Sorted(maps.Keys(own)) {
		env = append(env, name+"="+own[name])
	}
	return env
}

// render makes the start script.
func (d definition) render(s service, o owner) []byte {
	var b strings.Builder
	set := func(name, value string) { fmt.Fprintf(&b, "%s=%s\n", name, quote(value)) }
	set("name", s.name)
	set("dir", s.dir)
	set("cwd", d.Cwd)
	set("log", d.Log)
	set("env_file", d.EnvFile)
	var uid, gid string
	if o.switches {
		uid, gid = o.user.Uid, o.user.Gid
	}
	set("user", uid)
	set("group", gid)
	fmt.Fprintf(&b, "stop_timeout=%d\n\n", d.StopTimeout)

	b.WriteString("clean() { # COMMAND…: becomes it, with nothing but the environment of a service\n\texec env -i")
	for _, entry := range environment(s, o) {
		b.WriteString(" \\\n\t\t" + quote(entry))
	}
	b.WriteString(" \\\n\t\t\"$@\"\n}\n\n")

	b.WriteString("settings() { # of the command\n\t:\n")
	for _, name := range slices.Sorted(maps.Keys(d.Env)) {
		fmt.Fprintf(&b, "\texport %s=%s\n", name, quote(d.Env[name]))
	}
	b.WriteString("}\n\n")

	b.WriteString("with_command() { # FUNCTION: calls it with the command and its arguments\n\t\"$@\"")
	for _, arg := range d.Command {
		b.WriteString(" \\\n\t\t" + quote(arg))
	}
	b.WriteString("\n}\n")
	return []byte(strings.Replace(template, definitionLine, b.String(), 1))
}

// quote writes a text as one word of a shell, always in quotes.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// tools are the commands that the start script cannot do without.
func tools(o owner) []string {
	names := []string{"setsid", "flock"}
	if o.switches {
		names = append(names, "setpriv")
	}
	return names
}

// checkTools fails if the start script could not run.
func checkTools(o owner) error {
	for _, name := range tools(o) {
		if !slices.ContainsFunc(filepath.SplitList(servicePath), func(dir string) bool {
			_, err := child.Lookup(filepath.Join(dir, name), "/")
			return err == nil
		}) {
			return fmt.Errorf("there is no command %s in %s, which start scripts need; install util-linux", name, servicePath)
		}
	}
	return nil
}
