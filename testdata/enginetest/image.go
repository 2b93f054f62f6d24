package enginetest

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/docker/docker/api/types/image"
)

// Program returns the file of the program that images have as /app. It needs no libraries.
func (e *Engine) Program() string {
	e.t.Helper()
	file, err := e.program()
	e.must(err)
	return file
}

// compile makes the program.
func (p *process) compile() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	file := filepath.Join(p.dir, "app")
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", file, ".")
	cmd.Dir = filepath.Join(filepath.Dir(here), "testdata", "app")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compile the program of the images: %w\n%s", err, out)
	}
	return file, nil
}

// Image makes an image that has nothing but /app and runs `/app serve`, with changes as in a Dockerfile, such as
// "ENV VERSION=2". It returns the image's id.
func (e *Engine) Image(ref string, changes ...string) string {
	e.t.Helper()
	program, err := os.ReadFile(e.Program())
	e.must(err)
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	e.must(w.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(program))}))
	_, err = w.Write(program)
	e.must(err)
	e.must(w.WriteHeader(&tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}))
	e.must(w.Close())
	changes = append([]string{`CMD ["/app", "serve"]`}, changes...)
	answer, err := e.API.ImageImport(context.Background(), image.ImportSource{Source: &files, SourceName: "-"}, ref,
		image.ImportOptions{Changes: changes})
	e.must(err)
	defer answer.Close()
	_, err = io.Copy(io.Discard, answer)
	e.must(err)
	id := e.ImageID(ref)
	if id == "" {
		e.t.Fatalf("the engine of the test did not make image %s", ref)
	}
	return id
}
