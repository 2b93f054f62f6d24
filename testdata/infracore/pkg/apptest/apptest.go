// Package apptest runs a service in a test: in the test's own process, or as a real process with real signals.
package apptest

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"infracore/pkg/app"
	"infracore/pkg/config"
)

// Config returns settings with free ports on loopback and a data directory of the test's own.
func Config(t testing.TB) config.Config {
	cfg := config.Defaults()
	cfg.Env, cfg.Bind, cfg.DataDir = "testing", "127.0.0.1", t.TempDir()
	cfg.Console.DBPath = cfg.DataDir + "/console.db"
	cfg.Gate.HTTPPort, cfg.Gate.HTTPSPort = 0, 0
	cfg.Console.Port, cfg.Orch.Port, cfg.Probe.Port, cfg.Snap.Port = 0, 0, 0, 0
	return cfg
}

// Start runs a service in this process and returns the host:port of each of its listeners. When the test ends
// it stops the service, which must end without an error.
func Start(t testing.TB, name string, cfg config.Config, build app.Build) []string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ready := make(chan []string, 1)
	done := make(chan error, 1)
	go func() {
		done <- app.Run(ctx, name, cfg, slog.New(slog.DiscardHandler), build, func(addrs []string) { ready <- addrs })
	}()
	select {
	case addrs := <-ready:
		t.Cleanup(func() {
			http.DefaultClient.CloseIdleConnections()
			stop()
			if err := <-done; err != nil {
				t.Errorf("%s did not stop gracefully: %v", name, err)
			}
		})
		return addrs
	case err := <-done:
		stop()
		t.Fatalf("%s did not start: %v", name, err)
		return nil
	}
}

// Serve answers with handler until the test ends, and returns its address also as the settings have it.
func Serve(t testing.TB, handler http.Handler) (*httptest.Server, config.Peer) {
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	addr := srv.Listener.Addr().(*net.TCPAddr)
	return srv, config.Peer{Host: addr.IP.String(), Port: addr.Port}
}
