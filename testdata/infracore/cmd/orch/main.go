// Command orch keeps what should run: for each workload its image and how many replicas are wanted.
package main

import (
	"log/slog"
	"path/filepath"

	"infracore/pkg/app"
	"infracore/pkg/config"
	"infracore/pkg/httpserver"
	"infracore/pkg/token"
)

func main() { app.Main("orch", build) }

// build reads the workloads that an earlier process kept, and makes the service.
func build(cfg config.Config, log *slog.Logger) (app.Service, error) {
	st, err := openStore(filepath.Join(cfg.DataDir, "workloads.json"))
	if err != nil {
		return app.Service{}, err
	}
	return app.Service{
		Handler:   token.Guard(cfg, newAPI(log, st)),
		Endpoints: []httpserver.Endpoint{{Addr: cfg.ListenAddr(cfg.Orch.Port)}},
	}, nil
}
