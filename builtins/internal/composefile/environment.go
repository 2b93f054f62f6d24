package composefile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
)

// environment is what variables in the files are replaced from: what the recipe gives, then the files that it names,
// the last first, then what it may read of infrarun's environment.
func environment(src Source, w Wanted) (types.Mapping, error) {
	env := types.Mapping{}
	if w.HostEnv != nil {
		maps.Copy(env, w.HostEnv())
	}
	for _, name := range w.EnvFiles {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(w.Dir, path)
		}
		content, err := src.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("environment file: %w", err)
		}
		vars, err := dotenv.ParseWithLookup(bytes.NewReader(content), lookupIn(w.Env, env))
		if err != nil {
			return nil, fmt.Errorf("environment file %s: %w", path, hideValues(err))
		}
		maps.Copy(env, vars)
	}
	maps.Copy(env, w.Env)
	return env, nil
}

// lineNumber is where an environment file could not be understood.
var lineNumber = regexp.MustCompile(`^line \d+`)

// hideValues leaves out of an error what stands in the file: it may be secret.
func hideValues(err error) error {
	where := lineNumber.FindString(err.Error())
	if where == "" {
		where = "it"
	}
	return fmt.Errorf("%s is no variable as NAME=value, with quotes that are closed", where)
}

func lookupIn(maps ...map[string]string) dotenv.LookupFn {
	return func(name string) (string, bool) {
		for _, m := range maps {
			if v, ok := m[name]; ok {
				return v, true
			}
		}
		return "", false
	}
}

// unsetError is a variable that nobody has set.
type unsetError struct{ name string }

func (e *unsetError) Error() string {
	return fmt.Sprintf("the variable %s is not set; give it in env = {...} or env_files = [...], or write ${%s:-} if it may be empty", e.name, e.name)
}

// substitute replaces variables as Compose does, but a variable that is not set is an error: Compose would warn and
// put nothing in its place.
func substitute(text string, mapping template.Mapping) (string, error) {
	return template.SubstituteWithOptions(text, mapping, template.WithoutLogging, template.WithReplacementFunction(
		func(part string, mapping template.Mapping, cfg *template.Config) (string, error) {
			value, applied, err := template.DefaultReplacementAppliedFunc(part, mapping, cfg)
			if err == nil && !applied && value == "" {
				return "", &unsetError{strings.Trim(part, "${}")}
			}
			return value, err
		}))
}

func inlineEnvironment(src Source, s *types.ContainerSpec, env types.Mapping) error {
	s.Environment = s.Environment.Resolve(env.Resolve)
	all := s.Environment.ToMapping()
	for _, file := range s.EnvFiles {
		err := parseInto(src, file.Path, file.Format, all, lookupIn(env, s.Environment.ToMapping()))
		if errors.Is(err, fs.ErrNotExist) && !bool(file.Required) {
			continue
		}
		if err != nil {
			return fmt.Errorf("environment file: %w", err)
		}
	}
	s.Environment = all.ToMappingWithEquals().OverrideBy(s.Environment)
	s.EnvFiles = nil
	return nil
}

// parseInto adds the variables of a file.
func parseInto(src Source, path, format string, vars map[string]string, lookup dotenv.LookupFn) error {
	content, err := src.ReadFile(path)
	if err != nil {
		return err
	}
	if err := dotenv.ParseWithFormat(bytes.NewReader(content), path, vars, lookup, format); err != nil {
		return fmt.Errorf("%s: %w", path, hideValues(err))
	}
	return nil
}
