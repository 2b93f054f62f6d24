package archive

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// retries is how often a file that changes while it is read is read again.
const retries = 3

// settleTime is how old the last change of a file must be, by the time it is read, for the next one to show: the kernel's
// clock of files stands still for up to a hundredth of a second.
const settleTime = 20 * time.Millisecond

// smallFile is up to which size a file is read whole before any of it is written to the archive. A larger one is written
// while it is read, and taken out of the archive again if it changes.
const smallFile = 16 << 20

var errChanged = errors.New("it changed while it was read")

// version tells one state of a file from another.
type version struct {
	inode        uint64
	size         int64
	mtime, ctime unix.Timespec
}

func versionOf(f *os.File) (version, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return version{}, &fs.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return version{}, errChanged // it was a file when the directory was listed
	}
	return version{st.Ino, st.Size, st.Mtim, st.Ctim}, nil
}

// watch is what is known of a file from the attempts to read it.
type watch struct {
	last version
	seen time.Time // when it was first seen in this version
}

// settled reports whether a change from now on will show in the file's version.
func (w *watch) settled(v version) bool {
	now := time.Now()
	if v != w.last {
		w.last, w.seen = v, now
	}
	// By the file's own time, or, where the clock of its file system is ahead, because it has not changed for so long.
	return now.Sub(time.Unix(v.ctime.Unix())) > settleTime || now.Sub(w.seen) > settleTime
}

// file packs a file, as it was at one moment.
func (x *packer) file(ctx context.Context, dir *os.Root, rel string) error {
	var seen watch
	for try := range retries + 1 {
		if try > 0 {
			if err := pause(ctx, settleTime<<(2*try-1)); err != nil {
				return err
			}
		}
		err := x.attempt(ctx, dir, rel, &seen)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // removed since the directory was listed
		case err != nil && !errors.Is(err, errChanged):
			return fmt.Errorf("pack %s: %w", x.pathOf(rel), err)
		case err == nil:
			x.made.files++
			return nil
		}
	}
	return fmt.Errorf("pack %s: it changed while it was read, each of %d times; stop what writes to it, or leave it out with "+
		"exclude = [%q] (a database is first copied with sqlite.backup)", x.pathOf(rel), retries+1, path.Base(rel))
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// attempt packs a file, unless it changes meanwhile. Then the archive is as it was before.
func (x *packer) attempt(ctx context.Context, dir *os.Root, rel string, seen *watch) error {
	f, err := dir.OpenFile(path.Base(rel), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	before, err := versionOf(f)
	if err != nil {
		return err
	}
	if !seen.settled(before) {
		return errChanged
	}
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	hdr := x.header(fi, tar.TypeReg, rel)
	hdr.Size = before.size
	hdr.PAXRecords = attributesOf(f)
	if before.size <= smallFile {
		return x.small(f, hdr, before)
	}
	return x.large(ctx, f, hdr, before)
}

func (x *packer) small(f *os.File, hdr *tar.Header, before version) error {
	if x.buffer == nil {
		x.buffer = make([]byte, smallFile)
	}
	data := x.buffer[:before.size]
	if _, err := io.ReadFull(f, data); err == io.ErrUnexpectedEOF || err == io.EOF {
		return errChanged
	} else if err != nil {
		return err
	}
	if err := unchanged(f, before); err != nil {
		return err
	}
	if err := x.tar.WriteHeader(hdr); err != nil {
		return err
	}
	if _, err := x.tar.Write(data); err != nil {
		return err
	}
	digest := sha256.Sum256(data)
	x.packed(hdr, digest[:])
	x.advance(before.size)
	return nil
}

func (x *packer) large(ctx context.Context, f *os.File, hdr *tar.Header, before version) error {
	if err := x.tar.Flush(); err != nil {
		return err
	}
	start, at := x.out.mark(), x.bar.Current
	digest := sha256.New()
	err := x.tar.WriteHeader(hdr)
	if err == nil {
		err = x.stream(ctx, f, hdr.Size, digest)
	}
	if err == nil {
		err = unchanged(f, before)
	}
	if errors.Is(err, errChanged) {
		x.bar.Current = at
		x.tar = tar.NewWriter(x.out) // the old one waits for the rest of the entry
		return errors.Join(err, x.out.rewind(start))
	}
	if err == nil {
		x.packed(hdr, digest.Sum(nil))
	}
	return err
}

// stream copies size bytes.
func (x *packer) stream(ctx context.Context, f *os.File, size int64, digest hash.Hash) error {
	if x.buffer == nil {
		x.buffer = make([]byte, smallFile)
	}
	for done := int64(0); done < size; {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		n, err := f.Read(x.buffer[:min(1<<20, size-done)])
		if err == io.EOF {
			return errChanged
		} else if err != nil {
			return err
		}
		digest.Write(x.buffer[:n])
		if _, err := x.tar.Write(x.buffer[:n]); err != nil {
			return err
		}
		done += int64(n)
		x.advance(int64(n))
	}
	return nil
}

// unchanged fails with errChanged if a file is no longer what it was.
func unchanged(f *os.File, before version) error {
	after, err := versionOf(f)
	if err == nil && after != before {
		return errChanged
	}
	return err
}

// packed notes a file that is in the archive.
func (x *packer) packed(hdr *tar.Header, digest []byte) {
	x.made.bytes += hdr.Size
	x.sums = append(x.sums, sum{hdr.Name, hex.EncodeToString(digest)})
}
