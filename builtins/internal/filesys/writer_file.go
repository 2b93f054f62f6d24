package filesys

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"time"
)

// NewFile is a file to be written: its bytes are Content, or those of the file From where that is given.
type NewFile struct {
	Path    string
	Content []byte
	From    string // a file on the disk, whose links are followed
	Mode    fs.FileMode
	UID     int // Keep: of the file that is there, or infrarun's
	GID     int

	modTime time.Time // zero: now
}

// WriteFile writes a file atomically: whoever reads it finds the old content or the new one.
func (x *Writer) WriteFile(path string, content []byte, mode fs.FileMode, uid, gid int) error {
	f := NewFile{Path: path, Content: content, Mode: mode, UID: uid, GID: gid}
	return x.WriteFiles(context.Background(), []NewFile{f})
}

// CopyFile writes a file with the bytes of another one.
func (x *Writer) CopyFile(ctx context.Context, from, to string, mode fs.FileMode) error {
	return x.WriteFiles(ctx, []NewFile{{Path: to, From: from, Mode: mode, UID: Keep, GID: Keep}})
}

// WriteFiles writes many files, each atomically, and waits for the disk once for as many as can be open at the same
// time. If it fails some may have been written and others not.
func (x *Writer) WriteFiles(ctx context.Context, files []NewFile) error {
	b := newBatch()
	defer x.discard(b)
	for _, f := range files {
		if err := stopped(ctx); err != nil {
			return err
		}
		if err := x.addFile(ctx, b, f); err != nil {
			return err
		}
	}
	return x.finish(b)
}

func (x *Writer) addFile(ctx context.Context, b *batch, f NewFile) error {
	if f.From == "" {
		return x.add(b, f, bytes.NewReader(f.Content), int64(len(f.Content)))
	}
	src, err := openRegular(f.From)
	if err != nil {
		return err
	}
	defer src.Close()
	fi, err := src.Stat()
	if err != nil {
		return err
	}
	return x.add(b, f, &stoppable{ctx, src}, fi.Size())
}

// stoppable is a reader that ends with the context.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	if err := stopped(s.ctx); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}
