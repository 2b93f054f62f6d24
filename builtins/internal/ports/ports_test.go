package ports

import (
	"testing"

	"github.com/infrarun/infrarun/runtime"
)

func TestPredictions(t *testing.T) {
	var world runtime.World
	p := Of(&world)
	if state, by := p.Lookup(8082); state != Unknown || by != "" {
		t.Errorf("a port nobody spoke of = %v, %q", state, by)
	}
	p.Take(8082, "console")
	if state, by := Of(&world).Lookup(8082); state != Taken || by != "console" {
		t.Errorf("after Take = %v, %q", state, by)
	}
	p.Free(8082)
	if state, by := p.Lookup(8082); state != Free || by != "" {
		t.Errorf("after Free = %v, %q", state, by)
	}
	if state, _ := p.Lookup(8083); state != Unknown {
		t.Errorf("another port = %v", state)
	}
	for state, want := range map[State]string{Unknown: "unknown", Taken: "taken", Free: "free"} {
		if state.String() != want {
			t.Errorf("%d.String() = %q, want %q", state, state, want)
		}
	}
}
