package enginetest

import (
	"context"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
)

func TestMain(m *testing.M) { Main(m) }

func TestEngine(t *testing.T) {
	e := Start(t)
	id := e.Image("app:1", "ENV VERSION=1")
	ctx := context.Background()
	made, err := e.API.ContainerCreate(ctx, &container.Config{Image: "app:1"}, nil, nil, nil, "one")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.API.ContainerStart(ctx, made.ID, container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
	if c := e.Container("one"); !c.State.Running || c.Image != id {
		t.Errorf("the container is %+v of %s", c.State, c.Image)
	}
	if s := e.State(); !strings.Contains(s, "container /one "+made.ID[:12]+" running "+id) || !strings.Contains(s, "image app:1 "+id) {
		t.Errorf("the engine has\n%s", s)
	}
	e.Clean()
	if s := e.State(); strings.Contains(s, "container") || strings.Contains(s, "image") {
		t.Errorf("cleaned, the engine has\n%s", s)
	}
}

func TestDown(t *testing.T) {
	e := Start(t)
	up := e.Down()
	if _, err := e.API.Ping(context.Background()); err == nil {
		t.Error("the engine answers")
	}
	up()
	if _, err := e.API.Ping(context.Background()); err != nil {
		t.Error(err)
	}
}
