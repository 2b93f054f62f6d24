package ports

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
)

// A table as the kernel writes it: 8082 listens (0x1F92) twice, 22 listens, 8082 is also the far end
// and the near end of connections.
const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F92 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1111 1 0000000000000000 100 0 0 10 0
   1: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2222 1 0000000000000000 100 0 0 10 0
   2: 0100007F:1F92 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 3333 1 0000000000000000 20 4 30 10 -1
   3: 0100007F:C350 0100007F:1F92 01 00000000:00000000 00:00000000 00000000     0        0 4444 1 0000000000000000 20 4 30 10 -1
   4: 00000000000000000000000000000000:1F92 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 5555 1
torn line 0A
`

func TestParseTable(t *testing.T) {
	for port, want := range map[int][]uint64{8082: {1111, 5555}, 22: {2222}, 50000: nil, 8083: nil} {
		got, err := parseTable(strings.NewReader(table), port)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("port %d = %v, %v, want %v", port, got, err, want)
		}
	}
}

func FuzzParseTable(f *testing.F) {
	f.Add(table, 8082)
	f.Add("0: :1F92 x 0A x x x x x 99999999999999999999999", 8082)
	f.Fuzz(func(t *testing.T, text string, port int) {
		got, err := parseTable(strings.NewReader(text), port)
		if err == nil && len(got) > 0 && (port < 0 || port > 65535) {
			t.Errorf("port %d has listeners %v", port, got)
		}
	})
}

func TestListenerFindsThisProcess(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		t.Run(address, func(t *testing.T) {
			l, err := net.Listen("tcp", address)
			familytest.Need(t, err == nil, fmt.Sprintf("nobody can listen here: %v", err))
			port := l.Addr().(*net.TCPAddr).Port
			owner, found, err := Listener(port)
			if err != nil || !found {
				t.Fatalf("Listener = %+v, %v, %v", owner, found, err)
			}
			if owner.PID != os.Getpid() || owner.Name == "" || !slices.Equal(owner.Command, os.Args) {
				t.Errorf("owner = %+v, want this process, %d %q", owner, os.Getpid(), os.Args)
			}
			l.Close()
			if owner, found, err := Listener(port); found || err != nil {
				t.Errorf("after it was closed: %+v, %v, %v", owner, found, err)
			}
		})
	}
}

// A connection from or to a port does not make it listened on.
func TestConnectionIsNoListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if owner, found, err := Listener(conn.LocalAddr().(*net.TCPAddr).Port); found || err != nil {
		t.Errorf("the near end of a connection: %+v, %v, %v", owner, found, err)
	}
}

// fakeProc is a /proc of other users and odd names, which cannot be had for real in a test.
func fakeProc(t *testing.T, processes map[int]string, start map[int]int) string {
	t.Helper()
	proc := t.TempDir()
	for pid, link := range processes {
		dir := filepath.Join(proc, fmt.Sprint(pid))
		fd := filepath.Join(dir, "fd")
		if err := os.MkdirAll(fd, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(link, filepath.Join(fd, "3")); err != nil {
			t.Fatal(err)
		}
		stat := fmt.Sprintf("%d (odd) name) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0", pid, start[pid])
		if err := os.WriteFile(filepath.Join(dir, "stat"), []byte(stat), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return proc
}

func TestHolder(t *testing.T) {
	proc := fakeProc(t,
		map[int]string{20: "socket:[5]", 30: "socket:[7]", 40: "socket:[7]", 50: "/dev/null"},
		map[int]int{20: 1, 30: 900, 40: 800, 50: 1})
	if got := holder(proc, []uint64{7}); got != 40 {
		t.Errorf("of two that share a socket = %d, want the older, 40", got)
	}
	if got := holder(proc, []uint64{99}); got != 0 {
		t.Errorf("a socket nobody is seen to have = %d, want 0", got)
	}
}

func TestTablesThatCannotBeRead(t *testing.T) {
	if _, err := listening(t.TempDir(), 80); err == nil || !strings.Contains(err.Error(), "port 80") {
		t.Errorf("err = %v, want one that names the port", err)
	}
}
