package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// openFunc opens a file for reading.
type openFunc func(path string) (io.ReadCloser, error)

func openOnDisk(path string) (io.ReadCloser, error) { return os.Open(path) }

// copyDatabase copies a database to a directory, with what lies beside it but for the index of its log, which belongs to
// those who have it open. It returns the path of the copy.
func copyDatabase(ctx context.Context, path, dir string, open openFunc) (string, error) {
	to := filepath.Join(dir, "db")
	for _, suffix := range []string{"", walSuffix, journalSuffix} {
		err := copyFile(ctx, path+suffix, to+suffix, open)
		if suffix != "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("make a private copy: %w", err)
		}
	}
	return to, nil
}

func copyFile(ctx context.Context, from, to string, open openFunc) error {
	src, err := open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, stoppable{ctx, src})
	return errors.Join(err, dst.Close())
}

// stoppable is a reader that ends with the context.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s stoppable) Read(p []byte) (int, error) {
	if err := context.Cause(s.ctx); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}
