package filesys

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckRoom(t *testing.T) {
	dir := t.TempDir()
	if err := CheckRoom(filepath.Join(dir, "none", "copy.db"), 1); err != nil {
		t.Error(err)
	}
	err := CheckRoom(filepath.Join(dir, "copy.db"), math.MaxInt64)
	if err == nil || !strings.Contains(err.Error(), "it may take 8388608.0 TiB, and") || !strings.Contains(err.Error(), "are free") {
		t.Errorf("more than there is room for: %v", err)
	}
}

func TestDiskOf(t *testing.T) {
	dir := t.TempDir()
	here, err := DiskOf(dir)
	must(t, err)
	if there, err := DiskOf(filepath.Join(dir, "not", "yet")); err != nil || there != here {
		t.Errorf("what is to be made in a directory is on %d, %v; want %d", there, err, here)
	}
	if proc, err := DiskOf("/proc"); err != nil || proc == here {
		t.Errorf("/proc is on the disk of %s, %v", dir, err)
	}
}
