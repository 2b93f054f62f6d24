package host_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/host"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/ports"
	kernel "github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestInfo(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	f := familytest.New(t, host.Family())
	recipe := fmt.Sprintf(`
i = host.info()
test.equal([i.hostname, i.os, i.arch, i.cpus, i.is_root], [%q, %q, %q, %d, %s])
test.equal(i.uptime >= 0 and i.boot_time > 1000000000, True)
test.equal(i.memory_total > 1 << 20, True)
test.equal([type(v) for v in (i.platform, i.version, i.kernel, i.user, i.home)], ["string"] * 5)
test.equal(i.kernel != "" and i.user != "", True)
test.equal(i.init in ("systemd", "openrc", "other"), True)
`, name, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), map[bool]string{true: "True", false: "False"}[os.Geteuid() == 0])
	f.Run(recipe).Want(events.Succeeded)
	f.Preview(recipe).Want(events.NoChange)
}

func TestLoad(t *testing.T) {
	f := familytest.New(t, host.Family())
	recipe := `
c = host.cpu(interval = 0.02)
test.equal(0 <= c.percent and c.percent <= 100, True)
test.equal(c.load1 >= 0 and c.load5 >= 0 and c.load15 >= 0 and c.count > 0, True)
m = host.memory()
test.equal(0 < m.available and m.available <= m.total and 0 < m.used and m.used < m.total, True)
test.equal(int(m.percent * m.total / 100 + 0.5), m.total - m.available)
test.equal(m.swap_used <= m.swap_total, True)
`
	f.Run(recipe).Want(events.Succeeded)
	f.Preview(recipe).Want(events.NoChange)
	// A preview does not wait: the test would hit the time limit of go test otherwise.
	f.Preview(`host.cpu(interval = "24h")`).Want(events.NoChange)
}

func TestDisk(t *testing.T) {
	f := familytest.New(t, host.Family())
	if err := os.Symlink("/proc", filepath.Join(f.Dir, "link")); err != nil {
		t.Fatal(err)
	}
	recipe := `
d = host.disk(DIR)
test.equal(d.path, DIR)
test.equal(DIR.startswith(d.mount) and d.fstype != "" and d.device != "", True)
test.equal(0 < d.used and d.used + d.free <= d.total, True)
test.equal(0 <= d.percent and d.percent <= 100, True)
test.equal(host.disk(DIR + "/not/there").mount, d.mount)
test.equal([host.disk("/proc/self").fstype, host.disk(DIR + "/link").mount], ["proc", "/proc"])
test.equal(host.disk().mount, "/")
`
	f.Run(recipe).Want(events.Succeeded)
	f.Preview(recipe).Want(events.NoChange)
}

func TestProcesses(t *testing.T) {
	f := familytest.New(t, host.Family())
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	recipe := fmt.Sprintf(`
all = host.processes()
mine = [p for p in all if p.pid == %d]
test.equal(len(mine), 1)
test.equal([mine[0].user, mine[0].command[0]], [%q, %q])
test.equal(mine[0].memory > 0, True)
test.equal([p.pid for p in all], sorted([p.pid for p in all]))
test.equal(%[1]d in [p.pid for p in host.processes(mine[0].name)], True)
test.equal(host.processes("no such name"), [])
`, os.Getpid(), me.Username, os.Args[0])
	f.Run(recipe).Want(events.Succeeded)
	f.Preview(recipe).Want(events.NoChange)
}

// overlay is a family that enters predictions, as process.start does.
func overlay() *kernel.Family {
	type args struct {
		Port int    `arg:"port"`
		By   string `arg:"by" default:""`
	}
	return &kernel.Family{Name: "overlay", Builtins: []*kernel.Builtin{
		kernel.Define(kernel.Builtin{Name: "overlay.take"}, func(c *kernel.Call, a args) (starlark.Value, error) {
			ports.Of(c.Reader().World()).Take(a.Port, a.By)
			return nil, nil
		}),
		kernel.Define(kernel.Builtin{Name: "overlay.free"}, func(c *kernel.Call, a args) (starlark.Value, error) {
			ports.Of(c.Reader().World()).Free(a.Port)
			return nil, nil
		}),
	}}
}

func TestPortOwner(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	f := familytest.New(t, host.Family(), overlay())
	look := fmt.Sprintf("o = host.port_owner(%d)\ntest.equal([o.pid, o.command[0]], [%d, %q])\n", port, os.Getpid(), os.Args[0])
	f.Run(look).Want(events.Succeeded)
	f.Preview(look).Want(events.NoChange)
	f.Preview(fmt.Sprintf(`
overlay.free(%[1]d)
test.equal(host.port_owner(%[1]d), None)
overlay.take(%[1]d, by = "console")
o = host.port_owner(%[1]d)
test.equal([o.pid, o.name, o.command], [0, "console", []])
`, port)).Want(events.NoChange)
	l.Close()
	f.Run(fmt.Sprintf(`test.equal(host.port_owner(%d), None)`, port)).Want(events.Succeeded)
	f.Run(`host.port_owner(0)`).Want(events.Refused).WantError("for parameter port: got 0, want 1 to 65535")
}

func TestUser(t *testing.T) {
	f := familytest.New(t, host.Family())
	f.Run(`
u = host.user("root")
test.equal([u.name, u.uid, u.gid], ["root", 0, 0])
test.equal(u.home != "" and type(u.shell) == "string", True)
test.equal(host.user("nobody-has-this-name"), None)
test.equal(host.user(""), None)
`).Want(events.Succeeded)
}

func TestEnv(t *testing.T) {
	t.Setenv("TEST_SET", "value")
	t.Setenv("TEST_EMPTY", "")
	f := familytest.New(t, host.Family()).Grant("env", "TEST_*")
	recipe := `test.equal([host.env("TEST_SET"), host.env("TEST_EMPTY", "x"), host.env("TEST_NONE"), host.env("TEST_NONE", default = "x")], ["value", "", "", "x"])`
	f.Run(recipe).Want(events.Succeeded)
	f.Preview(recipe).Want(events.NoChange)
	f.Run(`host.env("HOME")`).Want(events.DeniedRun).WantError("env: HOME is not declared")
}

// reviewed are the functions of gopsutil that were read and found to start no process on Linux. Others must be read
// before they are used: some run lsb_release, sysctl or the like.
var reviewed = []string{
	"cpu.PercentWithContext", "disk.PartitionStat", "disk.PartitionsWithContext", "load.AvgWithContext", "mem.SwapMemoryWithContext",
	"mem.VirtualMemoryWithContext", "process.PidsWithContext", "process.Process", "pshost.BootTimeWithContext", "pshost.KernelVersion",
}

func TestOnlyReviewedFunctionsAreUsed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		imports := gopsutil(f)
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && imports[x.Name] && !slices.Contains(reviewed, x.Name+"."+s.Sel.Name) {
					t.Errorf("%s uses %s.%s, which was not reviewed", file, x.Name, s.Sel.Name)
				}
			}
			return true
		})
	}
}

// gopsutil returns the names under which a file imports gopsutil's packages.
func gopsutil(f *ast.File) map[string]bool {
	names := map[string]bool{}
	for _, i := range f.Imports {
		path := strings.Trim(i.Path.Value, `"`)
		if !strings.Contains(path, "/gopsutil/") {
			continue
		}
		name := path[strings.LastIndexByte(path, '/')+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		names[name] = true
	}
	return names
}
