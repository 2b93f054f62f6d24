package filesys

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Space is the room on a file system, in bytes.
type Space struct{ Total, Free, Used int64 }

// SpaceAt returns the room on the file system that holds path, or its nearest parent that is there.
func SpaceAt(path string) (Space, error) {
	for {
		var st unix.Statfs_t
		err := unix.Statfs(path, &st)
		if err == nil {
			size := int64(st.Bsize)
			total, unused := int64(st.Blocks)*size, int64(st.Bfree)*size
			// Free is what an ordinary user may take; the rest is kept back for root.
			return Space{Total: total, Free: int64(st.Bavail) * size, Used: total - unused}, nil
		}
		if parent := filepath.Dir(path); parent != path && (errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR)) {
			path = parent
			continue
		}
		return Space{}, fmt.Errorf("find the free space of %s: %w", path, err)
	}
}

// DiskOf identifies the file system that holds path, or its nearest parent that is there.
func DiskOf(path string) (uint64, error) {
	for {
		var st unix.Stat_t
		err := unix.Stat(path, &st)
		if err == nil {
			return uint64(st.Dev), nil
		}
		if parent := filepath.Dir(path); parent != path && (errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR)) {
			path = parent
			continue
		}
		return 0, fmt.Errorf("find the file system of %s: %w", path, err)
	}
}

// CheckRoom fails unless the file system that is to hold path has room for so many bytes.
func CheckRoom(path string, need int64) error {
	room, err := SpaceAt(path)
	if err == nil && need > room.Free {
		return fmt.Errorf("there is not enough room for %s: it may take %s, and %s are free; make room on that disk",
			path, Bytes(need), Bytes(room.Free))
	}
	return err
}

// noSpace makes an error of a full disk say how much room there is. Need is how many bytes were to be written,
// 0 if that does not matter.
func noSpace(path string, need int64, err error) error {
	if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
		return err
	}
	room, serr := SpaceAt(filepath.Dir(path))
	if serr != nil {
		return fmt.Errorf("write %s: %w; make room on that disk", path, err)
	}
	text := fmt.Sprintf("%s free", Bytes(room.Free))
	if need > 0 {
		text += fmt.Sprintf(", %s to write", Bytes(need))
	}
	return fmt.Errorf("write %s: %w (%s); make room on that disk", path, err, text)
}

// Bytes writes a number of bytes for a person.
func Bytes(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d bytes", n)
	}
	x := float64(n)
	for _, name := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if x /= unit; x < unit || name == "TiB" {
			return fmt.Sprintf("%.1f %s", x, name)
		}
	}
	return ""
}
