package archive

import (
	"archive/tar"
	"errors"
	"fmt"
	"math"
	"path"
	"strings"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// accept refuses every entry that archive.create never writes.
func (s *scanner) accept(hdr *tar.Header) (entry, error) {
	e := entry{name: hdr.Name, hdr: hdr}
	switch hdr.Typeflag {
	case tar.TypeReg:
		e.kind = filesys.File
	case tar.TypeDir:
		e.kind = filesys.Dir
		e.name = strings.TrimSuffix(hdr.Name, "/")
	case tar.TypeSymlink:
		e.kind = filesys.Link
		if l := hdr.Linkname; l == "" || len(l) > maxName || strings.ContainsRune(l, 0) {
			return e, fmt.Errorf("the link %q leads to %.40q, which is no path", hdr.Name, l)
		}
	default:
		return e, fmt.Errorf("%q is a hard link, device or pipe (type %q), which archive.create never writes; another program made the archive", hdr.Name, hdr.Typeflag)
	}
	if e.kind == filesys.Dir && hdr.Name == rootName {
		if s.found.entries > 0 {
			return e, errors.New("its root directory comes after what is in it")
		}
		s.found.root = true
		e.name = "."
	} else if err := s.acceptName(e.name); err != nil {
		return e, err
	}
	s.kinds[e.name] = e.kind
	return e, acceptMeta(hdr)
}

func (s *scanner) acceptName(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if _, twice := s.kinds[name]; twice {
		return fmt.Errorf("%q is in it twice", name)
	}
	if dir := path.Dir(name); dir == "." && !s.found.root && s.found.entries > 0 {
		return fmt.Errorf("%q is beside the one file that was packed", name)
	} else if dir != "." && s.kinds[dir] != filesys.Dir {
		return fmt.Errorf("%q is in something that is no directory", name)
	}
	if s.nameBytes += len(name); s.nameBytes > maxNameBytes {
		return fmt.Errorf("it has too many entries: their names alone take more than %s", filesys.Bytes(maxNameBytes))
	}
	return nil
}

// acceptMeta refuses numbers that no file has.
func acceptMeta(hdr *tar.Header) error {
	if hdr.Uid < 0 || hdr.Gid < 0 || hdr.Uid >= math.MaxUint32 || hdr.Gid >= math.MaxUint32 {
		return fmt.Errorf("%q is owned by %d:%d, which is nobody", hdr.Name, hdr.Uid, hdr.Gid)
	}
	if sec := hdr.ModTime.Unix(); sec < math.MinInt32 || sec > math.MaxUint32 {
		return fmt.Errorf("%q was changed at %s, which is no time of a file", hdr.Name, hdr.ModTime.Format(time.RFC3339))
	}
	for key := range hdr.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return fmt.Errorf("%q is a file with holes, as archive.create never writes", hdr.Name)
		}
	}
	return nil
}

// manifestName is the entry that ends an archive.
const manifestName = ".infrarun-manifest.sha256"

// rootName is the entry of the directory that was packed itself.
const rootName = "./"

// maxName is how long a path may be, in bytes: as long as the kernel takes.
const maxName = 4096

// checkName refuses every name that archive.create does not write: one that is not relative, leads upwards, or is another
// spelling of a name. So a name is the path below the directory it is unpacked into, and two entries are the same file only
// if their names are the same. Name is without the slash that the tar format puts after a directory.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("an entry has no name")
	case len(name) > maxName:
		return fmt.Errorf("the name %.40q… is longer than %d bytes", name, maxName)
	case strings.ContainsRune(name, 0):
		return fmt.Errorf("the name %q holds a NUL byte", name)
	case strings.HasPrefix(name, "/"):
		return fmt.Errorf("the name %q begins at the root directory", name)
	case name == "." || path.Clean(name) != name || name == ".." || strings.HasPrefix(name, "../"):
		return fmt.Errorf("the name %q leads upwards, or is no plain path", name)
	}
	for component := range strings.SplitSeq(name, "/") {
		if len(component) > 255 {
			return fmt.Errorf("in the name %.40q… a part is longer than 255 bytes", name)
		}
	}
	return nil
}
