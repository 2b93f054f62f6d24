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
func environment(src *bounded, w Wanted) (types.Mapping, error) {
	env := types.Mapping{}
	if w.HostEnv != nil {
		maps.Copy(env, w.HostEnv())
	}
	for _, name := range w.EnvFiles {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(w.Dir, path)
		}
		vars := map[string]string{}
		if err := parseInto(src, path, "", vars, lookupIn(w.Env, env)); err != nil {
			return nil, fmt.Errorf("environment file: %w", err)
		}
		maps.Copy(env, vars)
	}
	maps.Copy(env, w.Env)
	return env, nil
}

// lineNumber is where an environment file could not be understood.
var lineNumber = regexp.MustCompile(`\bline \d+`)

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
	if err := checkVariables(text); err != nil {
		return "", err
	}
	return template.SubstituteWithOptions(text, mapping, template.WithoutLogging, template.WithReplacementFunction(
		func(part string, mapping template.Mapping, cfg *template.Config) (string, error) {
			value, applied, err := template.DefaultReplacementAppliedFunc(part, mapping, cfg)
			if err == nil && !applied && value == "" {
				return "", &unsetError{strings.Trim(part, "${}")}
			}
			return value, err
		}))
}

func inlineEnvironment(src *bounded, s *types.ContainerSpec, env types.Mapping) error {
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
	for _, value := range s.Environment {
		if value != nil {
			if err := src.spend(len(*value)); err != nil {
				return err
			}
		}
	}
	return nil
}

// parseInto adds the variables of a file, in which those before can be used.
func parseInto(src *bounded, path, format string, vars map[string]string, lookup dotenv.LookupFn) error {
	if format != "" && format != dotenv.DotEnv {
		return fmt.Errorf("%s: the format %q is not supported: write it as NAME=value, and leave format out", path, format)
	}
	content, err := src.ReadFile(path)
	if err != nil {
		return err
	}
	if err := checkVariables(string(content)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	unset := 0
	known := func(name string) (string, bool) {
		if value, ok := lookup(name); ok {
			return value, true
		}
		value, ok := vars[name] // the parser would find it too, but not count
		if !ok && unset == 0 {
			unset = lineOfVariable(string(content), name)
		}
		return value, ok
	}
	if err := dotenv.ParseWithFormat(bytes.NewReader(content), "", vars, src.lookup(known), dotenv.DotEnv); err != nil {
		return fmt.Errorf("%s: %w", path, hideValues(err))
	}
	if err := src.spent(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if unset != 0 {
		return fmt.Errorf("%s: line %d names a variable that is not set; give it in env = {...}, write ${NAME:-} if it may be empty, "+
			"or put the value into single quotes if the dollar is one", path, unset)
	}
	return nil
}

// lineOfVariable is the line on which a file with variables has the value of one, without saying what is there if it is not
// set; 0 if none has. Compose would warn and put nothing in its place, which makes of pa$word a pa.
func lineOfVariable(text, name string) int {
	plain := regexp.MustCompile(`\$(` + regexp.QuoteMeta(name) + `\b|\{` + regexp.QuoteMeta(name) + `\})`)
	n := 0
	for line := range strings.Lines(text) {
		n++
		_, value, _ := strings.Cut(line, "=")
		if !strings.HasPrefix(strings.TrimSpace(line), "#") && !strings.HasPrefix(strings.TrimSpace(value), "'") && plain.MatchString(line) {
			return n
		}
	}
	return 0
}
