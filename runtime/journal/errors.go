package journal

import (
	"errors"
	"fmt"
)

// ErrClosed is returned by a journal that was closed.
var ErrClosed = errors.New("journal is closed")

// CorruptError reports a file that is damaged in a way that no crash explains. What it says cannot be trusted,
// so none of it is used.
type CorruptError struct {
	File   string
	Offset int64 // of the damage, in bytes; -1 if it concerns the whole file
	Reason string
}

func (e *CorruptError) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("%s is corrupt: %s: nothing in it can be trusted, restore it from a copy", e.File, e.Reason)
	}
	return fmt.Sprintf("%s is corrupt at byte %d: %s: nothing in it can be trusted, restore it from a copy",
		e.File, e.Offset, e.Reason)
}

// VersionError reports a journal in a format that this program does not know.
type VersionError struct {
	File    string
	Version uint32
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%s has format %d, this program reads up to %d: use the version that wrote it, or a newer one",
		e.File, e.Version, version)
}
