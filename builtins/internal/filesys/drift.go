package filesys

import (
	"context"
	"fmt"
	"strings"

	"github.com/infrarun/infrarun/runtime"
)

// Left is what a change has left at a path: the After of its [runtime.Applied], with which a later rollback
// compares what is there by then.
type Left struct {
	Path  Path   `json:"path"`
	Kind  Kind   `json:"kind,omitempty"` // "": nothing
	Mode  uint32 `json:"mode,omitempty"`
	Size  int64  `json:"size,omitempty"`
	MTime int64  `json:"mtime,omitempty"`
	// SHA256 of the content, in hex, lets a file that was only touched count as the same. It must not be set for
	// secrets: whoever knows the hash of a short one can find it by trying.
	SHA256 string `json:"sha256,omitempty"`
	Target Path   `json:"target,omitempty"`
}

// maxLeft is how many paths are remembered for the check for drift: those of a larger change are only looked
// for, not compared.
const maxLeft = 20_000

// LeftAt looks at what a change has left. Contents are told apart by size and time.
func LeftAt(paths ...string) ([]Left, error) {
	var left []Left
	for _, p := range paths[:min(len(paths), maxLeft)] {
		i, err := lstat(p)
		if err != nil && !isNotExist(err) {
			return nil, err
		}
		i.Path = p
		left = append(left, leftOf(i))
	}
	return left, nil
}

func leftOf(i Info) Left {
	l := Left{Path: Path(i.Path), Kind: i.Kind, Mode: unixMode(i.Mode), Target: Path(i.Target)}
	if i.Kind == File {
		l.Size, l.MTime = i.Size, i.ModTime.UnixNano()
	}
	return l
}

// shownDrifts is how many differences are told.
const shownDrifts = 5

// drift says how files differ from what a change left, "" if they do not.
func drift[A any](ctx context.Context, _ *runtime.Reader, _ A, after []Left) (string, error) {
	var lines []string
	for _, was := range after {
		if err := stopped(ctx); err != nil {
			return "", err
		}
		line, err := was.differs()
		if err != nil {
			return "", err
		}
		if line == "" {
			continue
		}
		if len(after) > 1 {
			line = string(was.Path) + ": " + line
		}
		lines = append(lines, line)
	}
	if n := len(lines); n > shownDrifts {
		lines = append(lines[:shownDrifts], fmt.Sprintf("and %d more", n-shownDrifts))
	}
	return strings.Join(lines, "; "), nil
}

func (was Left) differs() (string, error) {
	path := string(was.Path)
	i, err := lstat(path)
	if err != nil && !isNotExist(err) {
		return "", err
	}
	i.Path = path
	now := leftOf(i)
	switch {
	case now.Kind == "" && was.Kind == "":
		return "", nil
	case now.Kind == "":
		return "is gone", nil
	case was.Kind == "":
		return "is there again", nil
	case now.Kind != was.Kind:
		return fmt.Sprintf("was a %s, is a %s", was.Kind, now.Kind), nil
	case now.Target != was.Target:
		return fmt.Sprintf("led to %s, leads to %s", was.Target, now.Target), nil
	case now.Mode != was.Mode && now.Kind != Link:
		return fmt.Sprintf("had mode %#04o, has %#04o", was.Mode, now.Mode), nil
	}
	changed, err := was.changed(now)
	if changed {
		return "its content has changed", err
	}
	return "", err
}

func (was Left) changed(now Left) (bool, error) {
	switch {
	case was.Kind != File || now.Size == was.Size && now.MTime == was.MTime:
		return false, nil
	case was.SHA256 == "" || now.Size != was.Size:
		return true, nil
	}
	sum, err := hashFile(string(was.Path))
	return sum != was.SHA256, err
}
