package systemd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/infrarun/infrarun/builtins/fs"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/net"
	"github.com/infrarun/infrarun/builtins/secret"
	"github.com/infrarun/infrarun/testdata/server"
)

// What works on a real systemd is tested on one. Every test has units of its own, named after it.
func TestOnServer(t *testing.T) {
	server.Run(t, map[string]func(*testing.T){
		"Lifecycle":         testLifecycle,
		"PreviewSeesItself": testPreviewSeesItself,
		"Upgrade":           testUpgrade,
		"Bracket":           testBracket,
		"PushedRestart":     testPushedRestart,
		"BrokenEverywhere":  testBrokenEverywhere,
		"Killed":            testKilled,
		"UndoTwice":         testUndoTwice,
		"Links":             testLinks,
		"Mask":              testMask,
		"Template":          testTemplate,
		"Around":            testAround,
		"DropIn":            testDropIn,
		"Remove":            testRemove,
		"Alias":             testAlias,
		"Failures":          testFailures,
		"Timeout":           testTimeout,
		"Cancelled":         testCancelled,
		"WaitActive":        testWaitActive,
		"Verify":            testVerify,
		"Security":          testSecurity,
		"Journal":           testJournal,
		"Drift":             testDrift,
		"Secret":            testSecret,
		"UndoWithoutFile":   testUndoWithoutFile,
		"Status":            testStatus,
		"Reload":            testReload,
	})
}

// fixture is a host on the server, where recipes may do anything with units of the test.
type fixture struct{ *familytest.Fixture }

func newFixture(t *testing.T) fixture {
	t.Helper()
	return fixture{familytest.New(t, Family(), fs.Family(), net.Family(), secret.Family())}
}

// recipe makes a recipe of what stands in main.
func recipe(body string) string {
	var text strings.Builder
	text.WriteString(`PERMISSIONS = {"systemd": ["t-*", "daemon-reload", "dbus-org.freedesktop.login1.service"], "fs.write": [DIR], "fs.read": ["/etc/systemd/system/**"], ` +
		`"net": ["127.0.0.1:*"], "secret": ["env:HOME"]}` +
		"\n\ndef main(ctx):\n")
	for line := range strings.Lines(strings.TrimSpace(body) + "\n") {
		text.WriteString("    " + line)
	}
	return text.String()
}

func (f fixture) run(body string) *familytest.Result { return f.Run(recipe(body)) }

func (f fixture) preview(body string) *familytest.Result { return f.Preview(recipe(body)) }

// service is the text of a service that sleeps. What it sleeps with tells versions apart.
func service(seconds int, more ...string) string {
	text := "[Unit]\nDescription=A test\n[Service]\nType=exec\nExecStart=/bin/sleep " + fmt.Sprint(seconds) + "\n"
	return text + strings.Join(more, "\n") + "\n[Install]\nWantedBy=multi-user.target\n"
}

// units is a recipe that assigns texts to names.
func units(texts map[string]string) string {
	var out strings.Builder
	for name, text := range texts {
		fmt.Fprintf(&out, "%s = %q\n", name, text)
	}
	return out.String()
}

func systemctl(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command("systemctl", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("systemctl %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// show tells how a unit is.
func show(t testing.TB, unit string) string {
	t.Helper()
	return systemctl(t, "show", "--value", "--property=LoadState,ActiveState,UnitFileState,NeedDaemonReload", unit)
}

// machine is all that systemd has and knows of the units of a test.
func machine(t testing.TB) string {
	t.Helper()
	list := systemctl(t, "list-units", "--all", "--plain", "--no-legend", "--no-pager", "t-*", "network-online.target")
	return familytest.Tree(t, unitDir) + list
}

// put puts a unit on the machine before a run.
func put(t *testing.T, unit, text string) {
	t.Helper()
	if err := os.WriteFile(unitPath(unit, ""), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	systemctl(t, "daemon-reload")
	t.Cleanup(func() {
		_ = exec.Command("systemctl", "disable", "--now", unit).Run() // it may be gone
		os.Remove(unitPath(unit, ""))
		_ = exec.Command("systemctl", "daemon-reload").Run()
		_ = exec.Command("systemctl", "reset-failed", unit).Run()
	})
}

// command returns what a unit runs.
func command(t testing.TB, unit string) string {
	t.Helper()
	pid := systemctl(t, "show", "--value", "--property=MainPID", unit)
	text, err := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
	if err != nil {
		t.Fatalf("%s does not run: %v", unit, err)
	}
	return strings.TrimSpace(strings.ReplaceAll(string(text), "\x00", " "))
}

func same(t testing.TB, what, got, want string) {
	t.Helper()
	familytest.SameTree(t, what, got, want)
}

// waitFor waits until a command is what a unit runs: a script takes a moment to become it.
func waitFor(t testing.TB, unit, want string) {
	t.Helper()
	var got string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if got = command(t, unit); got == want {
			return
		}
	}
	t.Fatalf("%s runs %s, want %s", unit, got, want)
}
