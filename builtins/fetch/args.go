package fetch

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// source is what both builtins are told about a download.
type source struct {
	URL     string          `arg:"url" doc:"where it is, http or https; a proxy is taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY"`
	Dst     string          `arg:"dst" doc:"the path to make; the directory above it must exist. A relative path is relative to the directory infrarun was started in"`
	Sum     sum             `arg:"sum" doc:"the sum it must have: \"sha256:HEX\", \"sha512:HEX\", \"sha256-BASE64\" or \"sha512-BASE64\" (npm's integrity), or of a zip \"h1:BASE64\" (as in go.sum)"`
	Timeout runtime.Seconds `arg:"timeout" default:"15m" doc:"how long the download may take, all attempts together"`
	Retries int             `arg:"retries" default:"3" doc:"how often to try again when the connection fails or the server has a passing problem (status 408, 429, 5xx)"`
}

// prepare checks the parameters.
func (s *source) prepare(c *runtime.Call) (*download, error) {
	u, at, err := parseURL(s.URL)
	switch {
	case err != nil:
		return nil, err
	case s.Dst == "" || strings.ContainsRune(s.Dst, 0):
		return nil, errors.New("for parameter dst: the path is empty, or has a NUL byte")
	case s.Timeout.Duration <= 0:
		return nil, errors.New("for parameter timeout: it is not positive; a download needs some time")
	case s.Retries < 0 || s.Retries > maxRetries:
		return nil, fmt.Errorf("for parameter retries: got %d, want 0 to %d", s.Retries, maxRetries)
	}
	dst := filesys.Abs(c.BaseDir(), s.Dst)
	d := &download{
		dst: dst, url: u, at: at, shown: shown(u), sum: s.Sum, timeout: s.Timeout.Duration, retries: s.Retries,
		need: func(n policy.Need) error { return c.Need(n) },
	}
	return d, nil
}

// maxRetries bounds the attempts, of which the last ones are a minute apart.
const maxRetries = 100

// needs returns the permissions that a download takes.
func needs(v *filesys.View, d *download) []policy.Need {
	return append([]policy.Need{d.at.Need()}, v.Needs("fs.write", d.dst)...)
}

// dirAbove fails unless the directory of a path is there.
func dirAbove(v *filesys.View, path string) error {
	dir := filepath.Dir(path)
	info, err := v.Stat(dir)
	switch {
	case isUnknown(err):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the directory %s does not exist; make it with fs.mkdir", dir)
	case err != nil:
		return err
	case info.Kind != filesys.Dir && info.Opaque == "":
		return fmt.Errorf("%s is a %s, not a directory", dir, info.Kind)
	}
	return nil
}

// isUnknown reports whether a preview cannot know what was asked.
func isUnknown(err error) bool { return errors.As(err, new(*runtime.UnknownError)) }

// beside returns a name beside a path for what is not whole yet. It is random, so that nobody can prepare anything there.
func beside(path string) string {
	return filepath.Join(filepath.Dir(path), ".infrarun-fetch-"+rand.Text())
}

// plausible reports whether a time in an archive is one that a file can have been changed at.
func plausible(t time.Time) bool {
	return t.After(time.Date(1980, 1, 2, 0, 0, 0, 0, time.UTC)) && t.Before(time.Now().Add(24*time.Hour))
}

// downloadsNothing is the hint for whoever asks how large something is that was not downloaded.
const downloadsNothing = "a preview downloads nothing: use path and changed, and the size in a run only"
