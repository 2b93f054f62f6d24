package composefile

import (
	"errors"
	"os"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// Args are the arguments that say what a project is.
type Args struct {
	Dir      string            `arg:"dir" doc:"the project's directory: relative paths in its files are relative to it"`
	Files    runtime.Strings   `arg:"files" default:"" doc:"its compose files, later ones override earlier ones; None is compose.yaml or docker-compose.yml with its override"`
	Name     string            `arg:"name" default:"" doc:"the project's name; empty is that in the file. The directory's name is never taken for it"`
	Env      runtime.StringMap `arg:"env" default:"" doc:"values of variables in the files; others come from env_files, then from infrarun's environment as far as the recipe declares it (permission env)"`
	EnvFiles runtime.Strings   `arg:"env_files" default:"" doc:"files with variables, later ones override earlier ones; .env is read only if it is named"`
	Profiles runtime.Strings   `arg:"profiles" default:"" doc:"profiles whose services belong to it"`
}

// files reads what the recipe may read, as a preview predicts it.
type files struct {
	call  *runtime.Call
	view  *filesys.View
	texts map[string]string // what is in files that are not there yet, by path
}

// ReadFile implements [Source].
func (f files) ReadFile(path string) ([]byte, error) {
	if err := f.call.Need(policy.Need{Kind: "fs.read", Target: path}); err != nil {
		return nil, err
	}
	if text, ok := f.texts[path]; ok {
		return []byte(text), nil
	}
	return f.view.ReadFile(path, MaxFile)
}

// Load reads the project, and fails unless the recipe may do all that it asks for.
func (a *Args) Load(c *runtime.Call) (*Project, error) { return a.LoadWith(c, nil) }

// LoadWith is Load, with what is in files that are not there yet, by their names relative to the project's directory.
func (a *Args) LoadWith(c *runtime.Call, texts map[string]string) (*Project, error) {
	if a.Dir == "" {
		return nil, errors.New("dir is empty")
	}
	dir := filesys.Abs(c.BaseDir(), a.Dir)
	known := map[string]string{}
	for name, text := range texts {
		known[filesys.Abs(dir, name)] = text
	}
	p, err := Load(c.Context(), files{c, filesys.Read(c.Reader()), known}, Wanted{
		Dir: dir, Files: a.Files, Name: a.Name, Env: a.Env, EnvFiles: a.EnvFiles,
		Profiles: a.Profiles, HostEnv: func() map[string]string { return declaredEnv(c) },
	})
	if err != nil {
		return nil, err
	}
	return p, Permit(p, c.Need)
}

// declaredEnv is infrarun's environment as far as the recipe may read it.
func declaredEnv(c *runtime.Call) map[string]string {
	env := map[string]string{}
	for _, entry := range os.Environ() {
		name, value, ok := strings.Cut(entry, "=")
		if ok && name != "" && c.Need(policy.Need{Kind: "env", Target: name}) == nil {
			env[name] = value
		}
	}
	return env
}

// Contents reads the configs and secrets that are mounted into containers, by path. Mounting them is permitted already;
// one that cannot be read is left to the engine.
func Contents(c *runtime.Call, p *Project) map[string][]byte {
	view := filesys.Read(c.Reader())
	all := map[string][]byte{}
	for _, s := range p.Services {
		for _, file := range p.GivenFiles(s) {
			if content, err := view.ReadFile(file, MaxFile); err == nil {
				all[file] = content
			}
		}
	}
	return all
}
