package composefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
)

// Source is where the files of a project come from: it knows what the recipe may read and what a preview predicts.
type Source interface {
	// ReadFile reads a file by its absolute path. That it does not exist is fs.ErrNotExist.
	ReadFile(path string) ([]byte, error)
}

// Wanted is what a recipe says about a project.
type Wanted struct {
	Dir      string   // absolute; relative paths in the files are relative to it
	Files    []string // relative to Dir, later ones override earlier ones; empty: the usual names
	Name     string   // "": that in the files
	Env      map[string]string
	EnvFiles []string
	Profiles []string
	// HostEnv returns variables of infrarun's own environment, as far as the recipe may read them.
	HostEnv func() map[string]string
}

// usualFiles are the names that Compose looks for, and those that override them.
var (
	usualFiles    = []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}
	usualOverride = []string{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"}
)

// Project is a loaded project: everything in it is resolved, and nothing needs another file to be read.
type Project struct {
	*types.Project
	places places
}

// What the library has to say beside its errors, it prints on its own on the terminal, parts of values among it.
func init() { logrus.SetOutput(io.Discard) }

// Load reads and resolves a project. It reads through the source alone, and fails if the project unfolds to more than a
// machine should have to hold.
func Load(ctx context.Context, from Source, w Wanted) (*Project, error) {
	src := &bounded{from, maxText}
	files, err := readFiles(src, w)
	if err != nil {
		return nil, err
	}
	env, err := environment(src, w)
	if err != nil {
		return nil, err
	}
	p := &Project{}
	for _, f := range files {
		if err := p.places.add(f.Filename, f.Content); err != nil {
			return nil, err
		}
	}
	if path, line := p.places.find("include"); line != 0 {
		return nil, fmt.Errorf("%s:%d: include is not supported: name the files in files = [...] instead", path, line)
	}
	if w.Name == "" && !p.places.has("name") {
		return nil, fmt.Errorf("the project has no name: give name = \"…\", or write it in %s. The directory's name is "+
			"not taken for it: a release would get a stack of its own", files[0].Filename)
	}
	details := types.ConfigDetails{WorkingDir: w.Dir, ConfigFiles: files, Environment: env}
	reader := &resources{src: src, dir: w.Dir, opened: map[string]*memoryFile{}}
	defer reader.close()
	p.Project, err = loader.LoadWithContext(ctx, details, func(o *loader.Options) {
		o.SkipResolveEnvironment, o.SkipResolveLabels, o.SkipInclude = true, true, true
		o.ResourceLoaders = []loader.ResourceLoader{reader}
		o.Profiles = w.Profiles
		o.Interpolate.Substitute = substitute
		o.Interpolate.LookupValue = interpolation.LookupValue(src.lookup(details.LookupEnv))
		if w.Name != "" {
			o.SetProjectName(w.Name, true)
		}
	})
	if err == nil {
		err = src.spent()
	}
	if err != nil {
		return nil, p.explain(reader, err)
	}
	if err := p.ofVariables(); err != nil {
		return nil, err
	}
	if err := p.inline(src); err != nil {
		return nil, err
	}
	return p, src.spent()
}

// readFiles reads the compose files.
func readFiles(src *bounded, w Wanted) ([]types.ConfigFile, error) {
	var files []types.ConfigFile
	read := func(name string) error {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(w.Dir, path)
		}
		content, err := src.ReadFile(path)
		if err == nil {
			files = append(files, types.ConfigFile{Filename: path, Content: content})
		}
		return err
	}
	for _, name := range w.Files {
		if err := read(name); err != nil {
			return nil, fmt.Errorf("compose file: %w", err)
		}
	}
	if len(w.Files) > 0 {
		return files, nil
	}
	for _, names := range [][]string{usualFiles, usualOverride} {
		for _, name := range names {
			err := read(name)
			if err == nil {
				break
			} else if !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("compose file: %w", err)
			}
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("there is no compose file in %s: none of %s; name it in files = [...]", w.Dir, strings.Join(usualFiles, ", "))
		}
	}
	return files, nil
}

// explain names the files in an error as the operator knows them, and the line of a variable that is not set.
func (p *Project) explain(r *resources, err error) error {
	text := err.Error()
	for local, path := range r.names() {
		text = strings.ReplaceAll(text, local, path)
	}
	var unset *unsetError
	if errors.As(err, &unset) {
		if path, line := p.places.mention(unset.name); line != 0 {
			return fmt.Errorf("%s:%d: %w", path, line, unset)
		}
	}
	if text == err.Error() {
		return err
	}
	return &renamedError{text, err}
}

// renamedError is an error with the files as the operator knows them.
type renamedError struct {
	text string
	err  error
}

func (e *renamedError) Error() string { return e.text }
func (e *renamedError) Unwrap() error { return e.err }

// inline puts into the services what they name by file: environment and labels.
func (p *Project) inline(src *bounded) error {
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		s := p.Services[name]
		if err := inlineEnvironment(src, &s.ContainerSpec, p.Environment); err != nil {
			return fmt.Errorf("%s: service %s: %w", p.places.at("services", name, "env_file"), name, err)
		}
		for _, file := range slices.Backward(s.LabelFiles) {
			labels := map[string]string{}
			if err := parseInto(src, file, "", labels, lookupIn()); err != nil {
				return fmt.Errorf("%s: service %s: label file: %w", p.places.at("services", name, "label_file"), name, err)
			}
			maps.Copy(labels, s.Labels)
			s.Labels = labels
		}
		s.LabelFiles = nil
		p.Services[name] = s
	}
	return nil
}
