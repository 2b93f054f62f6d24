package fetch

import (
	"archive/tar"
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
)

// kind is what an entry of an archive is.
type kind int

const (
	aFile kind = iota + 1
	aDir
	aLink     // symbolic
	aHardLink // a further name of a file in the archive
)

// entry is something in an archive.
type entry struct {
	name       string
	kind       kind
	executable bool
	size       int64 // of a file
	time       time.Time
	target     string // of a link
}

// visitor is called with each entry of an archive, and the content of a file.
type visitor func(e entry, content io.Reader) error

// walk reads an archive to its end. Plain is for a zip of which only the names and contents can be trusted, because only
// they are in its sum: everything in it is a file.
func walk(ctx context.Context, packed *io.SectionReader, plain bool, progress *bar, visit visitor) error {
	head, err := headOf(packed)
	if err != nil {
		return err
	}
	if isZip(head) {
		z, err := openZip(ctx, packed)
		if err != nil {
			return err
		}
		return walkZip(ctx, z, plain, progress, visit)
	}
	r, err := decompress(head, &counted{&stoppable{ctx, io.NewSectionReader(packed, 0, packed.Size())}, progress})
	if err != nil {
		return err
	}
	defer r.Close()
	return walkTar(ctx, r, visit)
}

// counted shows how much was read.
type counted struct {
	r        io.Reader
	progress *bar
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.progress.advance(int64(n))
	return n, err
}

func walkTar(ctx context.Context, r io.Reader, visit visitor) error {
	t := tar.NewReader(&stoppable{ctx, r})
	for {
		hdr, err := t.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("it is damaged: %w", err)
		case hdr.Typeflag == tar.TypeXGlobalHeader:
			continue // as git archive writes it: a comment
		}
		e, err := tarEntry(hdr)
		if err == nil {
			err = visit(e, t)
		}
		if err != nil {
			return err
		}
	}
}

func tarEntry(hdr *tar.Header) (entry, error) {
	e := entry{name: hdr.Name, time: hdr.ModTime, target: hdr.Linkname}
	switch hdr.Typeflag {
	case tar.TypeReg:
		e.kind, e.size, e.executable = aFile, hdr.Size, hdr.Mode&0o100 != 0
	case tar.TypeDir:
		e.kind = aDir
	case tar.TypeSymlink:
		e.kind = aLink
	case tar.TypeLink:
		e.kind = aHardLink
	default:
		return e, fmt.Errorf("%.200q is a device, a pipe or something else that is no file (type %q)", hdr.Name, hdr.Typeflag)
	}
	for key := range hdr.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return e, fmt.Errorf("%.200q is a file with holes, which is not unpacked", hdr.Name)
		}
	}
	return e, nil
}

// maxDirectory is how long the list of files at the end of a zip may be, in bytes.
const maxDirectory = 32 << 20

// openZip reads the list of files of a zip, which must be within the limits of what is unpacked.
func openZip(ctx context.Context, packed *io.SectionReader) (*zip.Reader, error) {
	r := &rationed{ctx: ctx, r: packed, left: maxDirectory}
	z, err := zip.NewReader(r, packed.Size())
	if err != nil {
		return nil, fmt.Errorf("it is damaged, or no zip: %w", err)
	}
	r.left = -1
	if len(z.File) > maxEntries {
		return nil, tooMany()
	}
	total := uint64(0)
	for _, f := range z.File {
		if total += min(f.UncompressedSize64, maxBytes+1); total > maxBytes {
			return nil, tooLarge()
		}
	}
	return z, nil
}

// rationed lets only so many bytes be read, and ends with the context.
type rationed struct {
	ctx  context.Context
	r    io.ReaderAt
	left int // negative: any number
}

func (r *rationed) ReadAt(p []byte, at int64) (int, error) {
	if err := context.Cause(r.ctx); err != nil {
		return 0, err
	}
	if r.left >= 0 {
		if r.left -= len(p); r.left < 0 {
			r.left = 0
			return 0, errors.New("its list of files is too long")
		}
	}
	return r.r.ReadAt(p, at)
}

func walkZip(ctx context.Context, z *zip.Reader, plain bool, progress *bar, visit visitor) error {
	progress.now.Total = 0
	for _, f := range z.File {
		progress.now.Total += int64(f.UncompressedSize64)
	}
	for _, f := range z.File {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := zipEntry(f, plain, progress, visit); err != nil {
			return err
		}
	}
	return nil
}

func zipEntry(f *zip.File, plain bool, progress *bar, visit visitor) error {
	e := entry{name: f.Name, kind: aFile, size: int64(f.UncompressedSize64)}
	if !plain {
		e.time, e.executable = f.Modified, f.Mode()&0o100 != 0
	}
	mode := f.Mode().Type()
	switch {
	case strings.HasSuffix(f.Name, "/") || mode == fs.ModeDir && !plain:
		e.kind, e.size = aDir, 0
		return visit(e, nil)
	case f.Flags&1 != 0:
		return fmt.Errorf("%.200q is encrypted", f.Name)
	case mode != 0 && mode != fs.ModeSymlink && !plain:
		return fmt.Errorf("%.200q is a device, a pipe or something else that is no file", f.Name)
	}
	content, err := f.Open()
	if err != nil {
		return fmt.Errorf("%.200q cannot be read: %w", f.Name, err)
	}
	defer content.Close()
	if mode == fs.ModeSymlink && !plain {
		target, err := io.ReadAll(io.LimitReader(content, maxName+1))
		if err != nil {
			return fmt.Errorf("%.200q is damaged: %w", f.Name, err)
		}
		e.kind, e.size, e.target = aLink, 0, string(target)
		return visit(e, nil)
	}
	return visit(e, &counted{content, progress})
}
