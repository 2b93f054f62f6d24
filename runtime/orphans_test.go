package runtime

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
)

// TestMain runs a recipe in the place of the tests when it is given the directory of a lab: for tests
// in which the process is killed.
func TestMain(m *testing.M) {
	if base := os.Getenv("RUNTIME_TEST_LAB"); base != "" {
		os.Exit(runInLab(base))
	}
	os.Exit(m.Run())
}

// inAnotherProcess runs the recipe body in another process, which shares the lab.
func (l *lab) inAnotherProcess(body string, environ ...string) *exec.Cmd {
	l.t.Helper()
	l.write("main.star", l.module(body))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), "RUNTIME_TEST_LAB="+filepath.Dir(l.recipes)), environ...)
	cmd.Stderr = os.Stderr
	return cmd
}

// runInLab is the other process. box.hook("ready") prints a line and waits to be killed.
func runInLab(base string) int {
	b := newBox()
	b.hook("ready", func(c *Call) (starlark.Value, error) {
		fmt.Println("ready")
		<-c.Context().Done()
		return nil, nil
	})
	host, err := NewHost("test", []*Family{b.family()}, os.DirFS(base), os.DirFS(base))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 99
	}
	host.dir = filepath.Join(base, "recipes")
	state, _ := OpenState(filepath.Join(base, "state"))
	recipe, err := host.Load(context.Background(), filepath.Join(host.dir, "main.star"), "", "")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 99
	}
	var told events.Collector
	o := recipe.Run(context.Background(), Values{}, Options{State: state, Sinks: []events.Sink{&told}})
	fmt.Printf("%s\n%s\n", o.Result, o.Error)
	for _, left := range o.Left {
		fmt.Println("left:", left)
	}
	return o.ExitCode
}

// stubborn is the source of a command that ignores being asked to end, and says when it does.
const stubborn = `trap "" TERM; echo started; while :; do sleep 0.05; done`

// start starts a command that carries the marker of a run, and has printed a line.
func (l *lab) start(marker, script string) *exec.Cmd {
	l.t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = append(os.Environ(), marker)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		l.t.Fatal(err)
	}
	return cmd
}

// A run that is killed leaves a child running; the rollback ends it before it puts anything back.
func TestChildrenOfAKilledRunAreEnded(t *testing.T) {
	l := newLab(t)
	writeFile(t, l.path("a"), "old")
	cmd := l.inAnotherProcess("box.put(DIR + \"/a\", \"new\")\npid = box.sleep()\nbox.put(DIR + \"/pid\", str(pid))\nbox.hook(\"ready\")")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		cmd.Wait()
		t.Fatalf("it printed %q, %v", line, err)
	}
	pid, err := strconv.Atoi(readFile(t, l.path("pid")))
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if !alive(pid) {
		t.Fatal("the child died with the run: this test tests nothing")
	}
	id := l.record().Run.ID

	l.run(`box.put(DIR + "/b", "1")`).want(events.Locked, ExitLocked).wantError("run " + id + " was interrupted")
	l.box.undoing = func(*Writer, string) error {
		if alive(pid) {
			t.Error("something is put back while the child still runs")
		}
		return nil
	}
	r := l.rollback("").want(events.Restored, ExitDone)
	l.wantTree("a=old\n")
	wantParts(t, "log", r.logs("warn"), fmt.Sprintf("sending terminated to what run %s left running: processes [%d]", id, pid))
	if alive(pid) {
		syscall.Kill(pid, syscall.SIGKILL)
		t.Error("the child still runs")
	}
	l.run(`box.put(DIR + "/b", "1")`).want(events.Succeeded, ExitDone)
}

// alive reports whether a process runs; one that has ended and is not yet waited for does not.
func alive(pid int) bool {
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && len(env) > 0
}

func TestStubbornChildIsKilled(t *testing.T) {
	setLimit(t, &orphanPatience, 300*time.Millisecond)
	l := newLab(t)
	id := l.interruptRun()
	mine := l.start(markerName+"="+l.state.RunDir(id), stubborn)
	other := l.start(markerName+"="+l.state.RunDir(id)+"0", stubborn)
	r := l.rollback("").want(events.Restored, ExitDone)
	wantParts(t, "log", r.logs("warn"), "sending terminated to", "sending killed to")
	if alive(mine.Process.Pid) {
		t.Error("it still runs")
	}
	if !alive(other.Process.Pid) {
		t.Error("the process of another run was killed")
	}
}

// While something that the run started cannot be ended nothing is put back, and the rollback can be
// gone on with.
func TestProcessThatDoesNotEnd(t *testing.T) {
	setLimit(t, &orphanPatience, 0)
	l := newLab(t)
	id := l.interruptRun()
	cmd := l.start(markerName+"="+l.state.RunDir(id), stubborn)
	r := l.rollback("").want(events.Incomplete, ExitIncomplete)
	if len(r.Left) != 1 || r.Left[0].Call != "processes" || !strings.Contains(r.Left[0].Error, "do not end; end them, and go on then") {
		t.Errorf("left %+v", r.Left)
	}
	if len(r.Events(events.RollbackFinished)) != 1 {
		t.Error("the end of the rollback was not told")
	}
	l.wantTree("a=1\n")
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Fatal(err)
	}
	cmd.Wait()
	l.rollback("").want(events.Restored, ExitDone)
	l.wantTree("")
}
