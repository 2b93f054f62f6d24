package systemd

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/reference"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestEverythingIsDocumented(t *testing.T) {
	h, err := runtime.NewHost("test", []*runtime.Family{Family()}, fstest.MapFS{}, fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range reference.Undocumented(h.Families()) {
		t.Errorf("%s is not documented", what)
	}
}

// Without systemd everything but the question for it is refused, before anything is done.
func TestWithoutSystemd(t *testing.T) {
	f := familytest.New(t, Family())
	if isBooted() {
		f.Run(recipe(`test.equal(systemd.available(), True)`)).Want(events.Succeeded)
		return
	}
	f.Run(recipe(`test.equal(systemd.available(), False)`)).Want(events.Succeeded)
	for _, call := range []string{
		`systemd.start("t-x")`, `systemd.status("t-x")`, `systemd.unit("t-x", "")`, `systemd.enable("t-x")`, `systemd.daemon_reload()`,
		`systemd.unit("t-x@", "")`, `systemd.journal("t-x")`,
	} {
		f.Run(recipe(call)).Want(events.Refused).WantError("there is no systemd on this machine, process 1 is ")
		f.Preview(recipe(call)).WantError("there is no systemd on this machine")
	}
}

func TestStateOf(t *testing.T) {
	s := stateOf("alias.service", properties{
		"Id": "a.service", "LoadState": "loaded", "ActiveState": "activating", "SubState": "auto-restart", "MainPID": uint32(7),
		"NRestarts": uint32(3), "InvocationID": []byte{1, 0xab}, "ActiveEnterTimestamp": uint64(1_700_000_000_000_000),
		"LoadError": []any{"name", "message"}, "Job": []any{uint32(5), "/job/5"}, "ConditionTimestamp": uint64(1), "ConditionResult": false,
		"Requires": []string{"c", "b"}, "Wants": []string{"b"}, "Result": 12, // of another type than expected
	})
	if s.Unit != "a.service" || s.PID != 7 || s.Restarts != 3 || s.Invocation != "01ab" || s.LoadError != "message" || s.Result != "" {
		t.Errorf("got %+v", s)
	}
	if !s.Queued || !s.Skipped || s.up() || !s.on() || !slices.Equal(s.needs, []string{"b", "c"}) || s.Since.Unix() != 1_700_000_000 {
		t.Errorf("got %+v", s)
	}
	if s := stateOf("b.service", properties{}); s.Unit != "b.service" || s.on() || s.Queued || s.Skipped || !s.Since.IsZero() {
		t.Errorf("of nothing: %+v", s)
	}
}

func TestWaitJudges(t *testing.T) {
	began := time.Unix(1000, 0)
	at := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	up := state{Active: "active", Sub: "running", Invocation: "1"}
	starting := state{Active: "activating", Sub: "start"}
	type look struct {
		s    state
		at   int
		done bool
		why  string
	}
	for what, looks := range map[string][]look{
		"stays":          {{starting, 0, false, ""}, {up, 1, false, ""}, {up, 5, false, ""}, {up, 11, true, ""}},
		"is restarted":   {{up, 1, false, ""}, {state{Active: "active", Restarts: 1, Invocation: "2"}, 2, false, "started again (1 times"}},
		"by hand":        {{up, 1, false, ""}, {state{Active: "active", Invocation: "2"}, 2, false, "started again (0 times"}},
		"stops":          {{up, 1, false, ""}, {state{Active: "inactive"}, 3, false, "it was active for 2s, now it is inactive"}},
		"fails":          {{state{Active: "failed", Result: "exit-code", ExitCode: 1, ExitStatus: 203}, 1, false, "its program is not there"}},
		"killed":         {{state{Active: "failed", Result: "signal", ExitCode: 2, ExitStatus: 9}, 1, false, "was killed, signal 9"}},
		"waits in vain":  {{starting, 1, false, ""}, {starting, 60, false, "it is activating (start) after 1m0s"}},
		"nobody starts":  {{state{Active: "inactive"}, 0, false, "nothing starts it"}},
		"somebody does":  {{state{Active: "inactive", Queued: true}, 0, false, ""}, {up, 1, false, ""}, {up, 11, true, ""}},
		"does not exist": {{state{Active: "inactive", Load: "not-found"}, 0, false, "no such unit"}},
	} {
		w := &wait{timeout: time.Minute, stable: 10 * time.Second, began: began}
		for n, l := range looks {
			done, why := w.judge(l.s, at(l.at))
			if done != l.done || (why == "") != (l.why == "") || !strings.Contains(why, l.why) {
				t.Errorf("%s, look %d: %v, %q, want %v, %q", what, n, done, why, l.done, l.why)
			}
		}
	}
	if done, why := (&wait{timeout: time.Minute, began: began}).judge(up, at(0)); !done || why != "" {
		t.Errorf("without stability: %v, %q", done, why)
	}
}

func TestFirstChangeOfAUnit(t *testing.T) {
	var w runtime.World
	if o := overlayOf(&w); !o.comesFirst("a") || o.comesFirst("a") || !overlayOf(&w).comesFirst("b") {
		t.Error("the first change of a unit is not known")
	}
}

func TestLinksOfAUnit(t *testing.T) {
	all := links{
		unitDir + "/x.target.wants/a.service": "/lib/systemd/system/a.service",
		unitDir + "/other.service":            "a.service",
		unitDir + "/a.service":                "/dev/null",
		unitDir + "/x.target.wants/b.service": "/lib/systemd/system/b.service",
	}
	got := all.of([]string{"a.service"})
	if len(got) != 3 || len(got.enabling("a.service")) != 2 {
		t.Errorf("links = %v", got)
	}
	if lines := got.lines(); lines[0] != "a.service -> /dev/null" {
		t.Errorf("lines = %q", lines)
	}
}

func TestArguments(t *testing.T) {
	var p portList
	if err := p.Unpack(starlark.NewList([]starlark.Value{starlark.MakeInt(80), starlark.MakeInt(443)})); err != nil || !slices.Equal(p, portList{80, 443}) {
		t.Errorf("ports = %v, %v", p, err)
	}
	for _, bad := range []starlark.Value{
		starlark.String("80"), starlark.NewList([]starlark.Value{starlark.MakeInt(0)}), starlark.NewList([]starlark.Value{starlark.String("x")}),
	} {
		if err := new(portList).Unpack(bad); err == nil {
			t.Errorf("%v is taken for ports", bad)
		}
	}
	var m moment
	if err := m.Unpack(starlark.Float(1700000000.5)); err != nil || m != "@1700000000.500000" {
		t.Errorf("moment = %q, %v", m, err)
	}
	if err := m.Unpack(starlark.None); err == nil {
		t.Error("None is taken for a moment")
	}
}
