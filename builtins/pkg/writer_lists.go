package pkg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/infrarun/infrarun/builtins/internal/scratch"
	"github.com/infrarun/infrarun/runtime"
)

// tryouts is where lists of packages are that are only looked at, for as long as a check takes. Apt gives up root's rights
// to fetch them, and fetches as root if its own user cannot get there: so that user may.
func tryouts(r *runtime.Reader) scratch.Place {
	return scratch.Place{Dir: filepath.Join(r.Cache(), "pkg-check"), For: "lists of packages", Open: true}
}

// prepare makes in a directory what a manager needs there.
func prepare(ctx context.Context, dir string, place elsewhere) error {
	if place.config != "" {
		if err := os.WriteFile(filepath.Join(dir, "config"), []byte(place.config), 0o644); err != nil {
			return fmt.Errorf("make a configuration for lists of packages: %w", err)
		}
	}
	if place.lists == "" {
		return nil
	}
	lists := filepath.Join(dir, place.lists)
	if err := os.MkdirAll(filepath.Join(lists, "partial"), 0o755); err != nil {
		return fmt.Errorf("make a place for lists of packages: %w", err)
	}
	for _, pattern := range place.seeds {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return fmt.Errorf("look for lists of packages: %w", err)
		}
		for _, path := range paths {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if err := copyList(path, filepath.Join(lists, filepath.Base(path))); err != nil {
				return fmt.Errorf("copy a list of packages: %w", err)
			}
		}
	}
	return nil
}

// copyList copies a list with its time, by which a source is asked whether it has a newer one. One that others have just
// taken away, or that may not be read, is fetched instead.
func copyList(from, to string) error {
	src, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	} else if err != nil {
		return err
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close(), os.Chtimes(to, info.ModTime(), info.ModTime()))
}
