package systemd

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// links are symbolic links of the administrator's units, path to target.
type links map[string]string

// linkDirs are the ends of the names of directories that hold links.
var linkDirs = []string{".wants", ".requires", ".upholds"}

// isLinkDir reports whether a directory holds links that enabling units makes.
func isLinkDir(name string) bool { return slices.Contains(linkDirs, filepath.Ext(name)) }

// listing lists a directory: that of the machine, or that of a view.
type listing func(dir string) ([]filesys.Info, error)

// onDisk lists a directory of the machine, as far as it is of interest here.
func onDisk(dir string) ([]filesys.Info, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var infos []filesys.Info
	for _, e := range entries {
		i := filesys.Info{Path: filepath.Join(dir, e.Name())}
		switch {
		case e.IsDir():
			i.Kind = filesys.Dir
		case e.Type()&fs.ModeSymlink != 0:
			i.Kind = filesys.Link
			if i.Target, err = os.Readlink(i.Path); errors.Is(err, fs.ErrNotExist) {
				continue // it has just been removed
			} else if err != nil {
				return nil, err
			}
		}
		infos = append(infos, i)
	}
	return infos, nil
}

// allLinks lists the links of all units, and the directories for them.
func allLinks(list listing) (found links, dirs []string, err error) {
	found = links{}
	entries, err := list(unitDir)
	for _, e := range entries {
		if e.Kind == filesys.Dir && isLinkDir(e.Path) {
			dirs = append(dirs, e.Path)
			below, lerr := list(e.Path)
			err = errors.Join(err, ignoreNotExist(lerr))
			found.add(below)
		}
	}
	found.add(entries)
	return found, dirs, ignoreNotExist(err)
}

func (l links) add(entries []filesys.Info) {
	for _, e := range entries {
		if e.Kind == filesys.Link {
			l[e.Path] = e.Target
		}
	}
}

// of returns the links that are about some units: that have the name of one, or lead to one.
func (l links) of(units []string) links {
	found := links{}
	for path, target := range l {
		if slices.Contains(units, filepath.Base(path)) || slices.Contains(units, filepath.Base(target)) {
			found[path] = target
		}
	}
	return found
}

// enabling returns those that enabling a unit has made: in the directories for them, or an alias.
func (l links) enabling(unit string) links {
	found := maps.Clone(l)
	delete(found, filepath.Join(unitDir, unit))
	return found
}

func ignoreNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// linksUndo are the arguments of the undo of what changes links.
type linksUndo struct {
	Unit  string   `json:"unit"`
	Units []string `json:"units"` // all that it may have changed links of
	Links links    `json:"links"` // as they were
	Dirs  []string `json:"dirs"`  // that were there
}

func (u linksUndo) unit() string { return u.Unit }

// undoLinks puts back the links of some units, and lets systemd know.
func undoLinks(ctx context.Context, w *runtime.Writer, args linksUndo) error {
	x := filesys.Writable(w)
	now, dirs, err := allLinks(onDisk)
	if err != nil {
		return err
	}
	now = now.of(args.Units)
	var errs []error
	for _, path := range slices.Sorted(maps.Keys(now)) {
		if _, was := args.Links[path]; !was {
			errs = append(errs, ignoreNotExist(x.Delete(path)))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(args.Links)) {
		target := args.Links[path]
		if now[path] == target {
			continue
		}
		if _, err := x.MkdirAll(filepath.Dir(path), 0o755, filesys.Keep, filesys.Keep); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, x.Symlink(target, path))
	}
	for _, dir := range dirs {
		if entries, err := os.ReadDir(dir); err == nil && len(entries) == 0 && !slices.Contains(args.Dirs, dir) {
			errs = append(errs, ignoreNotExist(x.Delete(dir)))
		}
	}
	return errors.Join(errors.Join(errs...), undoReload(ctx, w, struct{}{}))
}

// lines shows links, sorted.
func (l links) lines() []string {
	var out []string
	for _, path := range slices.Sorted(maps.Keys(l)) {
		out = append(out, strings.TrimPrefix(path, unitDir+"/")+" -> "+l[path])
	}
	return out
}
