package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSecrets gives a secret to a deployment that succeeds, to one that fails and is rolled back, and
// to one that is killed and rolled back, and then looks for it everywhere.
func TestSecrets(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t/with+odd&chars=and-length-enough-to-sign"
	s := newSite(t, newRepo(t))
	s.env = append(s.env, "INFRARUN_JWT_SECRET="+secret)
	leak := filepath.Join(s.dir, "leak.star")
	source := `load("@stdlib//flow.star", "step")

def leak(d):
    log.info("the secret is " + d.params.jwt_secret)
    log.warn("as basic auth: " + text.base64_encode("admin:" + d.params.jwt_secret))
    exec.run(["go", "version", d.params.jwt_secret], read_only = True, check = False)
    fs.write(d.dirs.etc + "/note", "it is " + d.params.jwt_secret, mode = "0600")
    fail("cannot go on with " + d.params.jwt_secret)

def customize(flow):
    flow.before("ready", step("leak", leak))
`
	if err := os.WriteFile(leak, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	var outputs []string
	collect := func(r *result) *result {
		outputs = append(outputs, r.stdout, r.stderr)
		return r
	}
	collect(s.deploy("deploy.star", "--dry-run").want(2))
	collect(s.deploy("deploy.star").want(0))
	env, err := os.ReadFile(filepath.Join(s.prefix, "etc/infra-core/infra-core.env"))
	if err != nil || !strings.Contains(string(env), secret) {
		t.Fatalf("the secret did not reach the services: %v", err)
	}
	s.repo.write("cmd/gate/note.go", "package main\n")
	s.repo.commit("version 2")
	collect(s.deploy("deploy.star", "--http-port="+freePort(t), "--site="+leak, "--verbose").want(3))
	text, err := s.command(s.args("deploy.star", "--verbose", "--site="+leak)...).CombinedOutput()
	if err == nil {
		t.Error("the second leaking deployment did not fail")
	}
	outputs = append(outputs, string(text))
	s.killedAt("door.after-apply:6=kill", "deploy.star")
	collect(s.infrarun("rollback").want(0))

	for _, hidden := range []string{
		secret, base64.StdEncoding.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte(secret)),
		base64.StdEncoding.EncodeToString([]byte("admin:" + secret)), url.QueryEscape(secret), url.PathEscape(secret),
		hex.EncodeToString([]byte(secret)),
	} {
		for i, out := range outputs {
			if strings.Contains(out, hidden) {
				t.Errorf("output %d has %q", i, hidden)
			}
		}
		for name, content := range all(t, s.state) {
			if strings.Contains(content, hidden) {
				t.Errorf("%s has %q", name, hidden)
			}
		}
	}
}
