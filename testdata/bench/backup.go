package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// backupVariable says how many MiB are backed up.
const backupVariable = "BENCH_BACKUP_MIB"

const backupRecipe = `
load("@stdlib//backup.star", "make_backup", "restore_backup")

PARAMS = {"dir": param.path(required = True), "restore": param.bool(default = False)}

PERMISSIONS = {"fs.write": ["{dir}"]}

def main(ctx):
    dir = ctx.params.dir
    if ctx.params.restore:
        restore_backup(dir + "/backup-20261122-150405", trees = {"data": dir + "/restored"})
    else:
        make_backup(dir + "/backup-20261122-150405", trees = {"data": dir + "/data"})
`

// The same with tar and zstd, as durable, but with nothing checked and no sums.
const (
	tarPack   = `set -euo pipefail; tar -C "$1/data" -cf - . | zstd -q -T0 -3 -o "$1/data.tar.zst"; sync "$1/data.tar.zst"`
	tarUnpack = `set -euo pipefail; mkdir "$1/unpacked"; zstd -q -dc "$1/data.tar.zst" | tar -C "$1/unpacked" -xf -; sync -f "$1/unpacked"`
)

// backup measures a backup of a directory and restoring it, beside tar with zstd where that is installed.
func (b *bench) backup() ([]row, error) {
	mib := 256
	if v := os.Getenv(backupVariable); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s: %q is no number of MiB", backupVariable, v)
		}
		mib = n
	}
	dir, star := filepath.Join(b.dir, "backup"), filepath.Join(b.dir, "backup.star")
	if err := errors.Join(os.WriteFile(star, []byte(backupRecipe), 0o644), fill(filepath.Join(dir, "data"), mib)); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	pack := row{what: fmt.Sprintf("backup of %d MiB, half of it random", mib), instead: "tar | zstd -T0 -3: zstd is not installed"}
	unpack := row{what: "restoring it", instead: pack.instead}

	recipe := []string{b.infrarun, star, "--dir", dir, "--quiet"}
	var err error
	if pack.value, err = b.packing(dir, "backup-20261122-150405", recipe...); err != nil {
		return nil, err
	}
	if unpack.value, err = b.unpacking(dir, "restored", append(recipe, "--restore")...); err != nil {
		return nil, err
	}
	if _, err := exec.LookPath("zstd"); err != nil {
		return []row{pack, unpack}, nil
	}
	if pack.instead, err = b.packing(dir, "data.tar.zst", "bash", "-c", tarPack, "bash", dir); err != nil {
		return nil, err
	}
	if unpack.instead, err = b.unpacking(dir, "unpacked", "bash", "-c", tarUnpack, "bash", dir); err != nil {
		return nil, err
	}
	pack.instead, unpack.instead = "tar | zstd -T0 -3: "+pack.instead, "zstd | tar: "+unpack.instead
	return []row{pack, unpack}, nil
}

// packing measures a command that makes a backup of this name in dir: how long it takes, and how large that is.
func (b *bench) packing(dir, name string, argv ...string) (string, error) {
	t, err := b.median(3, []int{0}, func() error { return os.RemoveAll(filepath.Join(dir, name)) }, argv...)
	if err != nil {
		return "", err
	}
	var size int64
	err = filepath.WalkDir(filepath.Join(dir, name), func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return fmt.Sprintf("%.2f s, %d bytes, %.0f MB of memory", t.wall.Seconds(), size, float64(t.rss)/1e6), err
}

// unpacking measures a command that makes the directory of this name in dir.
func (b *bench) unpacking(dir, name string, argv ...string) (string, error) {
	t, err := b.median(3, []int{0}, func() error { return os.RemoveAll(filepath.Join(dir, name)) }, argv...)
	return fmt.Sprintf("%.2f s", t.wall.Seconds()), err
}

// fill makes a directory with files of a MiB: in turn random ones, as of pictures, and lines as of a log.
func fill(dir string, mib int) error {
	random := rand.NewChaCha8([32]byte{})
	numbers := rand.New(random)
	for i := range mib {
		name := filepath.Join(dir, fmt.Sprint(i/64), fmt.Sprintf("%d.dat", i))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		w := bufio.NewWriter(f)
		for left := 1 << 20; left > 0; {
			var part []byte
			if i%2 == 0 {
				part = make([]byte, min(left, 4096))
				random.Read(part)
			} else {
				part = fmt.Appendf(nil, "2026-11-22T15:04:05Z info request method=GET path=/api/v1/items/%d status=200 took=%dms\n",
					numbers.IntN(100_000), numbers.IntN(500))
				part = part[:min(left, len(part))]
			}
			left -= len(part)
			w.Write(part) // its error is that of Flush
		}
		if err := errors.Join(w.Flush(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}
