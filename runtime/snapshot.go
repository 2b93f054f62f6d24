package runtime

import (
	"os"
	"path/filepath"
)

// save writes every module that was loaded below dir, as <root>/<path>.
func (s *sources) save(dir string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	dirs := map[string]bool{}
	for id, text := range s.texts {
		name := filepath.Join(dir, filepath.FromSlash(id.String()))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		if _, err = f.WriteString(text); err == nil {
			err = f.Sync()
		}
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
		for d := filepath.Dir(name); len(d) >= len(dir); d = filepath.Dir(d) {
			dirs[d] = true
		}
	}
	for d := range dirs {
		if err := syncDir(d); err != nil {
			return err
		}
	}
	return nil
}

// savedRoots opens the sources that a run saved. Shown says how messages named them.
func savedRoots(dir string, shown map[string]string) ([]*sourceRoot, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var roots []*sourceRoot
	for _, e := range entries {
		r, err := diskRoot(e.Name(), filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		if name, ok := shown[e.Name()]; ok {
			r.shown = name
		}
		roots = append(roots, r)
	}
	return roots, nil
}
