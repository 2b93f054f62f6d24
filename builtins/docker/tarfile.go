package docker

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// openTar opens a tar file, compressed or not.
func openTar(file string) (io.ReadCloser, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	var magic [2]byte
	n, err := io.ReadFull(f, magic[:])
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	if n < 2 || magic != [2]byte{0x1f, 0x8b} {
		return f, nil
	}
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{unpacked, f}, nil
}

// tarHolds reports whether a tar file has anything but its root.
func tarHolds(file string) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return false, nil
		} else if err != nil {
			return false, err
		}
		if name := strings.Trim(h.Name, "./"); name != "" {
			return true, nil
		}
	}
}

// isTar fails unless a file begins as a tar file does, compressed or not. One with nothing in it is one.
func isTar(file string) error {
	f, err := openTar(file)
	if err != nil {
		return notTar(file, err)
	}
	defer f.Close()
	if _, err := tar.NewReader(f).Next(); err != nil && !errors.Is(err, io.EOF) {
		return notTar(file, err)
	}
	return nil
}

// readTar fails unless a file is a tar file that can be read to its end.
func readTar(ctx context.Context, file string) error {
	f, err := openTar(file)
	if err != nil {
		return notTar(file, err)
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		_, err := r.Next()
		if err == nil {
			_, err = io.Copy(io.Discard, contextReader{ctx, r})
		}
		switch {
		case errors.Is(err, io.EOF):
			// What follows is not of the archive, but the sum at the end of a compressed file is there.
			_, err = io.Copy(io.Discard, contextReader{ctx, f})
			return notTar(file, err)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return notTar(file, err)
		}
	}
}

func notTar(file string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s is no backup of a volume, or is damaged: %w", file, err)
}

// contextReader reads until a context ends.
type contextReader struct {
	ctx context.Context
	io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}
