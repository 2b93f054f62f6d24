// Command probe asks all services for their health again and again, and reports what it found.
package main

import (
	"log/slog"
	"net/http"

	"infracore/pkg/app"
	"infracore/pkg/config"
	"infracore/pkg/health"
	"infracore/pkg/httpserver"
)

func main() { app.Main("probe", build) }

// build makes the service with its monitor, which runs in the background.
func build(cfg config.Config, log *slog.Logger) (app.Service, error) {
	mon := newMonitor(cfg.Services(), log)
	return app.Service{
		Handler:    newHandler(mon, log),
		Endpoints:  []httpserver.Endpoint{{Addr: cfg.ListenAddr(cfg.Probe.Port)}},
		Background: mon.every(cfg.Probe.Interval),
	}, nil
}

func newHandler(mon *monitor, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /health", health.Handler("probe", log))
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, _ *http.Request) {
		httpserver.JSON(w, http.StatusOK, map[string]any{"services": mon.report()})
	})
	return mux
}
