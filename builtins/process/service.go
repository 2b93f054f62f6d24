package process

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime/policy"
)

// service is a background process by its name and its directory.
type service struct {
	dir, name string
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

func newService(base, dir, name string) (service, error) {
	if !namePattern.MatchString(name) {
		return service{}, fmt.Errorf("name: %q is no name for a process: it must be letters, digits and ._-, not begin with ._-", name)
	}
	if dir == "" {
		return service{}, errors.New("dir: it is empty; name the directory for the start script and the pidfile")
	}
	if err := oneLine("dir", dir); err != nil {
		return service{}, err
	}
	return service{filesys.Abs(base, dir), name}, nil
}

// oneLine refuses what cannot stand in the state file, which has a line for each thing.
func oneLine(what, text string) error {
	if strings.ContainsAny(text, "\n\x00") {
		return fmt.Errorf("%s: %q holds a line break or a NUL byte", what, text)
	}
	return nil
}

func (s service) file(ext string) string { return filepath.Join(s.dir, s.name+ext) }
func (s service) script() string         { return s.file(".sh") }
func (s service) definition() string     { return s.file(".json") }
func (s service) pidFile() string        { return s.file(".pid") }
func (s service) stateFile() string      { return s.file(".state") }
func (s service) envCopy() string        { return s.file(".environment") }

// defining are the files that say what the service is, and supervising those that its supervisor writes.
func (s service) defining() []string    { return []string{s.script(), s.definition(), s.envCopy()} }
func (s service) supervising() []string { return []string{s.pidFile(), s.stateFile()} }

// drafts are the names under which the supervisor writes files before they have their own.
func (s service) drafts() []string {
	return []string{s.envCopy() + ".new", s.pidFile() + ".new", s.stateFile() + ".new"}
}

// files are all files of the service but its log.
func (s service) files() []string { return append(s.defining(), s.supervising()...) }

// marker is in the environment of every process of the service, as NAME=value.
func (s service) marker() string { return markerName + "=" + filepath.Join(s.dir, s.name) }

const markerName = "INFRARUN_PROCESS"

// writes lists the permissions that it takes to start or stop the service.
func (s service) writes() []policy.Need {
	var needs []policy.Need
	for _, path := range s.files() {
		needs = append(needs, policy.Need{Kind: "fs.write", Target: path})
	}
	return needs
}
