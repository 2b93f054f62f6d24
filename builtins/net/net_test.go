package net_test

import (
	"context"
	"fmt"
	stdnet "net"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/builtins/net"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// listen takes a port of an address until the test is over or the returned function is called.
func listen(t *testing.T, address string) (port int, stop func()) {
	t.Helper()
	l, err := stdnet.Listen("tcp", address)
	familytest.Need(t, err == nil, fmt.Sprintf("nobody can listen on %s here: %v", address, err))
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*stdnet.TCPAddr).Port, func() { l.Close() }
}

// unused returns a port that nobody listens on. It was taken a moment ago, so nobody else is likely to take it.
func unused(t *testing.T) int {
	t.Helper()
	port, stop := listen(t, "127.0.0.1:0")
	stop()
	return port
}

// overlay is a family that enters predictions, as process.start does.
func overlay() *runtime.Family {
	type args struct {
		Port int `arg:"port"`
	}
	return &runtime.Family{Name: "overlay", Builtins: []*runtime.Builtin{
		runtime.Define(runtime.Builtin{Name: "overlay.take"}, func(c *runtime.Call, a args) (starlark.Value, error) {
			ports.Of(c.Reader().World()).Take(a.Port, "console")
			return nil, nil
		}),
		runtime.Define(runtime.Builtin{Name: "overlay.free"}, func(c *runtime.Call, a args) (starlark.Value, error) {
			ports.Of(c.Reader().World()).Free(a.Port)
			return nil, nil
		}),
	}}
}

func fixture(t *testing.T) *familytest.Fixture {
	return familytest.New(t, net.Family(), overlay()).Grant("net", "localhost:*")
}

func TestPorts(t *testing.T) {
	f := fixture(t)
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		t.Run(address, func(t *testing.T) {
			port, stop := listen(t, address)
			host := map[string]string{"127.0.0.1:0": "127.0.0.1", "[::1]:0": "[::1]", ":0": "localhost"}[address]
			recipe := fmt.Sprintf(`
test.equal([net.port_free(%[1]d), net.listening(%[1]d, host = %[2]q)], [False, True])
r = net.tcp_check(%[2]q, %[1]d)
test.equal([r.ok, r.error, r.seconds < 60], [True, "", True])
`, port, host)
			f.Run(recipe).Want(events.Succeeded)
			f.Preview(recipe).Want(events.NoChange)
			stop()
			recipe = fmt.Sprintf(`
test.equal([net.port_free(%[1]d), net.listening(%[1]d, host = %[2]q)], [True, False])
r = net.tcp_check(%[2]q, %[1]d)
test.equal([r.ok, r.error], [False, "connection refused"])
`, port, host)
			f.Run(recipe).Want(events.Succeeded)
			f.Preview(recipe).Want(events.NoChange)
		})
	}
}

// Looking whether a port is free does not take it, so looking on many threads at once never finds it taken.
func TestPortFreeTakesNothing(t *testing.T) {
	f := fixture(t)
	f.Run(fmt.Sprintf(`
def look():
    for i in range(50):
        test.equal(net.port_free(%d), True)

def main(ctx):
    parallel([look] * 4, limit = 4)
`, unused(t))).Want(events.Succeeded)
}

func TestPreviewGoesByWhatIsPredicted(t *testing.T) {
	f := fixture(t)
	port, _ := listen(t, "127.0.0.1:0")
	r := f.Preview(fmt.Sprintf(`
overlay.free(%[1]d)
test.equal([net.port_free(%[1]d), net.listening(%[1]d), net.wait_port(%[1]d).ok], [True, False, False])
test.equal(net.tcp_check("localhost", %[1]d).error, "nothing will listen on it")
overlay.take(%[2]d)
test.equal([net.port_free(%[2]d), net.listening(%[2]d, host = "::1"), net.wait_port(%[2]d).ok], [False, True, True])
`, port, unused(t))).Want(events.NoChange)
	assumed := r.Events(events.Assumed)
	if len(assumed) != 2 || !strings.Contains(assumed[0].Text, "console listens on [::1]:") {
		t.Errorf("assumed %+v, want the two that were not asked", assumed)
	}
	// In a run the machine counts alone.
	f.Run(fmt.Sprintf("overlay.free(%[1]d)\ntest.equal([net.port_free(%[1]d), net.listening(%[1]d)], [False, True])", port)).
		Want(events.Succeeded)
}

