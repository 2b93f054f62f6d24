package fs

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"sync"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// sameContent compares what is there with what is wanted. Files of different size are not read.
func (f *file) sameContent(v *filesys.View) (bool, error) {
	if f.old.Size != f.size {
		return false, nil
	}
	have, err := v.Open(f.path)
	if err != nil {
		return false, err
	}
	defer have.Close()
	want := io.Reader(bytes.NewReader(f.content))
	if f.from != "" {
		src, err := v.Open(f.from)
		if err != nil {
			return false, err
		}
		defer src.Close()
		want = src
	}
	return sameBytes(have, want)
}

// buffers are what two files are read into to be compared: hundreds of small ones are, so they are used again.
var buffers = sync.Pool{New: func() any { return new([2][64 << 10]byte) }}

func sameBytes(a, b io.Reader) (bool, error) {
	buf := buffers.Get().(*[2][64 << 10]byte)
	defer buffers.Put(buf)
	for {
		n, errA := io.ReadFull(a, buf[0][:])
		m, errB := io.ReadFull(b, buf[1][:])
		if !bytes.Equal(buf[0][:n], buf[1][:m]) {
			return false, nil
		}
		endA, endB := ended(errA), ended(errB)
		switch {
		case errA != nil && !endA:
			return false, errA
		case errB != nil && !endB:
			return false, errB
		case endA || endB:
			return endA && endB, nil
		}
	}
}

func ended(err error) bool { return err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) }

// left describes the files after they were written, with the hashes of contents that are no secrets.
func left(files []*file, secret func(*file) bool) ([]filesys.Left, error) {
	all, err := filesys.LeftAt(changed(files)...)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, f := range files {
		if f.action == keep {
			continue
		}
		if n < len(all) && f.from == "" && !secret(f) {
			sum := sha256.Sum256(f.content)
			all[n].SHA256 = hex.EncodeToString(sum[:])
		}
		n++
	}
	return all, nil
}
