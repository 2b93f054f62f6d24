package process

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// portFamily lets a recipe see what is predicted about a port.
func portFamily() *runtime.Family {
	type args struct {
		Port int `arg:"port" doc:"the port"`
	}
	return &runtime.Family{Name: "port", Doc: "Ports.", Builtins: []*runtime.Builtin{
		runtime.Define(runtime.Builtin{Name: "port.state", Doc: "Looks."}, func(c *runtime.Call, a args) (starlark.Value, error) {
			state, by := ports.Of(c.Reader().World()).Lookup(a.Port)
			return starlark.String(strings.TrimSpace(state.String() + " " + by)), nil
		}),
	}}
}

func TestPreviewStartsNothing(t *testing.T) {
	f := familytest.New(t, Family(), portFamily()).Grant("exec", "sleep")
	r := f.Preview(`
test.equal(process.status("s", DIR).running, False)
p = process.start("s", ["sleep", "600"], dir = DIR, ports = [65001, 65002])
test.equal(p.name, "s")
st = process.status("s", DIR)
test.equal((st.running, st.restarts, st.exit_code), (True, 0, None))
test.equal(st.command[1:], ["600"])
test.equal(port.state(65001), "taken s")
process.start("s", ["sleep", "600"], dir = DIR, ports = [65001, 65002])
process.start("s", ["sleep", "600"], dir = DIR, ports = [65001])
test.equal((port.state(65001), port.state(65002)), ("taken s", "free"))
process.restart("s", DIR)
process.stop("s", DIR)
test.equal(process.status("s", DIR).running, False)
test.equal(port.state(65001), "free")
process.stop("s", DIR)
process.start("t", ["sleep", "600"], dir = DIR, ports = [65001])
`).Want(events.WouldChange)
	var got []string
	for _, c := range r.Changes() {
		summary, _, _ := strings.Cut(c.Summary, ": ")
		got = append(got, string(c.Status)+" "+summary)
	}
	want := []string{
		"would start", "unchanged runs as it should", "would restart with another ports", "would restart", "would end it",
		"unchanged does not run", "would start",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("changes:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if entries, err := os.ReadDir(f.Dir); err != nil || len(entries) > 0 {
		t.Errorf("a preview made %v, %v", entries, err)
	}
	if left := marked(f.Dir); len(left) > 0 {
		t.Errorf("a preview started %v", left)
	}
}

func TestPreviewOfWhatRuns(t *testing.T) {
	f := fixture(t)
	f.Run(sleeper).Want(events.Succeeded)
	first := wantRunning(t, service{f.Dir, "s"})
	f.Preview(`
test.equal(process.status("s", DIR).pid > 0, True)
process.stop("s", DIR)
test.equal(process.status("s", DIR).running, False)
process.start("s", ["sleep", "600"], dir = DIR)
`).Want(events.WouldChange)
	if now := wantRunning(t, service{f.Dir, "s"}); now != first {
		t.Error("a preview restarted it")
	}
}

func TestPreviewDoesNotGuess(t *testing.T) {
	f := fixture(t)
	for body, want := range map[string]string{
		`print(process.start("s", ["sleep", "600"], dir = DIR).pid)`: "the pid of s, which this run starts, is not known in a preview",
		sleeper + `print(process.status("s", DIR).uptime)`:           "more about s, which this run starts, is not known in a preview",
		sleeper + `print(process.status("s", DIR))`:                  "is not known in a preview",
		sleeper + `print(process.status("s", DIR).runing)`:           "no .runing",
		`process.start("a", ["sleep", "1"], dir = DIR, ports = [65001])
process.start("b", ["sleep", "1"], dir = DIR, ports = [65001])`: "port 65001 will be taken by a",
	} {
		f.Preview(body).Want(events.Refused).WantError(want)
	}
}

// What is not there yet in a preview may be there in the run.
func TestPreviewTakesForGranted(t *testing.T) {
	f := fixture(t)
	r := f.Preview(`process.start("s", [DIR + "/app"], dir = DIR, user = "nobody-is-called-so")`).Want(events.WouldChange)
	got := r.Changes()[0].Assumed
	for _, want := range []string{"s can be started by then", "there is no command " + f.Dir + "/app", `no user "nobody-is-called-so"`} {
		if !strings.Contains(got, want) {
			t.Errorf("assumed = %q, want %q in it", got, want)
		}
	}
	// What a command of the same preview would make is there.
	r = f.Preview(`
exec.run(["sh", "-c", "build"], creates = [DIR + "/app"])
process.start("s", [DIR + "/app"], dir = DIR)
`).Want(events.WouldChange)
	if got := r.Changes()[1].Assumed; got != "" {
		t.Errorf("assumed = %q", got)
	}
}

// The changes that a preview lists and those that the run makes are the same.
func TestPreviewIsWhatARunDoes(t *testing.T) {
	f := fixture(t)
	releases(t, f)
	f.Run(startCurrent + `process.start("t", ["sleep", "600"], dir = DIR)`).Want(events.Succeeded)
	body := `
process.start("t", ["sleep", "600"], dir = DIR)
process.stop("s", DIR)
process.start("s", ["sleep", "1000"], dir = DIR, env = {"A": "b"})
process.restart("t", DIR)
process.start("u", ["sleep", "600"], dir = DIR)
process.stop("u", DIR)
`
	previewed := strings.Join(f.Preview(body).Want(events.WouldChange).Summaries(), "\n")
	previewed = strings.ReplaceAll(previewed, "would ", "done ")
	if done := strings.Join(f.Run(body).Want(events.Succeeded).Summaries(), "\n"); done != previewed {
		t.Errorf("previewed:\n%s\ndone:\n%s", previewed, done)
	}
}

func TestPortsOfARealServer(t *testing.T) {
	f := fixture(t)
	port := freePort(t)
	s := service{f.Dir, "s"}
	body := fmt.Sprintf(`process.start("s", [%q], dir = DIR, ports = [%d], env = {"TEST_LISTEN": "127.0.0.1:%d"})`, os.Args[0], port, port)
	f.Run(body).Want(events.Succeeded)
	eventually(t, "it listens", func() bool { _, taken, _ := ports.Listener(port); return taken })
	owner, _, err := ports.Listener(port)
	if now := wantRunning(t, s); err != nil || owner.PID != now.command.PID {
		t.Errorf("owner = %+v, %v, want process %v", owner, err, now.command)
	}
	// Its own port does not keep it from being started anew, and it is free when it is stopped.
	f.Run(strings.Replace(body, "dir = DIR", `dir = DIR, stop_timeout = 20`, 1)).Want(events.Succeeded)
	eventually(t, "it listens again", func() bool { _, taken, _ := ports.Listener(port); return taken })
	f.Run(strings.Replace(body, `"s"`, `"other"`, 1)).Want(events.Refused).WantError(fmt.Sprintf("port %d is taken by process.test", port))
	f.Run(`process.stop("s", DIR)`).Want(events.Succeeded)
	if _, taken, err := ports.Listener(port); taken || err != nil {
		t.Errorf("after stop the port is taken: %v, %v", taken, err)
	}
}

func TestSecretsStayOutOfTheScript(t *testing.T) {
	type args struct {
		Value string `arg:"value" doc:"the secret"`
	}
	hidden := &runtime.Family{Name: "hidden", Doc: "Secrets.", Builtins: []*runtime.Builtin{
		runtime.Define(runtime.Builtin{Name: "hidden.add", Doc: "Hides."}, func(c *runtime.Call, a args) (starlark.Value, error) {
			return nil, c.AddSecret(a.Value)
		}),
	}}
	f := familytest.New(t, Family(), hidden).Grant("exec", "sleep")
	const secret = "correct-horse-battery"
	for _, call := range []string{
		`process.start("s", ["sleep", "600"], dir = DIR, env = {"TOKEN": "` + secret + `"})`,
		`process.start("s", ["sleep", "` + secret + `"], dir = DIR)`,
	} {
		f.Run(`hidden.add("` + secret + `")` + "\n" + call).Want(events.Refused).WantError("put it into env_file")
		if entries, err := os.ReadDir(f.Dir); err != nil || len(entries) > 0 {
			t.Errorf("left: %v, %v", entries, err)
		}
	}
}