// opener is a sink that takes a port when it hears of the first failed attempt.
type opener struct {
	t        *testing.T
	address  string
	listener stdnet.Listener
}

func (o *opener) Handle(e events.Event) {
	if e.Kind == events.Output && o.listener == nil {
		var err error
		if o.listener, err = stdnet.Listen("tcp", o.address); err != nil {
			o.t.Errorf("take the port: %v", err)
		}
	}
}

func (o *opener) Close() error { return nil }

func TestWaitPort(t *testing.T) {
	f := fixture(t)
	port := unused(t)
	o := &opener{t: t, address: fmt.Sprintf("127.0.0.1:%d", port)}
	r := f.RunContext(t.Context(), fmt.Sprintf(`
w = net.wait_port(%d, timeout = 60, interval = 0.01)
test.equal([w.ok, w.error, w.attempts], [True, "", 2])
`, port), o).Want(events.Succeeded)
	o.listener.Close()
	if out := r.Events(events.Output); len(out) != 1 || out[0].Text != "attempt 1: connection refused" || out[0].Source != o.address {
		t.Errorf("output %+v", out)
	}
	bars := r.Events(events.Progress)
	if len(bars) != 2 || !bars[1].Progress.Done || bars[0].Progress.Total != 60 || bars[0].Progress.Unit != "seconds" {
		t.Errorf("progress %+v", bars)
	}
}

func TestWaitPortGivesUp(t *testing.T) {
	f := fixture(t)
	port := unused(t)
	f.Run(fmt.Sprintf(`
w = net.wait_port(%d, timeout = 0.05, interval = 0.01)
test.equal([w.ok, w.error, w.attempts > 1], [False, "connection refused", True])
test.equal(net.wait_port(%[1]d, timeout = 0).attempts, 1)
`, port)).Want(events.Succeeded)
	// A preview asks once and does not wait: the test would hit the time limit of go test otherwise.
	f.Preview(fmt.Sprintf(`test.equal(net.wait_port(%d, timeout = "24h").attempts, 1)`, port)).Want(events.NoChange)
}

// interrupter is a sink that ends the run when an attempt failed.
type interrupter struct{ cancel context.CancelCauseFunc }

func (i interrupter) Handle(e events.Event) {
	if e.Kind == events.Output {
		i.cancel(runtime.ErrInterrupted)
	}
}

func (i interrupter) Close() error { return nil }

func TestWaitPortEndsWithTheRun(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	recipe := fmt.Sprintf(`net.wait_port(%d, timeout = "24h", interval = "12h")`, unused(t))
	fixture(t).RunContext(ctx, recipe, interrupter{cancel}).Want(events.Interrupted)
}

func TestRefused(t *testing.T) {
	f := fixture(t)
	for recipe, want := range map[string]string{
		`net.listening(80, host = "example.com")`: "net: example.com:80 is not declared",
		`net.tcp_check("192.0.2.1", 80)`:          "net: 192.0.2.1:80 is not declared",
		`net.wait_port(80, host = "::2")`:         "net: [::2]:80 is not declared",
	} {
		f.Run(recipe).Want(events.DeniedRun).WantError(want)
		f.Preview(recipe).Want(events.DeniedRun).WantError(want)
	}
	for recipe, want := range map[string]string{
		`net.port_free(0)`:          "for parameter port: got 0, want 1 to 65535",
		`net.listening(70000)`:      "for parameter port: got 70000, want 1 to 65535",
		`net.tcp_check("", 80)`:     "for parameter host: it is empty",
		`net.wait_port(80, "", -1)`: "is negative",
	} {
		f.Run(recipe).Want(events.Refused).WantError(want)
	}
}
