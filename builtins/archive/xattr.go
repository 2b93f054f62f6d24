package archive

import (
	"bytes"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// xattrPrefix is what other programs put before the name of an extended attribute in the tar format.
const xattrPrefix = "SCHILY.xattr."

// carried reports whether an extended attribute is packed and unpacked: the capabilities of a program, and what users have
// set. Labels of security modules belong to the machine.
func carried(name string) bool {
	return name == "security.capability" || strings.HasPrefix(name, "user.")
}

// attributesOf returns the extended attributes of a file as records of the tar format, nil if there are none. A file
// system that has no such thing is no error.
func attributesOf(f *os.File) map[string]string {
	fd := int(f.Fd())
	size, err := unix.Flistxattr(fd, nil)
	if err != nil || size == 0 {
		return nil
	}
	names := make([]byte, size)
	if size, err = unix.Flistxattr(fd, names); err != nil {
		return nil
	}
	var records map[string]string
	for name := range bytes.SplitSeq(names[:size], []byte{0}) {
		value := make([]byte, 64<<10) // as large as one can be
		n := -1
		if carried(string(name)) {
			n, err = unix.Fgetxattr(fd, string(name), value)
		}
		if n < 0 || err != nil {
			continue
		}
		if records == nil {
			records = map[string]string{}
		}
		records[xattrPrefix+string(name)] = string(value[:n])
	}
	return records
}
