package docker

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/volume"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

// saveVolume writes what a volume holds to a file, a tar. It has its name when it is whole, and on the disk.
func (x *control) saveVolume(ctx context.Context, name, file, token string) (size int64, err error) {
	draft := file + ".part"
	if err := x.writeVolume(ctx, name, draft, token, func(w io.Writer) io.WriteCloser { return nopCloser{w} }); err != nil {
		return 0, err
	}
	return x.finish(draft, file)
}

// backup writes a backup.
func (x *control) backup(ctx context.Context, b *backup) (size int64, err error) {
	packing := func(w io.Writer) io.WriteCloser { return nopCloser{w} }
	if strings.HasSuffix(b.dst, ".gz") {
		packing = func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
	}
	if err := x.writeVolume(ctx, b.name, b.draft, b.token, packing); err != nil {
		return 0, err
	}
	return x.finish(b.draft, b.dst)
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// finish gives a file that is whole its name.
func (x *control) finish(draft, file string) (int64, error) {
	info, err := os.Stat(draft)
	if err != nil {
		return 0, err
	}
	if err := os.Rename(draft, file); err != nil {
		return 0, err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return 0, err
	}
	return info.Size(), errors.Join(dir.Sync(), dir.Close())
}

func (x *control) writeVolume(ctx context.Context, name, file, token string, packing func(io.Writer) io.WriteCloser) error {
	return x.withVolume(ctx, name, token, func(id string) (err error) {
		content, _, err := x.API.CopyFromContainer(ctx, id, helperPath+"/.")
		if err != nil {
			return fmt.Errorf("read volume %s: %w", name, engine.Explain(ctx, err))
		}
		defer content.Close()
		f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		w := packing(f)
		_, err = io.Copy(w, &watched{Reader: content, w: x.Run, bar: events.Bar{What: "copy volume " + name, Unit: "bytes"}})
		if err := errors.Join(err, w.Close(), f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("copy volume %s: %w", name, engine.Explain(ctx, err))
		}
		return nil
	})
}

// fillVolume has a volume hold what a tar file holds, and nothing else.
func (x *control) fillVolume(ctx context.Context, name, file, token string) error {
	content, err := openTar(file)
	if err != nil {
		return err
	}
	defer content.Close()
	return x.withVolume(ctx, name, token, func(id string) error {
		v, err := x.Volume(ctx, name)
		if err != nil || v == nil {
			return err
		}
		// One of another driver was made anew, and what its driver keeps cannot be reached.
		if v.Driver == "local" {
			err = x.empty(ctx, v, id, token)
		}
		if err != nil {
			return err
		}
		if err := failpoint.Hit("docker.after-empty"); err != nil {
			return err
		}
		// Owners are kept as they are in the file.
		read := &watched{Reader: content, w: x.Run, bar: events.Bar{What: "fill volume " + name, Unit: "bytes"}}
		err = x.API.CopyToContainer(ctx, id, helperPath, read, container.CopyToContainerOptions{AllowOverwriteDirWithFile: true})
		if err != nil {
			return fmt.Errorf("fill volume %s: %w", name, engine.Explain(ctx, err))
		}
		if v.Driver != "local" {
			return nil
		}
		return ownTop(v, file)
	})
}

// ownTop gives the top of a volume the owner and mode that it had: the engine passes over that when it unpacks a tar file.
func ownTop(v *volume.Volume, file string) error {
	content, err := openTar(file)
	if err != nil {
		return err
	}
	defer content.Close()
	top, err := tar.NewReader(content).Next()
	if err != nil || top.Typeflag != tar.TypeDir || filepath.Clean(top.Name) != "." {
		return nil // the file holds nothing of it
	}
	root, err := os.OpenRoot(v.Mountpoint)
	if err != nil {
		return fmt.Errorf("fill volume %s: %w", v.Name, err)
	}
	defer root.Close()
	if err := errors.Join(root.Chown(".", top.Uid, top.Gid), root.Chmod(".", top.FileInfo().Mode())); err != nil {
		return fmt.Errorf("fill volume %s: %w", v.Name, err)
	}
	return nil
}

// empty removes all that a volume holds. The engine has no call for that, so it is done where the engine keeps it: after a
// file that is put into the volume by the engine was seen there.
func (x *control) empty(ctx context.Context, v *volume.Volume, id, token string) error {
	var mark bytes.Buffer
	w := tar.NewWriter(&mark)
	marker := ".infrarun-" + token
	if err := errors.Join(w.WriteHeader(&tar.Header{Name: marker, Mode: 0o600}), w.Close()); err != nil {
		return err
	}
	if err := x.API.CopyToContainer(ctx, id, helperPath, &mark, container.CopyToContainerOptions{}); err != nil {
		return fmt.Errorf("write to volume %s: %w", v.Name, engine.Explain(ctx, err))
	}
	root, err := os.OpenRoot(v.Mountpoint)
	if err == nil {
		defer root.Close()
		_, err = root.Lstat(marker)
	}
	if err != nil {
		return fmt.Errorf("empty volume %s: the engine keeps it in %s, which infrarun cannot reach: %w; run it as root on the machine of the "+
			"engine", v.Name, v.Mountpoint, err)
	}
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	names, err := dir.Readdirnames(-1)
	if err := errors.Join(err, dir.Close()); err != nil {
		return err
	}
	for _, name := range names {
		if err := root.RemoveAll(name); err != nil {
			return fmt.Errorf("empty volume %s: %w", v.Name, err)
		}
	}
	return nil
}
