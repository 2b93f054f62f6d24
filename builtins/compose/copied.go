package compose

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/builtins/internal/composefile"
	"github.com/infrarun/infrarun/builtins/internal/engine"
)

// copiedLabel is on containers into which Compose copies configs and secrets that are no files of this machine: where they
// are, each on a line. They are neither in the image nor mounted, so who makes such a container again has to copy them as well.
const copiedLabel = "io.infrarun.compose.copied"

// copied is the label of a service, "" if nothing is copied.
func copied(p *project, s types.ServiceConfig) string {
	var all []string
	for _, c := range s.Configs {
		if p.Configs[c.Source].File == "" {
			all = append(all, within("/", c.Target, c.Source))
		}
	}
	for _, c := range s.Secrets {
		if p.Secrets[c.Source].File == "" {
			all = append(all, within("/run/secrets", c.Target, c.Source))
		}
	}
	return strings.Join(all, "\n")
}

// within is where something is that is to be at target, or under its own name in a directory.
func within(dir, target, name string) string {
	switch {
	case target == "":
		return path.Join(dir, name)
	case path.IsAbs(target):
		return path.Clean(target)
	}
	return path.Join(dir, target)
}

// copiedFile is a file that Compose has copied into a container.
type copiedFile struct {
	Path    string `json:"path"`
	Mode    int64  `json:"mode"`
	UID     int    `json:"uid"`
	GID     int    `json:"gid"`
	Content []byte `json:"content"`
}

// copiedInto reads what Compose has copied into a container. What is not there any more is left out.
func copiedInto(ctx context.Context, e *engine.Client, c container.InspectResponse) ([]copiedFile, error) {
	label := c.Config.Labels[copiedLabel]
	if label == "" {
		return nil, nil
	}
	var files []copiedFile
	for path := range strings.SplitSeq(label, "\n") {
		file, err := readCopied(ctx, e, c.ID, path)
		switch {
		case err != nil && absent(err):
			continue
		case err != nil:
			return nil, fmt.Errorf("read %s in container %s: %w", path, nameOf(c), engine.Explain(ctx, err))
		case file != nil:
			files = append(files, *file)
		}
	}
	return files, nil
}

// readCopied returns nil for what is no file.
func readCopied(ctx context.Context, e *engine.Client, id, path string) (*copiedFile, error) {
	packed, _, err := e.CopyFromContainer(ctx, id, path)
	if err != nil {
		return nil, err
	}
	defer packed.Close()
	archive := tar.NewReader(packed)
	h, err := archive.Next()
	if err != nil || h.Typeflag != tar.TypeReg {
		return nil, err
	}
	if h.Size > composefile.MaxFile {
		return nil, fmt.Errorf("it has %d bytes; %d are accepted", h.Size, composefile.MaxFile)
	}
	content, err := io.ReadAll(archive)
	return &copiedFile{Path: path, Mode: h.Mode & 0o7777, UID: h.Uid, GID: h.Gid, Content: content}, err
}

// copyAgain copies into a container that has been made again what had been copied into the lost one.
func (u *restorer) copyAgain(ctx context.Context, id string, files []copiedFile) error {
	if len(files) == 0 {
		return nil
	}
	var packed bytes.Buffer
	archive := tar.NewWriter(&packed)
	for _, f := range files {
		h := &tar.Header{Name: strings.TrimPrefix(f.Path, "/"), Mode: f.Mode, Uid: f.UID, Gid: f.GID, Size: int64(len(f.Content))}
		if err := archive.WriteHeader(h); err != nil {
			return fmt.Errorf("pack %s: %w", f.Path, err)
		}
		if _, err := archive.Write(f.Content); err != nil {
			return fmt.Errorf("pack %s: %w", f.Path, err)
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("pack configs and secrets: %w", err)
	}
	if err := u.API.CopyToContainer(ctx, id, "/", &packed, container.CopyToContainerOptions{}); err != nil {
		return fmt.Errorf("give it its configs and secrets: %w", engine.Explain(ctx, err))
	}
	return nil
}
