package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"infracore/pkg/apptest"
	"infracore/pkg/config"
	"infracore/pkg/health"
)

func TestMain(m *testing.M) { apptest.Main(m, main) }

func TestProcess(t *testing.T) {
	apptest.Process(t, "gate", syscall.SIGTERM, func(base string) {
		report, err := health.Ask(t.Context(), http.DefaultClient, base)
		if err != nil || report.Service != "gate" {
			t.Errorf("got %+v, %v; want the health of the gate", report, err)
		}
	})
}

// get returns the status and the body of an answer, without following redirects.
func get(t *testing.T, method, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// echo answers with its own name and the path that it was asked for.
func echo(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, name+" "+r.Method+" "+r.RequestURI)
	})
}

func uiDir(t *testing.T) string {
	dir := t.TempDir()
	for name, content := range map[string]string{"index.html": "the page", "assets/app-1.js": "the script", "robots.txt": "robots"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRouting(t *testing.T) {
	cfg := apptest.Config(t)
	_, cfg.Console.Peer = apptest.Serve(t, echo("console"))
	_, cfg.Orch = apptest.Serve(t, echo("orch"))
	_, cfg.Probe.Peer = apptest.Serve(t, echo("probe"))
	down, peer := apptest.Serve(t, echo("snap"))
	cfg.Snap.Peer = peer
	down.Close()
	cfg.Gate.UIDir = uiDir(t)
	base := "http://" + apptest.Start(t, "gate", cfg, build)[0]

	tests := []struct {
		method, path string
		code         int
		body         string // is in the answer
	}{
		{"GET", "/api/v1/health", 200, "console GET /api/v1/health"},
		{"POST", "/api/v1/notes?a=b%2Fc", 200, "console POST /api/v1/notes?a=b%2Fc"},
		{"GET", "/orchestrator/health", 200, "orch GET /health"},
		{"PUT", "/orchestrator/services/a%2Fb", 200, "orch PUT /services/a%2Fb"},
		{"GET", "/orchestrator", 307, ""},
		{"GET", "/probe/report", 200, "probe GET /report"},
		{"GET", "/probe/", 200, "probe GET /"},
		{"GET", "/snap/health", 502, `{"error":"snap does not answer"}`},
		{"GET", "/health", 200, `"service":"gate"`},
		{"GET", "/gate/health", 200, `"service":"gate"`},
		{"GET", "/", 200, "the page"},
		{"GET", "/index.html", 200, "the page"},
		{"GET", "/notes/1", 200, "the page"},
		{"GET", "/assets", 200, "the page"},
		{"GET", "/probes", 200, "the page"},
		{"GET", "/robots.txt", 200, "robots"},
		{"GET", "/assets/app-1.js", 200, "the script"},
		{"GET", "/assets/app-2.js", 404, ""},
		{"POST", "/notes", 405, ""},
		{"GET", "/%2e%2e/%2e%2e/etc/passwd", 200, "the page"},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			code, body := get(t, tt.method, base+tt.path)
			if code != tt.code || !strings.Contains(body, tt.body) {
				t.Errorf("got %d %q, want %d %q", code, body, tt.code, tt.body)
			}
		})
	}
}

func TestFrontEndThatIsNotBuilt(t *testing.T) {
	cfg := apptest.Config(t)
	cfg.Gate.UIDir = filepath.Join(t.TempDir(), "none")
	base := "http://" + apptest.Start(t, "gate", cfg, build)[0]
	if code, body := get(t, "GET", base+"/"); code != http.StatusServiceUnavailable || !strings.Contains(body, "npm run build") {
		t.Errorf("got %d %q, want 503 and what to do", code, body)
	}
}

func TestSelfSignedHTTPS(t *testing.T) {
	addr := apptest.Start(t, "gate", apptest.Config(t), build)[1]
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) // the certificate is looked at below
	if err != nil {
		t.Fatal(err)
	}
	cert := conn.ConnectionState().PeerCertificates[0]
	conn.Close()

	pool := x509.NewCertPool()
	pool.AddCert(cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.CloseIdleConnections()
	if _, err := health.Ask(t.Context(), &http.Client{Transport: transport}, "https://"+addr); err != nil {
		t.Errorf("with the certificate trusted: %v", err)
	}
}

func TestConfiguredCertificate(t *testing.T) {
	made, err := selfSigned("gate.example")
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(made.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cfg := config.Gate{CertFile: filepath.Join(dir, "tls.crt"), KeyFile: filepath.Join(dir, "tls.key")}
	for file, block := range map[string]*pem.Block{
		cfg.CertFile: {Type: "CERTIFICATE", Bytes: made.Certificate[0]},
		cfg.KeyFile:  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := certificate(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Leaf.VerifyHostname("gate.example"); err != nil {
		t.Error(err)
	}
	cfg.KeyFile = filepath.Join(dir, "other.key")
	if _, err := certificate(cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), cfg.KeyFile) {
		t.Errorf("error %v, want one that names %s", err, cfg.KeyFile)
	}
}
