package filesys

import (
	"bytes"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Extended attributes carry access lists, labels of security modules and capabilities. Which of them may be
// set depends on the file system and on who runs infrarun: what cannot be carried over is left out.

// attributes returns the names of the extended attributes of a path, of a link itself.
func attributes(path string) []string {
	size, err := unix.Llistxattr(path, nil)
	if err != nil || size == 0 {
		return nil
	}
	buf := make([]byte, size)
	if size, err = unix.Llistxattr(path, buf); err != nil {
		return nil
	}
	var names []string
	for name := range bytes.SplitSeq(buf[:size], []byte{0}) {
		if len(name) > 0 {
			names = append(names, string(name))
		}
	}
	return names
}

func attribute(path, name string) ([]byte, bool) {
	size, err := unix.Lgetxattr(path, name, nil)
	if err != nil {
		return nil, false
	}
	value := make([]byte, size)
	size, err = unix.Lgetxattr(path, name, value)
	return value[:max(size, 0)], err == nil
}

// copyAttrs gives a new file the attributes of the one whose place it takes, other than capabilities: those
// were given to the old content.
func (x *Writer) copyAttrs(from string, to *os.File) {
	for _, name := range attributes(from) {
		if name == "security.capability" || strings.HasPrefix(name, "trusted.") {
			continue
		}
		if value, ok := attribute(from, name); ok {
			_ = unix.Fsetxattr(int(to.Fd()), name, value, 0)
		}
	}
}

// copyAllAttrs gives a copy the attributes of what it is a copy of.
func (x *Writer) copyAllAttrs(from, to string) {
	for _, name := range attributes(from) {
		if value, ok := attribute(from, name); ok {
			_ = unix.Lsetxattr(to, name, value, 0)
		}
	}
}
