package apptest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// asService makes the test binary behave as the service itself.
const asService = "INFRA_CORE_TEST_AS_SERVICE"

// Main is the TestMain of a service: it runs main instead of the tests when Process started this process.
func Main(m *testing.M, main func()) {
	if os.Getenv(asService) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Process runs the service as a process of its own on free ports, waits until it reports readiness as it would
// to systemd, calls check with the address of its first listener, sends sig, and requires exit code 0. It returns the log.
func Process(t *testing.T, name string, sig syscall.Signal, check func(base string)) string {
	t.Helper()
	dir := t.TempDir()
	logFile := filepath.Join(dir, "log", name+".log")
	if err := os.Mkdir(filepath.Join(dir, "configs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "configs", "testing.yaml"), []byte("data_dir: data\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	socket, manager := listenNotify(t)

	cmd := exec.Command(os.Args[0])
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asService+"=1", "NOTIFY_SOCKET="+socket, "INFRA_CORE_ENV=testing",
		"INFRA_CORE_LOG_DIR="+filepath.Dir(logFile), "INFRA_CORE_JWT_SECRET="+Secret)
	for _, port := range []string{"GATE_HTTP", "GATE_HTTPS", "CONSOLE", "ORCH", "PROBE", "SNAP"} {
		cmd.Env = append(cmd.Env, fmt.Sprintf("INFRA_CORE_%s_PORT=0", port))
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		manager.Close() // a process that ended reports nothing more
	}()
	defer func() { _ = cmd.Process.Kill() }()

	buf := make([]byte, 64)
	n, err := manager.Read(buf)
	if err != nil || string(buf[:n]) != "READY=1" {
		t.Fatalf("%s reported %q (%v) instead of readiness; its log:\n%s", name, buf[:n], err, read(logFile))
	}
	found := regexp.MustCompile(`url=(http://\S+)`).FindStringSubmatch(read(logFile))
	if found == nil {
		t.Fatalf("the log of %s does not say where it listens:\n%s", name, read(logFile))
	}
	check(found[1])

	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("%s after %s: %v, want exit code 0", name, sig, err)
	}
	log := read(logFile)
	if !strings.Contains(log, "msg=stopped") || strings.Contains(log, "level=ERROR") {
		t.Errorf("the log of %s does not end in a clean stop:\n%s", name, log)
	}
	if strings.Contains(log, Secret) {
		t.Errorf("the secret is in the log of %s", name)
	}
	return log
}

// Secret is the value of INFRA_CORE_JWT_SECRET in Process.
const Secret = "a-secret-of-the-tests-0123456789abcdef"

// listenNotify opens a socket as systemd does. The path of a socket must be short: t.TempDir's may not be.
func listenNotify(t *testing.T) (string, *net.UnixConn) {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return path, conn
}

func read(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
