package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"infracore/pkg/config"
	"infracore/pkg/health"
	"infracore/pkg/httpserver"
)

var quiet = slog.New(slog.DiscardHandler)

func TestRunThatCannotListen(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	closed := false
	err = Run(t.Context(), "x", config.Config{}, quiet, func(config.Config, *slog.Logger) (Service, error) {
		return Service{
			Handler:   http.NotFoundHandler(),
			Endpoints: []httpserver.Endpoint{{Addr: busy.Addr().String()}},
			Close:     func() error { closed = true; return nil },
		}, nil
	}, nil)
	if err == nil || !strings.Contains(err.Error(), busy.Addr().String()) {
		t.Errorf("error %v, want one that names %s", err, busy.Addr())
	}
	if !closed {
		t.Error("the service is not closed")
	}
}

// The background work ends before Close, so that it never uses what is closed; an error of Close is not lost.
func TestRunStopsInOrder(t *testing.T) {
	var order []string
	ctx, stop := context.WithCancel(t.Context())
	err := Run(ctx, "x", config.Config{}, quiet, func(config.Config, *slog.Logger) (Service, error) {
		return Service{
			Handler:    http.NotFoundHandler(),
			Endpoints:  []httpserver.Endpoint{{Addr: "127.0.0.1:0"}},
			Background: func(ctx context.Context) { <-ctx.Done(); order = append(order, "background") },
			Close:      func() error { order = append(order, "close"); return errors.New("disk full") },
		}, nil
	}, func([]string) { stop() })
	if err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("error %v, want that of Close", err)
	}
	if got := strings.Join(order, " "); got != "background close" {
		t.Errorf("stopped in the order %s", got)
	}
}

func TestStartLogsWhyItCannot(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("INFRA_CORE_ENV", "nowhere")
	var log bytes.Buffer
	if err := start(t.Context(), "x", nil, &log); err == nil {
		t.Fatal("no error")
	}
	if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "nowhere") {
		t.Errorf("the log does not say why:\n%s", log.String())
	}
}

func TestHealthcheck(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := errors.Join(os.Mkdir("configs", 0o700), os.WriteFile("configs/testing.yaml", nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	status := health.Healthy
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health" {
			http.NotFound(w, r)
			return
		}
		httpserver.JSON(w, http.StatusOK, health.Report{Status: status, Service: "orch"})
	}))
	defer srv.Close()
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	env := map[string]string{"INFRA_CORE_ENV": "testing", "INFRA_CORE_ORCH_PORT": port, "INFRA_CORE_ORCH_HOST": "elsewhere.example"}
	ask := func(name string) error {
		return healthcheck(t.Context(), name, func(v string) string { return env[v] })
	}
	if err := ask("orch"); err != nil {
		t.Errorf("a healthy service on loopback: %v", err)
	}
	env["INFRA_CORE_BIND"] = "0.0.0.0"
	if err := ask("orch"); err != nil {
		t.Errorf("a healthy service on all addresses: %v", err)
	}
	status = health.Unhealthy
	if err := ask("orch"); err == nil {
		t.Error("an unhealthy service passes")
	}
	if err := ask("nobody"); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("error %v, want one that names the service that there is not", err)
	}
}
