package archive

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// excludes are the patterns of what is left out.
type excludes []string

func newExcludes(patterns []string) (excludes, error) {
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil || p == "" {
			return nil, fmt.Errorf("exclude: %q is no pattern", p)
		}
	}
	return patterns, nil
}

// match reports whether a path below the source is left out: its name, or the whole path, matches a pattern.
func (e excludes) match(rel string) bool {
	for _, p := range e {
		p = strings.TrimSuffix(p, "/")
		if byPath, _ := path.Match(p, rel); byPath {
			return true
		}
		if byName, _ := path.Match(p, path.Base(rel)); byName {
			return true
		}
	}
	return false
}

// plan is what there is to pack, as it was when it was counted.
type plan struct {
	files  int
	bytes  int64
	doubts string // what a preview takes for granted
}

// newPlan counts what lies at root, a path without links.
func newPlan(ctx context.Context, v *filesys.View, root string, out excludes) (plan, error) {
	var p plan
	err := v.Walk(ctx, root, func(i filesys.Info) error {
		if i.Path != root {
			rel, err := filepath.Rel(root, i.Path)
			if err != nil {
				return err
			}
			if out.match(rel) {
				return skip(i)
			}
		}
		if i.Opaque != "" {
			p.doubts = fmt.Sprintf("%s, which is %s, can be packed", i.Path, i.Opaque)
			return skip(i)
		}
		if i.Kind == filesys.File {
			p.files++
			p.bytes += i.Size
		}
		return nil
	})
	return p, err
}

func skip(i filesys.Info) error {
	if i.Kind == filesys.Dir {
		return fs.SkipDir
	}
	return nil
}

// room is how many bytes an archive may take at most: how well it compresses is only known in the end. Each entry has a
// header, which zstd makes small.
func (p plan) room() int64 { return p.bytes + int64(p.files)*64 }
