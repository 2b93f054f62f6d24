package engine

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// wholeArchive is an image as the engine saves it, looked at while it is read. It ends well only if all is in it: the engine
// answers before it has found everything, so it can tell a failure only behind what it has sent, and with the image store of
// containerd it leaves out, without a word, what it does not have.
type wholeArchive struct {
	from    io.Reader
	look    *io.PipeWriter
	verdict chan error
	end     []byte // the last bytes, where the engine says what failed
	err     error  // how it ended
}

func newWholeArchive(from io.Reader) *wholeArchive {
	looked, look := io.Pipe()
	a := &wholeArchive{from: from, look: look, verdict: make(chan error, 1)}
	go func() {
		err := checkArchive(looked)
		_, _ = io.Copy(io.Discard, looked) // so that nobody waits for it
		a.verdict <- err
	}()
	return a
}

// maxSaid bounds what the engine says behind what it has sent, in bytes.
const maxSaid = 8 << 10

// Read implements [io.Reader].
func (a *wholeArchive) Read(p []byte) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	n, err := a.from.Read(p)
	_, _ = a.look.Write(p[:n])
	a.end = append(a.end, p[:n]...)
	a.end = append(a.end[:0], a.end[max(0, len(a.end)-maxSaid):]...)
	if errors.Is(err, io.EOF) {
		a.Close()
		if bad := <-a.verdict; bad != nil {
			err = a.explain(bad)
		}
	}
	a.err = err
	return n, err
}

// Close ends the looking.
func (a *wholeArchive) Close() { a.look.Close() }

// explain says why an archive is not whole.
func (a *wholeArchive) explain(bad error) error {
	if at := bytes.LastIndex(a.end, []byte(`{"errorDetail"`)); at >= 0 {
		var m Message
		if json.Unmarshal(a.end[at:], &m) == nil && m.failure() != "" {
			return &saidError{text: m.failure()}
		}
	}
	return fmt.Errorf("what the engine saved is not whole: %w", bad)
}

// maxList bounds the list of what is in an archive, in bytes.
const maxList = 4 << 20

// checkArchive reads an archive to its end and fails unless there is in it what its own list names.
func checkArchive(from io.Reader) error {
	names := map[string]bool{}
	var images []struct {
		Config string
		Layers []string
	}
	for t := tar.NewReader(from); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		names[path.Clean(h.Name)] = true
		if path.Clean(h.Name) == "manifest.json" {
			if err := json.NewDecoder(io.LimitReader(t, maxList)).Decode(&images); err != nil {
				return fmt.Errorf("manifest.json: %w", err)
			}
		}
	}
	if len(images) == 0 {
		return errors.New("it lists no image")
	}
	for _, img := range images {
		for _, name := range append([]string{img.Config}, img.Layers...) {
			if !names[path.Clean(name)] {
				return fmt.Errorf("it lacks %s", name)
			}
		}
	}
	return trailing(from)
}

// trailing fails if something follows the end of an archive but the zeros that fill it up.
func trailing(from io.Reader) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if text := bytes.Trim(buf[:n], "\x00"); len(text) > 0 {
			return fmt.Errorf("something follows its end: %.100q", strings.ToValidUTF8(string(text), "\uFFFD"))
		}
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
