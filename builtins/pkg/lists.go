package pkg

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// freshness is how old the lists of packages are.
type freshness struct {
	fetched time.Time // zero: there are none, or they are of other sources than those that are set now
	why     string    // what is the matter with lists that cannot be used
}

// young reports whether the lists need not be fetched again.
func (f freshness) young(maxAge time.Duration) bool {
	return f.why == "" && time.Since(f.fetched) < maxAge
}

// stampOf is the file whose time says when infrarun has fetched the lists. Managers leave no trace of having found
// everything unchanged.
func stampOf(r *runtime.Reader, m *manager) string {
	return filepath.Join(r.Cache(), "pkg", m.name+".lists")
}

// freshnessOf finds out how old the lists are.
func freshnessOf(ctx context.Context, r *runtime.Reader, v *filesys.View, m *manager) (freshness, error) {
	f := freshness{fetched: predicted(r.World()).refreshTime()}
	if f.fetched.IsZero() {
		var err error
		if f.fetched, err = fetchedAt(ctx, v, m, stampOf(r, m)); err != nil {
			return f, err
		}
	}
	if f.fetched.IsZero() {
		f.why = "there are no lists of packages"
		return f, nil
	}
	for _, pattern := range m.sources {
		paths, err := v.Glob(ctx, pattern)
		if err != nil {
			return f, err
		}
		for _, path := range paths {
			info, err := v.Stat(path)
			if err != nil {
				return f, err
			}
			if !info.ModTime.Before(f.fetched) { // the clock of files may stand still for a hundredth of a second
				f.why = path + " has changed since the lists of packages were fetched"
			}
		}
	}
	return f, nil
}

// fetchedAt returns when the lists were fetched, zero if there are none.
func fetchedAt(ctx context.Context, v *filesys.View, m *manager, stamp string) (time.Time, error) {
	var newest time.Time
	for _, pattern := range m.lists {
		paths, err := v.Glob(ctx, pattern)
		if err != nil {
			return newest, err
		}
		for _, path := range paths {
			// The files themselves have the times that their server gave them.
			info, err := v.Stat(filepath.Dir(path))
			if err != nil {
				return newest, err
			}
			if info.ModTime.After(newest) {
				newest = info.ModTime
			}
		}
	}
	if info, err := os.Stat(stamp); err == nil && !newest.IsZero() && info.ModTime().After(newest) {
		newest = info.ModTime()
	}
	return newest, nil
}
