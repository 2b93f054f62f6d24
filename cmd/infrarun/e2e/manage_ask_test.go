package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// testManageAsked changes a port by answering questions.
func testManageAsked(t *testing.T, s *site) {
	free := freePorts(t, 1)[0]
	answer := func(p *session, answers ...[2]string) {
		for _, a := range answers {
			p.until(t, a[0])
			fmt.Fprintln(p.screen, a[1])
		}
	}
	questions := [][2]string{
		{"Keep the secret", ""}, {"orch port", ""}, {"probe port", ""}, {"snap port", fmt.Sprint(free)}, {"console port", ""},
		{"http port", ""}, {"https port", ""},
	}
	for _, last := range []struct {
		answer string
		code   int
	}{{"n", 1}, {"", 0}} {
		p := s.onTerminal("recipes/manage.star", "configure", "--stable=0", "--prefix="+s.prefix)
		answer(p, questions...)
		answer(p, [2]string{"Change this", last.answer})
		out := p.wait(t)
		if code := p.cmd.ProcessState.ExitCode(); code != last.code {
			t.Fatalf("the answer %q ends with %d:\n%s", last.answer, code, out)
		}
	}
	s.ports["snap"] = free
	if _, _, err := s.get("snap", "/health"); err != nil {
		t.Error(err)
	}
	s.manage("status").want(0)
}

// TestManageMirrors asks mirrors of which one is there and one is not.
func TestManageMirrors(t *testing.T) {
	t.Parallel()
	s := newSite(t, &repo{t: t, dir: t.TempDir()})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := filepath.Join(s.dir, "recipes")
	if out, err := s.command("init", dir).CombinedOutput(); err != nil {
		t.Fatalf("init: %v\n%s", err, out)
	}
	there, gone := l.Addr().String(), fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0])
	stack, err := os.ReadFile(filepath.Join(dir, "stack.star"))
	if err != nil {
		t.Fatal(err)
	}
	mirrors := fmt.Sprintf(`MIRRORS = {
    "none": struct(packages = "", go = "http://%s", npm = "http://%s/npm", also = []),
    "cn": struct(packages = "", go = "http://%s", npm = "http://%s/npm", also = ["%s"]),
}
`, there, there, there, there, gone)
	edited := regexp.MustCompile(`(?s)MIRRORS = \{.*?\n\}\n`).ReplaceAllLiteral(stack, []byte(mirrors))
	if err := os.WriteFile(filepath.Join(dir, "stack.star"), edited, 0o644); err != nil {
		t.Fatal(err)
	}
	test := func(args ...string) *result {
		return s.infrarun(append([]string{filepath.Join(dir, "manage.star"), "test-mirrors", "--prefix=" + s.prefix}, args...)...).unchanged()
	}
	for _, mode := range []string{"--dry-run", "--yes"} {
		test(mode).want(0).says("none | "+there+" | answers", "cn | "+gone+" | connection refused", "can be used: none")
		test("--mirror=cn", mode).want(1).says("not every host of cn answers")
	}
}
