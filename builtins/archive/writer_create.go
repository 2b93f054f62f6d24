package archive

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

// archiveMode is the mode of an archive: among what is packed may be keys.
const archiveMode fs.FileMode = 0o600

// packer makes one archive.
type packer struct {
	*creation
	w     *runtime.Writer
	files *filesys.Writer

	out    *frames
	tar    *tar.Writer
	sums   []sum
	made   made
	owners map[int]string // names of users; those of groups have negative keys
	buffer []byte
	bar    events.Bar
	shown  time.Time
}

// newPacker returns what packs, in exchange for a run's writer.
func newPacker(w *runtime.Writer, cr *creation) *packer {
	w.Require()
	return &packer{
		creation: cr, w: w, files: filesys.Writable(w), owners: map[int]string{},
		bar: events.Bar{What: "pack " + cr.src, Total: cr.plan.bytes, Unit: "bytes"},
	}
}

// pack makes the archive: under its draft's name until it is whole and on the disk.
func (x *packer) pack(ctx context.Context) (made, error) {
	err := x.draftAll(ctx)
	if err == nil {
		all := append([]sum{{filepath.Base(x.dst), x.made.sha256}}, x.sums...)
		err = x.files.WriteFile(besideOf(x.dst), formatSums(all), archiveMode, filesys.Keep, filesys.Keep)
	}
	if err == nil {
		err = failpoint.Hit("archive.before-rename")
	}
	if err == nil {
		err = x.files.Rename(ctx, x.draft, x.dst)
	}
	if err != nil {
		// The undo would do so as well, but a full disk is better made room on at once.
		return made{}, errors.Join(x.explain(err), x.files.Delete(x.draft), x.files.Delete(besideOf(x.dst)))
	}
	x.bar.Current, x.bar.Done = x.bar.Total, true
	x.w.Progress(x.bar)
	return x.made, nil
}

// draftAll writes the whole archive to the draft, and waits until it is on the disk.
func (x *packer) draftAll(ctx context.Context) (err error) {
	if err := x.files.Delete(x.draft); err != nil {
		return err
	}
	f, err := os.OpenFile(x.draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, archiveMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Chmod(archiveMode); err != nil {
		return err
	}
	if x.out, err = newFrames(f, x.level); err != nil {
		return err
	}
	defer x.out.stop()
	x.tar = tar.NewWriter(x.out)
	if err := x.tree(ctx); err != nil {
		return err
	}
	if err := x.manifest(); err != nil {
		return err
	}
	if err := x.tar.Close(); err != nil {
		return err
	}
	if x.made.size, x.made.sha256, err = x.out.finish(); err != nil {
		return err
	}
	return f.Sync()
}

// manifest writes the last entry.
func (x *packer) manifest() error {
	text := formatSums(x.sums)
	hdr := &tar.Header{Typeflag: tar.TypeReg, Name: manifestName, Mode: int64(archiveMode), Size: int64(len(text)), Format: tar.FormatPAX}
	if err := x.tar.WriteHeader(hdr); err != nil {
		return err
	}
	_, err := x.tar.Write(text)
	return err
}

// tree packs what is to be packed.
func (x *packer) tree(ctx context.Context) error {
	fi, err := os.Lstat(x.root)
	if err != nil {
		return err
	}
	if fi.IsDir() {
		root, err := os.OpenRoot(x.root)
		if err != nil {
			return err
		}
		defer root.Close()
		return x.directory(ctx, root, fi, "")
	}
	dir, err := os.OpenRoot(filepath.Dir(x.root))
	if err != nil {
		return err
	}
	defer dir.Close()
	return x.entry(ctx, dir, fi, filepath.Base(x.root))
}

// directory packs a directory that is open, and what is in it. Each is opened as a root of its own, so that a link that
// somebody puts in the place of a directory leads nowhere.
func (x *packer) directory(ctx context.Context, dir *os.Root, fi fs.FileInfo, rel string) error {
	name := rel + "/"
	if rel == "" {
		name = rootName
	}
	if err := x.tar.WriteHeader(x.header(fi, tar.TypeDir, name)); err != nil {
		return err
	}
	d, err := dir.Open(".")
	if err != nil {
		return err
	}
	names, err := d.Readdirnames(-1)
	if err := errors.Join(err, d.Close()); err != nil {
		return fmt.Errorf("list %s: %w", x.pathOf(rel), err)
	}
	slices.Sort(names)
	for _, name := range names {
		child := path.Join(rel, name)
		if child == manifestName || x.exclude.match(child) {
			continue
		}
		fi, err := dir.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed since the directory was listed
		}
		if err == nil {
			err = x.entry(ctx, dir, fi, child)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// entry packs what is in the directory dir, at the path rel below the source.
func (x *packer) entry(ctx context.Context, dir *os.Root, fi fs.FileInfo, rel string) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	name := path.Base(rel)
	switch fi.Mode().Type() {
	case 0:
		return x.file(ctx, dir, rel)
	case fs.ModeDir:
		sub, err := dir.OpenRoot(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return fmt.Errorf("open %s: %w", x.pathOf(rel), err)
		}
		defer sub.Close()
		return x.directory(ctx, sub, fi, rel)
	case fs.ModeSymlink:
		to, err := dir.Readlink(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		hdr := x.header(fi, tar.TypeSymlink, rel)
		hdr.Linkname = to
		return x.tar.WriteHeader(hdr)
	}
	x.made.leftOut = append(x.made.leftOut, rel)
	x.w.Warn("%s is a device, socket or pipe: it is not in the archive", x.pathOf(rel))
	return nil
}

func (x *packer) pathOf(rel string) string {
	if fi, err := os.Lstat(x.root); err == nil && !fi.IsDir() {
		return x.root
	}
	return filepath.Join(x.root, rel)
}

// explain says of a full disk how much room there is.
func (x *packer) explain(err error) error {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return err
	}
	room, rerr := filesys.SpaceAt(x.dst)
	if rerr != nil {
		return err
	}
	return fmt.Errorf("there is no more room for %s (%s free); make room on that disk: %w", x.dst, filesys.Bytes(room.Free), err)
}

// advance shows how far the packing has come.
func (x *packer) advance(n int64) {
	x.bar.Current += n
	if time.Since(x.shown) > 100*time.Millisecond {
		x.shown = time.Now()
		shown := x.bar
		shown.Total = max(shown.Total, shown.Current) // a tree may grow
		x.w.Progress(shown)
	}
}
