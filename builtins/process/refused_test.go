package process

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestWhatCannotStart(t *testing.T) {
	f := fixture(t)
	write(t, f, "plain", "x", 0o644)
	write(t, f, "no-interpreter", "#!/no/such/interpreter\n", 0o755)
	write(t, f, "bad.env", "A=1\nB = 2\n", 0o600)
	port := freePort(t)
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	before := familytest.Tree(t, f.Dir)
	for body, want := range map[string]string{
		`process.start("s", ["./none"], dir = DIR)`:                                      "there is no command " + f.Dir + "/none",
		`process.start("s", ["./plain"], dir = DIR)`:                                     "its mode 0644 lets nobody execute it",
		`process.start("s", ["./no-interpreter"], dir = DIR)`:                            "or the interpreter or loader that it names, is not there",
		`process.start("s", ["sleep", "9"], dir = DIR, cwd = DIR + "/none")`:             "its working directory " + f.Dir + "/none does not exist",
		`process.start("s", ["sleep", "9"], dir = DIR, env_file = DIR + "/none")`:        "its environment file " + f.Dir + "/none does not exist",
		`process.start("s", ["sleep", "9"], dir = DIR, env_file = DIR + "/bad.env")`:     "bad.env: line 2",
		`process.start("s", ["sleep", "9"], dir = DIR + "/none")`:                        "fs.mkdir makes it",
		`process.start("s", ["sleep", "9"], dir = DIR, log = DIR + "/none/log")`:         "fs.mkdir makes it",
		`process.start("s", ["sleep", "9"], dir = DIR, log = DIR + "/s.pid")`:            "another name than the service's own",
		`process.start("s", ["sleep", "9"], dir = DIR, user = "nobody-is-called-so")`:    `no user "nobody-is-called-so"`,
		`process.start("s", ["sleep", "9"], dir = DIR, env = {"a b": "c"})`:              `"a b" cannot be set`,
		`process.start("s", ["sleep", "9"], dir = DIR, env = {"UID": "c"})`:              "belongs to the shell",
		`process.start("s", ["sleep", "9"], dir = DIR, env = {"INFRARUN_RUN": "c"})`:     "infrarun's own",
		`process.start("s", ["sleep", "9"], dir = DIR, ports = [0])`:                     "0 is no port",
		`process.start("s", [], dir = DIR)`:                                              "argv is empty",
		`process.start("../s", ["sleep", "9"], dir = DIR)`:                               "no name for a process",
		`process.start("s", ["sleep", "9"], dir = "")`:                                   "dir: it is empty",
		`process.start("s", ["sleep", "9"], dir = "/a\nb")`:                              "line break",
		fmt.Sprintf(`process.start("s", ["sleep", "9"], dir = DIR, ports = [%d])`, port): fmt.Sprintf("port %d is taken by process.test, process %d", port, os.Getpid()),
	} {
		r := f.Run(body)
		if r.Outcome.Result != events.Refused && r.Outcome.Result != events.RolledBack {
			t.Errorf("%s: the run ended %s", body, r.Outcome.Result)
		}
		if !strings.Contains(r.Outcome.Error, want) {
			t.Errorf("%s: the error lacks %q:\n%s", body, want, r.Outcome.Error)
		}
		familytest.SameTree(t, body, familytest.Tree(t, f.Dir), before)
		wantGone(t, service{f.Dir, "s"})
	}
}

func TestPermission(t *testing.T) {
	f := fixture(t)
	f.Run(`process.start("s", ["sh", "-c", "sleep 600"], dir = DIR)`).Want(events.Succeeded)
	declared := func(body string) string {
		return `
PERMISSIONS = {"fs.write": [DIR], "exec": ["sleep"]}
def main(ctx):
    ` + body + "\n"
	}
	for _, body := range []string{
		declared(`process.start("x", ["sh", "-c", "true"], dir = DIR)`),
		declared(`process.stop("s", DIR)`), // its undo starts sh
		declared(`process.restart("s", DIR)`),
		declared(`process.start("x", ["sleep", "600"], dir = "/elsewhere")`),
		declared(`process.start("x", ["sleep", "600"], dir = DIR, log = "/elsewhere/log")`),
		declared(`process.start("x", ["sleep", "600"], dir = DIR, env_file = "/elsewhere/env")`),
		declared(`process.stop("x", "/elsewhere")`),
		declared(`process.status("x", "/elsewhere")`),
	} {
		if r := f.Run(body); r.Outcome.Result != events.DeniedRun {
			t.Errorf("%s: the run ended %s: %s", body, r.Outcome.Result, r.Outcome.Error)
		}
	}
}

// A process that does not run has no ports: that a stranger has them by now does not keep it from starting with others.
func TestStartWithoutTheOldPorts(t *testing.T) {
	f := fixture(t)
	old, other := freePort(t), freePort(t)
	start := func(port int) string {
		return fmt.Sprintf(`process.start("s", ["sleep", "600"], dir = DIR, ports = [%d])`, port)
	}
	f.Run(start(old) + "\n" + `process.stop("s", DIR)`).Want(events.Succeeded)
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", old))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f.Run(start(other)).Want(events.Succeeded)
}
