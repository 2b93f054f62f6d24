package process

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// definition is what a service runs, as its .json file holds it. Two equal ones are the same service: whatever
// calls for a restart when it changes is in it.
type definition struct {
	Name        string            `json:"name"`
	Command     []string          `json:"command"` // the first is a path, unless it is not there yet
	Cwd         string            `json:"cwd"`
	Env         map[string]string `json:"env,omitempty"`
	EnvFile     string            `json:"env_file,omitempty"`
	Log         string            `json:"log"`
	Ports       []int             `json:"ports,omitempty"`
	StopTimeout int               `json:"stop_timeout"` // seconds
	User        string            `json:"user,omitempty"`

	// What these led to when it was started.
	Executable stamp  `json:"executable"`
	Directory  string `json:"directory"`
}

// stamp tells a file from what stands there after it was replaced.
type stamp struct {
	Path     string `json:"path"` // without links
	Size     int64  `json:"size"` // bytes; -1 if a preview cannot know
	Modified int64  `json:"modified"`
}

// patience is how long a service has to end before it is ended by force.
func (d definition) patience() time.Duration { return time.Duration(d.StopTimeout) * time.Second }

// encode returns the text of the .json file.
func (d definition) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		return nil, fmt.Errorf("write the definition of %s: %w", d.Name, err)
	}
	return b.Bytes(), nil
}

// decodeDefinition reads the text of a .json file.
func decodeDefinition(text []byte) (definition, error) {
	var d definition
	if err := json.Unmarshal(text, &d); err != nil {
		return definition{}, err
	}
	if !namePattern.MatchString(d.Name) || len(d.Command) == 0 || d.Command[0] == "" || d.Log == "" || d.StopTimeout < 0 {
		return definition{}, errors.New("it lacks a name, a command or a log")
	}
	return d, nil
}

const maxDefinition = 1 << 20 // bytes

// recorded reads what the service was last started with, ok if there is such a thing.
func recorded(v *filesys.View, s service) (d definition, ok bool, err error) {
	text, err := v.ReadFile(s.definition(), maxDefinition)
	if errors.Is(err, fs.ErrNotExist) {
		return definition{}, false, nil
	} else if err != nil {
		return definition{}, false, err
	}
	if d, err = decodeDefinition(text); err != nil {
		return definition{}, false, fmt.Errorf("%s is no definition of a process: %w; move it away, and end what runs by hand", s.definition(), err)
	}
	return d, true, nil
}

// changes lists in what a definition differs from the one before, in the order of the parameters.
func (d definition) changes(before definition) []string {
	var changed []string
	for _, part := range []struct {
		name      string
		now, then any
	}{
		{"command", d.Command, before.Command},
		{"executable", d.Executable, before.Executable},
		{"cwd", [2]string{d.Cwd, d.Directory}, [2]string{before.Cwd, before.Directory}},
		{"env", d.Env, before.Env},
		{"env_file", d.EnvFile, before.EnvFile},
		{"log", d.Log, before.Log},
		{"ports", d.Ports, before.Ports},
		{"stop_timeout", d.StopTimeout, before.StopTimeout},
		{"user", d.User, before.User},
	} {
		now, nerr := json.Marshal(part.now)
		then, terr := json.Marshal(part.then)
		if nerr != nil || terr != nil || !slices.Equal(now, then) {
			changed = append(changed, part.name)
		}
	}
	return changed
}

// settle fills in what the paths lead to now, or in a preview will lead to.
func (d *definition) settle(v *filesys.View) error {
	var err error
	if d.Executable, err = stampOf(v, d.Command[0]); err != nil {
		return err
	}
	d.Directory, err = realPath(v, d.Cwd)
	return err
}

// stampOf looks at a file; one that is not there has only a path.
func stampOf(v *filesys.View, path string) (stamp, error) {
	if !filepath.IsAbs(path) {
		return stamp{Path: path, Size: -1}, nil // a name that is not in PATH yet
	}
	real, err := realPath(v, path)
	if err != nil {
		return stamp{}, err
	}
	info, err := v.Stat(real)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.As(err, new(*runtime.UnknownError)) || info.Opaque != "":
		return stamp{Path: real, Size: -1}, nil
	case err != nil:
		return stamp{}, err
	}
	return stamp{Path: real, Size: info.Size, Modified: info.ModTime.UnixNano()}, nil
}

const maxLinks = 40 // as in the kernel

// realPath follows all links of a path, as far as it exists.
func realPath(v *filesys.View, path string) (string, error) {
	for range maxLinks {
		real, err := v.Resolve(path)
		if err != nil {
			return "", err
		}
		info, err := v.Lstat(real)
		if err != nil || info.Kind != filesys.Link {
			return real, nil // what is wrong with it comes to light where it is used
		}
		path = filesys.Abs(filepath.Dir(real), info.Target)
	}
	return "", fmt.Errorf("%s leads through more than %d links", path, maxLinks)
}
