package e2e

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	oci "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/crypto/bcrypt"

	"github.com/infrarun/infrarun/testdata/server"
)

// A registry on a machine, which asks for a name and a password. The machine's engine asks those on loopback without TLS.
const (
	registryThere    = "127.0.0.1:5000"
	registryUser     = "deployer"
	registryPassword = "registry-password-1"
)

const machineRegistryConfig = `version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: /opt/registry/storage}}
http: {addr: ":5000", secret: for-tests}
auth: {htpasswd: {realm: tests, path: /opt/registry/htpasswd}}
`

// machineRegistry is the registry as this machine reaches it, to push to.
type machineRegistry struct {
	t      testing.TB
	base   string
	client http.Client
}

// startRegistry runs Debian's docker-registry of this machine on a server that has no Docker: its program needs only the C
// library.
func (m *machine) startRegistry() *machineRegistry {
	m.t.Helper()
	var missing server.Unavailable
	if err := server.Install("docker-registry", "docker-registry"); errors.As(err, &missing) {
		server.Skip(m.t, missing)
	} else if err != nil {
		m.t.Fatal(err)
	}
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		m.t.Fatal(err)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(registryPassword), bcrypt.MinCost)
	if err != nil {
		m.t.Fatal(err)
	}
	m.CopyIn(program, "/opt/registry/docker-registry", 0o755)
	m.Write("/opt/registry/config.yml", machineRegistryConfig, 0o644)
	m.Write("/opt/registry/htpasswd", fmt.Sprintf("%s:%s\n", registryUser, hash), 0o600)
	m.Write("/etc/systemd/system/registry.service",
		"[Service]\nExecStart=/opt/registry/docker-registry serve /opt/registry/config.yml\n[Install]\nWantedBy=multi-user.target\n", 0o644)
	m.Must("systemctl", "enable", "--quiet", "--now", "registry.service")
	r := &machineRegistry{t: m.t, base: "http://" + m.Address() + ":5000", client: http.Client{Transport: &http.Transport{}}}
	m.t.Cleanup(r.client.CloseIdleConnections)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		answer, err := r.client.Get(r.base + "/v2/")
		if err == nil {
			answer.Body.Close()
			return r
		}
		if time.Now().After(deadline) {
			m.t.Fatalf("the registry does not answer: %v\n%s", err, m.Exec("journalctl", "--unit=registry", "--no-pager").Stdout)
		}
	}
}

// serviceUser is who runs in the containers, on no machine an account.
const serviceUser = 10001

// pushStack makes the images of the services as the Dockerfile of the stack does, of programs that are built here, and
// pushes them as NAME/SERVICE:TAG.
func (r *machineRegistry) pushStack(name, tag string) {
	r.t.Helper()
	source, err := filepath.Abs("../../../testdata/infracore")
	if err != nil {
		r.t.Fatal(err)
	}
	programs, cache := r.t.TempDir(), warmCache(r.t)
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly",
		"-ldflags", "-s -w -X infracore/pkg/version.Version="+tag, "-o", programs+"/", "./cmd/...")
	build.Dir = source
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=",
		"GOMODCACHE="+filepath.Join(cache, "cache/mod"), "GOCACHE="+filepath.Join(cache, "cache/build"))
	if out, err := build.CombinedOutput(); err != nil {
		r.t.Fatalf("build the programs of the stack: %v\n%s", err, out)
	}
	configs, err := filepath.Glob(filepath.Join(source, "configs/*"))
	if err != nil {
		r.t.Fatal(err)
	}
	common := map[string]string{}
	for _, file := range configs {
		common["app/configs/"+filepath.Base(file)] = file
	}
	base := layerOf(r.t, common, "var/lib/infra-core", "var/log/infra-core")
	for _, service := range services {
		program := layerOf(r.t, map[string]string{"app/bin/" + service: filepath.Join(programs, service)})
		r.push(path.Join(name, service), tag, oci.ImageConfig{
			User: fmt.Sprintf("%[1]d:%[1]d", serviceUser), WorkingDir: "/app", Entrypoint: []string{"/app/bin/" + service},
			Env: []string{"INFRA_CORE_BIND=0.0.0.0", "INFRA_CORE_DATA_DIR=/var/lib/infra-core", "INFRA_CORE_LOG_DIR=/var/log/infra-core"},
		}, base, program)
	}
}

// layerOf packs files of this machine, by their path in the image, which belong to root, and directories, which belong to
// the user of the services.
func layerOf(t testing.TB, files map[string]string, dirs ...string) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	add := func(name string, mode int64, owner int, content []byte) {
		h := tar.Header{Name: name, Mode: mode, Uid: owner, Gid: owner, Size: int64(len(content))}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	made := map[string]bool{}
	above := func(name string) {
		for dir := path.Dir(name); dir != "." && !made[dir]; dir = path.Dir(dir) {
			made[dir] = true
			add(dir+"/", 0o755, 0, nil) // the engine would make one that only root enters
		}
	}
	for name, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		above(name)
		add(name, 0o755, 0, content)
	}
	for _, dir := range dirs {
		above(dir)
		add(dir+"/", 0o755, serviceUser, nil)
		add(dir+"/.volume", 0o644, serviceUser, nil) // an empty directory would stay root's
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// descriptor is what an image says of each of its parts.
type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int    `json:"size"`
}

// push brings an image of some layers to the registry.
func (r *machineRegistry) push(name, tag string, config oci.ImageConfig, layers ...[]byte) {
	r.t.Helper()
	var packed []descriptor
	var sums []string
	for _, layer := range layers {
		packed = append(packed, r.blob(name, oci.MediaTypeImageLayer, layer))
		sums = append(sums, digestOf(layer))
	}
	about := r.blob(name, oci.MediaTypeImageConfig, r.json(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "config": config,
		"rootfs": map[string]any{"type": "layers", "diff_ids": sums},
	}))
	manifest := r.json(map[string]any{
		"schemaVersion": 2, "mediaType": oci.MediaTypeImageManifest, "config": about, "layers": packed,
	})
	r.ask(http.MethodPut, r.base+"/v2/"+name+"/manifests/"+tag, oci.MediaTypeImageManifest, manifest)
}

func (r *machineRegistry) json(v any) []byte {
	r.t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		r.t.Fatal(err)
	}
	return text
}

func digestOf(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

// blob uploads content, and describes it.
func (r *machineRegistry) blob(name, mediaType string, content []byte) descriptor {
	r.t.Helper()
	d := descriptor{mediaType, digestOf(content), len(content)}
	to, err := url.Parse(r.ask(http.MethodPost, r.base+"/v2/"+name+"/blobs/uploads/", "", nil).Get("Location"))
	if err != nil {
		r.t.Fatal(err)
	}
	query := to.Query()
	query.Set("digest", d.Digest)
	to.RawQuery = query.Encode()
	r.ask(http.MethodPut, to.String(), "application/octet-stream", content)
	return d
}

// ask sends a request, which must succeed, and returns the header of the answer.
func (r *machineRegistry) ask(method, to, contentType string, body []byte) http.Header {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, to, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.SetBasicAuth(registryUser, registryPassword)
	req.Header.Set("Content-Type", contentType)
	answer, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		text, _ := io.ReadAll(answer.Body)
		r.t.Fatalf("%s %s: %s\n%s", method, to, answer.Status, text)
	}
	return answer.Header
}
