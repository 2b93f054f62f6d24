package server

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// imageName is the image's name without its tag, which is a hash of all that it is made from.
const imageName = "infrarun-test-server"

// packages are what a server has beside Debian's minimal base system.
var packages = []string{
	"systemd", "systemd-sysv", "dbus", "procps", "iproute2", "ca-certificates", "curl", "git",
}

//go:embed image.sh
var imageScript string

// prepareImage makes sure of the image that servers start from.
func (e *engine) prepareImage() error {
	e.prepare.Do(func() { e.failure = e.makeImage() })
	return e.failure
}

func (e *engine) makeImage() error {
	if release, _ := os.ReadFile("/etc/os-release"); releaseOf(string(release), "ID") != "debian" {
		return Unavailable("a server is made from a Debian mirror, which the apt of this machine does not know: it is not Debian")
	}
	apt, err := hostApt()
	if err != nil {
		return err
	}
	e.image = imageName + ":" + apt.tag()
	dir, err := Cache("image")
	if err != nil {
		return err
	}
	making, err := lock(filepath.Join(dir, "lock"), syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer making.Close()
	if e.hasImage() {
		return nil
	}
	if os.Geteuid() != 0 {
		return Unavailable("a server needs its image, which only root can make with debootstrap")
	}
	if err := Install("debootstrap", "debootstrap"); err != nil {
		return err
	}
	if err := e.buildImage(apt, dir); err != nil {
		return fmt.Errorf("make the image of a server: %w", err)
	}
	return e.removeOldImages()
}

// tag names what the image is made from.
func (a *aptSetup) tag() string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\x00%q\x00%s\x00%s", imageScript, packages, a.mirror, a.proxy)
	for _, path := range slices.Sorted(maps.Keys(a.files)) {
		fmt.Fprintf(sum, "\x00%s\x00%s", path, a.files[path])
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}

func (e *engine) hasImage() bool {
	_, err := e.docker(context.Background(), "image", "inspect", e.image)
	return err == nil
}

// removeOldImages removes those that were made from something else and that no server uses.
func (e *engine) removeOldImages() error {
	list, err := e.docker(context.Background(), "images", "--format", "{{.Repository}}:{{.Tag}}", imageName)
	for name := range strings.FieldsSeq(list) {
		if name != e.image {
			_, _ = e.docker(context.Background(), "rmi", name)
		}
	}
	return err
}

func (e *engine) buildImage(apt *aptSetup, dir string) (err error) {
	work, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	files, root := filepath.Join(work, "files"), filepath.Join(work, "root")
	if err := apt.write(files); err != nil {
		return err
	}
	cmd := exec.Command("sh", "-c", imageScript, "image.sh", root, apt.mirror, files, strings.Join(packages, ","))
	cmd.Env = os.Environ()
	if apt.proxy != "" {
		cmd.Env = append(cmd.Env, "http_proxy="+apt.proxy)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		log, _ := os.ReadFile(filepath.Join(root, "debootstrap", "debootstrap.log"))
		return fmt.Errorf("%w\n%s\n%s", err, lastBytes(out), lastBytes(log))
	}
	return e.importTree(root)
}

// importTree makes a directory the image.
func (e *engine) importTree(root string) error {
	pack := exec.Command("tar", "--numeric-owner", "-C", root, "-c", ".")
	load := e.command(context.Background(), "import", "-", e.image)
	var complaints strings.Builder
	pack.Stderr, load.Stderr = &complaints, &complaints
	pipe, err := pack.StdoutPipe()
	if err != nil {
		return err
	}
	load.Stdin = pipe
	if err := pack.Start(); err != nil {
		return err
	}
	err = load.Run()
	_, _ = io.Copy(io.Discard, pipe) // so that tar ends if the engine has not read all
	if err := errors.Join(err, pack.Wait()); err != nil {
		return fmt.Errorf("%w: %s", err, complaints.String())
	}
	return nil
}

// lastBytes is the part of a long text in which an error is likely to be.
func lastBytes(text []byte) []byte {
	const shown = 4000
	return text[max(0, len(text)-shown):]
}
