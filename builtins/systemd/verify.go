package systemd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

const (
	// analyzeTimeout is how long systemd-analyze may take: it reads all units that a unit depends on.
	analyzeTimeout = time.Minute
	// judging is the systemd from which on its exit status tells whether the unit itself is wrong.
	judging = 250
)

// verify has systemd-analyze judge the file of a unit before it is installed, as it will be by then: with the programs and
// the other units that a preview predicts. It looks at copies in infrarun's cache. Assumed is what could not be judged.
func verify(ctx context.Context, r *runtime.Reader, i *installing) (assumed string, err error) {
	if _, err := child.Lookup("systemd-analyze", "/"); err != nil {
		return "that its file is right: there is no systemd-analyze on this machine to judge it", nil
	}
	b, err := connect(ctx)
	if err != nil {
		return "", err
	}
	version := b.version()
	b.close()
	argv := []string{"systemd-analyze", "verify", "--man=no"}
	if version >= judging {
		argv = append(argv, "--recursive-errors=no")
	}
	v := filesys.Read(r)
	err = copies(r).With(func(dir string) error {
		if err := copyUnits(dir, v, r, i); err != nil {
			return err
		}
		result, err := child.Probe(ctx, r, child.Spec{
			Argv: append(argv, filepath.Join(dir, i.unit)), Env: map[string]string{"LC_ALL": "C"}, Timeout: analyzeTimeout,
		})
		var failed *child.ExitError
		if err != nil && !errors.As(err, &failed) {
			return fmt.Errorf("systemd-analyze: %w", err)
		}
		will := func(path string) bool { there, err := exists(v, path); return there || err != nil }
		return judge(strings.ReplaceAll(result.Stderr, dir+"/", ""), i.unit, result.Code, will)
	})
	return "", err
}

// copyUnits puts the unit, and those that a preview has predicted, into a directory.
func copyUnits(dir string, v *filesys.View, r *runtime.Reader, i *installing) error {
	if r.Preview() {
		for _, unit := range overlayOf(r.World()).installed() {
			text, err := v.ReadFile(unitPath(unit, ""), maxUnit)
			if err != nil {
				continue // what cannot be known does not count
			}
			if err := writeCopy(dir, unit, text); err != nil {
				return err
			}
		}
	}
	if i.dropIn == "" {
		return writeCopy(dir, i.unit, i.content)
	}
	// Of the unit itself a copy: the directory is looked at first, and it is judged together with its part.
	base, err := v.ReadFile(i.found.Fragment, maxUnit)
	if err != nil {
		return fmt.Errorf("read the unit of which it is a part: %w", err)
	}
	if err := writeCopy(dir, i.unit, base); err != nil {
		return err
	}
	return writeCopy(dir, filepath.Join(i.unit+".d", i.dropIn+".conf"), i.content)
}

var notExecutable = regexp.MustCompile(`: Command (.+) is not executable: No such file or directory$`)

// judge says what systemd-analyze found wrong with a unit. What it prints is about other units, too, and about programs
// that are not there but will be.
func judge(output, unit string, code int, will func(path string) bool) error {
	var about, other []string
	excused := false
	known := map[string]bool{}
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		switch m := notExecutable.FindStringSubmatch(line); {
		case line == "" || known[line]:
		case m != nil && will(m[1]):
			excused = true
		case strings.HasPrefix(line, unit+":") || strings.HasPrefix(line, unit+".d/") || strings.Contains(line, " "+unit+" "):
			about = append(about, line)
		default:
			other = append(other, line)
		}
		known[line] = true
	}
	if code != 0 && len(about) == 0 && !excused {
		about = append(other, fmt.Sprintf("systemd-analyze verify ended with exit status %d", code))
	}
	if len(about) == 0 {
		return nil
	}
	return fmt.Errorf("systemd would not take its file as it is meant:\n  %s", strings.Join(about, "\n  "))
}
