package stack

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/runtime/events"
)

// here has both services on the manager.
const here = `
name: shop
services:
  db: {image: "${DB:-app:old}", deploy: &here {endpoint_mode: dnsrr, placement: {constraints: [node.role == manager]}, update_config: {monitor: 300ms}}}
  site: {image: "${SITE:-app:1}", deploy: *here}
`

// An image that cannot be had again is told, and keeps no other service from going back.
func TestLostImage(t *testing.T) {
	b := newBed(t)
	e := b.s.Engines[0]
	id := e.Image("app:old", "ENV VERSION=0")
	b.runs("app:1") // so that it needs not be saved
	b.file("compose.yaml", here)
	b.Run(deploying()).Want(events.Succeeded)
	b.Run(deploying("DB", "app:2", "SITE", "app:2")).Want(events.Succeeded)
	e.Prune()
	b.loseImages()
	r := b.Rollback().Want(events.Incomplete)
	if len(r.Outcome.Left) != 1 || !strings.Contains(r.Outcome.Left[0].Error, "load image "+id) {
		t.Errorf("left is %v", r.Outcome.Left)
	}
	if text := b.specs(); !strings.Contains(text, `"Image":"app:1"`) || !strings.Contains(text, `"Image":"app:old"`) {
		t.Errorf("the services did not go back:\n%s", text)
	}
	if got := b.tasks(); got["site"] == "" || got["db"] != "" {
		t.Errorf("there run %v", got)
	}
}

// runs has a container run from an image on the manager until the test ends.
func (b *bed) runs(image string) {
	b.t.Helper()
	api := b.s.Engines[0].API
	made, err := api.ContainerCreate(b.t.Context(), &container.Config{Image: image}, nil, nil, nil, "")
	if err == nil {
		err = api.ContainerStart(b.t.Context(), made.ID, container.StartOptions{})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := api.ContainerRemove(context.Background(), made.ID, container.RemoveOptions{Force: true}); err != nil {
			b.t.Error(err)
		}
	})
}

// loseImages removes the images that runs have saved.
func (b *bed) loseImages() {
	b.t.Helper()
	files, err := filepath.Glob(filepath.Join(b.State.Dir(), "runs", "*", "blobs", "*"))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasPrefix(filepath.Base(file), "sealed-") {
			continue
		}
		if err := os.Remove(file); err != nil {
			b.t.Fatal(err)
		}
	}
}
