package systemd

import (
	"context"
	"errors"
	"io/fs"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// seen is a unit as a probe finds it: as systemd knows it, and in a preview as it will be by then.
type seen struct {
	state
	// Predicted tells that it is started or stopped by then, so that what is known of its process does not hold.
	Predicted bool
}

// look finds out about a unit.
func look(ctx context.Context, r *runtime.Reader, unit string) (seen, error) {
	b, err := connect(ctx)
	if err != nil {
		return seen{}, err
	}
	defer b.close()
	s, err := b.state(ctx, unit)
	if err != nil || !r.Preview() {
		return seen{state: s}, err
	}
	return foresee(r, s)
}

// foresee puts what a preview predicts over what systemd knows.
func foresee(r *runtime.Reader, s state) (seen, error) {
	p := overlayOf(r.World()).of(s.Unit)
	if t := templateOf(s.Unit); t != "" && p.installed == nil {
		p.installed = overlayOf(r.World()).of(t).installed
	}
	if p.installed == nil {
		// A step may have written or removed the file without systemd.unit.
		there, err := fileThere(filesys.Read(r), s)
		if err != nil {
			return seen{}, err
		}
		if there != !s.missing() {
			p.installed = &there
		}
	}
	switch {
	case p.installed == nil:
	case *p.installed && s.Load != "loaded":
		s.Load, s.LoadError, s.Fragment, s.File = "loaded", "", unitPath(s.Unit, ""), "disabled"
	case !*p.installed:
		s.Load, s.Fragment, s.File = "not-found", "", ""
	}
	if p.file != nil {
		s.File = *p.file
		if isMasked(s.File) {
			s.Load = "masked"
		} else if s.Load == "masked" {
			s.Load = "loaded"
		}
	}
	if p.running == nil {
		return seen{state: s}, nil
	}
	s.Active, s.Sub, s.Result, s.Restarts = "inactive", "dead", "success", 0
	if *p.running {
		s.Active, s.Sub = "active", "running"
	}
	return seen{s, true}, nil
}

// fileThere reports whether a unit has a file by then.
func fileThere(v *filesys.View, s state) (bool, error) {
	switch {
	case s.Fragment != "":
		return exists(v, s.Fragment)
	case !s.missing():
		return true, nil
	}
	there, err := exists(v, unitPath(s.Unit, ""))
	if t := templateOf(s.Unit); err == nil && !there && t != "" {
		return exists(v, unitPath(t, ""))
	}
	return there, err
}

// exists reports whether something is at a path: what a preview cannot look into is there.
func exists(v *filesys.View, path string) (bool, error) {
	_, err := v.Lstat(path)
	var unknown *runtime.UnknownError
	switch {
	case errors.As(err, &unknown):
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	}
	return err == nil, err
}

func isMasked(file string) bool { return file == "masked" || file == "masked-runtime" }

// resolve returns the unit that a recipe names, and the permissions that it takes: a name may be an alias of another
// unit, which must be allowed then, too.
func resolve(c *runtime.Call, text string) (unit string, err error) {
	name, err := runnable(text)
	if err != nil {
		return "", err
	}
	if err := c.Need(need(name)); err != nil {
		return "", err
	}
	b, err := connect(c.Context())
	if err != nil {
		return "", err
	}
	defer b.close()
	s, err := b.state(c.Context(), name)
	if err != nil {
		return "", err
	}
	return s.Unit, c.Need(need(s.Unit))
}
