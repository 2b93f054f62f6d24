package runtime

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// State is the state directory: what infrarun itself keeps.
//
//	lock              held while something is being changed; says by whom
//	key               opens the sealed contents of journals, makes fingerprints
//	cache/            what can be had again, such as mirrors of repositories; in build/ what builds keep there
//	runs/<id>/        journal blobs/ trash/ sources/ run.json events.jsonl deploy.log report.html
//	                  metrics.prom rollback.html
//
// Others may pass through the directory itself and through cache/, but not list them: a package manager that gives up
// root's rights to fetch, as apt does, has lists of packages in the cache. So each thing in them bears a mode of its
// own: runs/ and what is private in the cache 0700, lock and key 0600.
type State struct{ dir string }

// DefaultStateDir returns where the state is kept when nothing else is said.
func DefaultStateDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/infrarun", nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "infrarun"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the state: %w; name one with --state-dir", err)
	}
	return filepath.Join(home, ".local", "state", "infrarun"), nil
}

// OpenState returns the state in dir, which need not exist.
func OpenState(dir string) (*State, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("state directory %s: %w", dir, err)
	}
	return &State{abs}, nil
}

// Dir returns the state directory.
func (s *State) Dir() string { return s.dir }

// Cache returns the directory for what can be had again.
func (s *State) Cache() string { return filepath.Join(s.dir, "cache") }

// BuildCache returns the directory for the caches of what recipes build: ctx.cache_dir. A run makes it; like the
// rest of the cache it is no part of what a rollback puts back.
func (s *State) BuildCache() string { return filepath.Join(s.Cache(), "build") }

func (s *State) makeBuildCache() error {
	err := os.MkdirAll(s.Cache(), passable)
	if err == nil {
		err = os.MkdirAll(s.BuildCache(), 0o700)
	}
	if err != nil {
		return fmt.Errorf("make the directory for caches of builds: %w", err)
	}
	return nil
}

// passable is the mode of what others may go through.
const passable = 0o711

// makeDir makes the state directory.
func (s *State) makeDir() error {
	if err := os.MkdirAll(s.dir, passable); err != nil {
		return fmt.Errorf("make the state directory: %w", err)
	}
	return nil
}

// KeyFile returns the file of the key that opens sealed contents.
func (s *State) KeyFile() string { return filepath.Join(s.dir, "key") }

// RunDir returns the directory of a run.
func (s *State) RunDir(id string) string { return filepath.Join(s.dir, "runs", id) }

// undoable reports whether a run has what it takes to be rolled back. Pruning takes the journal of one that may not.
func (s *State) undoable(id string) bool {
	_, err := os.Stat(filepath.Join(s.RunDir(id), "journal"))
	return err == nil
}

// mark tells this state directory from others on the machine.
func (s *State) mark() string {
	dir := s.dir
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:4])
}

// sign is the name of a run with the mark of its state directory.
func (s *State) sign(run string) string { return run + "." + s.mark() }

// signUndoable is undoable for a sign. Of a run of another state directory that cannot be told, so it may be. A name
// without a mark is taken for one of this directory.
func (s *State) signUndoable(sign string) bool {
	run, mark, marked := strings.Cut(sign, ".")
	return marked && mark != s.mark() || s.undoable(run)
}

// newRun makes the directory of a new run. It is called with the lock held. Names sort in the order of
// the runs, also when the clock was set back.
func (s *State) newRun(now time.Time) (id, dir string, err error) {
	if err := s.makeDir(); err != nil {
		return "", "", err
	}
	parent := filepath.Join(s.dir, "runs")
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", "", fmt.Errorf("make the state directory: %w", err)
	}
	last, err := lastName(parent)
	if err != nil {
		return "", "", err
	}
	for {
		id = runName(now)
		if id > last {
			break
		}
		if t, err := parseRunName(last); err == nil && t.After(now) {
			now = t
		}
		now = now.Add(time.Millisecond)
	}
	dir = s.RunDir(id)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", "", fmt.Errorf("make the run's directory: %w", err)
	}
	return id, dir, nil
}

// runTime is the time in a run's name, with a dash for the dot before the milliseconds.
const runTime = "20060102-150405.000"

func runName(t time.Time) string {
	return strings.Replace(t.UTC().Format(runTime), ".", "-", 1)
}

func parseRunName(id string) (time.Time, error) {
	i := strings.LastIndex(id, "-")
	if i < 0 {
		return time.Time{}, errors.New("not the name of a run")
	}
	return time.Parse(runTime, id[:i]+"."+id[i+1:])
}

// lastName returns the greatest name of a run in dir, "" if there is none.
func lastName(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("list the runs: %w", err)
	}
	last := ""
	for _, e := range entries {
		if _, err := parseRunName(e.Name()); err == nil {
			last = max(last, e.Name())
		}
	}
	return last, nil
}
