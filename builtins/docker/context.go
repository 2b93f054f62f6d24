package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// buildContext is the directory that an image is built from: what the engine is sent of it.
type buildContext struct {
	dir        string
	dockerfile string // slash-separated, relative to dir
	ignored    *patternmatcher.PatternMatcher
}

// maxDockerfile bounds what is read of a Dockerfile and of .dockerignore, in bytes.
const maxDockerfile = 1 << 20

// openContext reads which files of a directory belong to the context: <dockerfile>.dockerignore counts, or else
// .dockerignore.
func openContext(v *filesys.View, dir, dockerfile string) (*buildContext, error) {
	dir, err := v.Follow(dir) // what a link leads to is walked through, not the link
	if err != nil {
		return nil, err
	}
	b := &buildContext{dir: dir, dockerfile: filepath.ToSlash(dockerfile)}
	var text []byte
	for _, name := range []string{dockerfile + ".dockerignore", ".dockerignore"} {
		var err error
		text, err = v.ReadFile(filepath.Join(dir, name), maxDockerfile)
		if err == nil {
			break
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	patterns, err := ignorefile.ReadAll(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read .dockerignore of %s: %w", dir, err)
	}
	// The engine needs both, whatever they say; it leaves them out of the image itself.
	patterns = append(patterns, "!"+b.dockerfile, "!.dockerignore")
	if b.ignored, err = patternmatcher.New(patterns); err != nil {
		return nil, fmt.Errorf(".dockerignore of %s: %w", dir, err)
	}
	return b, nil
}

// walk calls a function for each file of the context, in order, with its slash-separated name.
func (b *buildContext) walk(ctx context.Context, each func(name string, info fs.FileInfo) error) error {
	parents := map[string]patternmatcher.MatchInfo{}
	return filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == b.dir {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		name, err := filepath.Rel(b.dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		ignored, info, err := b.ignored.MatchesUsingParentResults(name, parents[filepath.Dir(name)])
		if err != nil {
			return fmt.Errorf(".dockerignore: %w", err)
		}
		if d.IsDir() {
			parents[name] = info
		}
		if ignored {
			if d.IsDir() && !b.mayHoldException(name) {
				return filepath.SkipDir
			}
			return nil
		}
		fi, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone meanwhile
		} else if err != nil {
			return err
		}
		return each(name, fi)
	})
}

// mayHoldException reports whether something below an ignored directory may not be ignored.
func (b *buildContext) mayHoldException(dir string) bool {
	if !b.ignored.Exclusions() {
		return false
	}
	for _, p := range b.ignored.Patterns() {
		if p.Exclusion() && (strings.HasPrefix(p.String()+"/", dir+"/") || strings.ContainsAny(p.String(), "*?[")) {
			return true
		}
	}
	return false
}

// write writes the context as the engine takes it. Times are left out of what counts: the engine does not look at them.
func (b *buildContext) write(ctx context.Context, to io.Writer) error {
	w := tar.NewWriter(to)
	err := b.walk(ctx, func(name string, info fs.FileInfo) error { return b.writeFile(w, name, info) })
	if err != nil {
		return fmt.Errorf("pack %s: %w", b.dir, err)
	}
	return w.Close()
}

func (b *buildContext) writeFile(w *tar.Writer, name string, info fs.FileInfo) error {
	path := filepath.Join(b.dir, filepath.FromSlash(name))
	link := ""
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		var err error
		if link, err = os.Readlink(path); err != nil {
			return err
		}
	case !mode.IsRegular() && !mode.IsDir():
		return nil // a socket or device is nothing to build from
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return err
	}
	// Files belong to root in an image, whoever they belong to here.
	h.Name, h.Uid, h.Gid, h.Uname, h.Gname = name, 0, 0, "", ""
	if info.IsDir() {
		h.Name += "/"
	}
	if err := w.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyN(w, f, info.Size())
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: it became shorter meanwhile", name)
	}
	return err
}

// digest returns a hash of all that the context holds: names, modes, links and contents.
func (b *buildContext) digest(ctx context.Context) (string, error) {
	sum := sha256.New()
	err := b.walk(ctx, func(name string, info fs.FileInfo) error {
		path := filepath.Join(b.dir, filepath.FromSlash(name))
		fmt.Fprintf(sum, "%q %v\n", name, info.Mode())
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			fmt.Fprintf(sum, "%q\n", to)
			return err
		case !info.Mode().IsRegular():
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		fmt.Fprintf(sum, "%d\n", info.Size())
		_, err = io.Copy(sum, f)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read %s: %w", b.dir, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
