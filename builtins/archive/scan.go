package archive

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// badArchive is what is wrong with an archive so that it is read no further: it is damaged, or has something in it that
// archive.create never writes.
type badArchive struct{ text string }

func (b *badArchive) Error() string { return b.text }

func bad(format string, args ...any) error { return &badArchive{fmt.Sprintf(format, args...)} }

// entry is something in an archive.
type entry struct {
	name string // its path below the directory that was packed; "." for that itself
	kind filesys.Kind
	hdr  *tar.Header
}

// contents is what a scan has counted.
type contents struct {
	entries, files int
	bytes          int64
	root           bool // a directory was packed, not a single file
	// wrong lists files whose content is not that of the manifest, and those that are only in one of both.
	wrong []string
}

// The limits of an archive, for memory.
const (
	maxManifest  = 512 << 20
	maxNameBytes = 1 << 30
)

// scanner reads an archive that nobody trusts.
type scanner struct {
	ctx   context.Context
	visit func(e entry, content io.Reader) error

	tar       *tar.Reader
	found     contents
	kinds     map[string]filesys.Kind
	nameBytes int
	sums      map[string]string
	manifest  []sum
	ended     bool // the manifest was read
}

// scan reads an archive to its end and calls visit for each of its entries, directories before what is in them. The error
// is a [badArchive], or one of reading, of visit, or of ctx.
func scan(ctx context.Context, r io.Reader, visit func(e entry, content io.Reader) error) (contents, error) {
	file := &faulty{ctx: ctx, r: r}
	unpacked, err := newUnpacker(file)
	if err != nil {
		return contents{}, err
	}
	found, err := scanTar(ctx, unpacked, visit)
	unpacked.Close()
	if cause := errors.Join(context.Cause(ctx), file.failure()); cause != nil {
		return found, cause // whatever zstd and tar made of it
	}
	return found, err
}

// scanTar is scan for what was compressed.
func scanTar(ctx context.Context, r io.Reader, visit func(e entry, content io.Reader) error) (contents, error) {
	s := &scanner{ctx: ctx, visit: visit, tar: tar.NewReader(r), kinds: map[string]filesys.Kind{}, sums: map[string]string{}}
	err := s.all()
	if err == nil {
		err = s.nothingMore(r)
	}
	if err == nil {
		s.compare()
	}
	return s.found, err
}

func (s *scanner) all() error {
	for {
		hdr, err := s.tar.Next()
		switch {
		case err == io.EOF && !s.ended:
			return bad("it has no list of sums at its end: it was cut off, or archive.create did not make it")
		case err == io.EOF:
			return nil
		case err != nil:
			return bad("it is damaged, or no archive, after %d entries: %v", s.found.entries, err)
		case s.ended:
			return bad("it goes on after its list of sums, with %q", hdr.Name)
		}
		if hdr.Name == manifestName {
			err = s.readManifest(hdr)
		} else {
			err = s.entry(hdr)
		}
		if err != nil {
			return err
		}
	}
}

func (s *scanner) readManifest(hdr *tar.Header) error {
	if hdr.Typeflag != tar.TypeReg || hdr.Size > maxManifest {
		return bad("its list of sums is no file, or too large")
	}
	text, err := io.ReadAll(s.tar)
	if err != nil {
		return bad("its list of sums is damaged: %v", err)
	}
	if s.manifest, err = parseSums(text); err != nil {
		return bad("its list of sums is damaged: %v", err)
	}
	s.ended = true
	return nil
}

func (s *scanner) entry(hdr *tar.Header) error {
	if err := context.Cause(s.ctx); err != nil {
		return err
	}
	e, err := s.accept(hdr)
	if err != nil {
		return &badArchive{err.Error()}
	}
	s.found.entries++
	if e.kind != filesys.File {
		return s.visit(e, nil)
	}
	s.found.files++
	s.found.bytes += hdr.Size
	digest := sha256.New()
	content := &faulty{ctx: s.ctx, r: io.TeeReader(s.tar, digest)}
	err = s.visit(e, content)
	if err == nil {
		_, err = io.Copy(io.Discard, content)
	}
	if damage := content.failure(); damage != nil {
		return bad("it is damaged in %s: %v", e.name, damage)
	}
	if err != nil {
		return err
	}
	s.sums[e.name] = hex.EncodeToString(digest.Sum(nil))
	return nil
}

// nothingMore reads what comes after the end that tar sees: zeros, and to the end, so that the sums of zstd are checked.
func (s *scanner) nothingMore(unpacked io.Reader) error {
	rest, err := io.ReadAll(io.LimitReader(unpacked, 64<<10))
	if err != nil {
		return bad("its end is damaged: %v", err)
	}
	if slices.ContainsFunc(rest, func(b byte) bool { return b != 0 }) || len(rest) == 64<<10 {
		return bad("it goes on after its end")
	}
	return nil
}

// compare compares what was read with the list of sums.
func (s *scanner) compare() {
	for _, want := range s.manifest {
		got, there := s.sums[want.name]
		switch {
		case !there:
			s.found.wrong = append(s.found.wrong, fmt.Sprintf("%s is in the list of sums, but not in the archive", want.name))
		case got != want.hex:
			s.found.wrong = append(s.found.wrong, fmt.Sprintf("%s has another content than the list of sums says", want.name))
		}
		delete(s.sums, want.name)
	}
	for name := range s.sums {
		s.found.wrong = append(s.found.wrong, fmt.Sprintf("%s is not in the list of sums", name))
	}
	slices.Sort(s.found.wrong)
}
