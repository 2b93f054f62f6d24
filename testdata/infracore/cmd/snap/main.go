// Command snap takes snapshots of the configuration: compressed tar files in the data directory.
package main

import (
	"log/slog"
	"path/filepath"

	"infracore/pkg/app"
	"infracore/pkg/config"
	"infracore/pkg/httpserver"
	"infracore/pkg/token"
)

func main() { app.Main("snap", build) }

// build opens the directory of the snapshots, creating it when missing, and makes the service.
func build(cfg config.Config, log *slog.Logger) (app.Service, error) {
	st, err := openStore(filepath.Join(cfg.DataDir, "snapshots"), cfg.Snap.Source, cfg.Snap.Keep)
	if err != nil {
		return app.Service{}, err
	}
	return app.Service{
		Handler:   token.Guard(cfg, newAPI(log, st)),
		Endpoints: []httpserver.Endpoint{{Addr: cfg.ListenAddr(cfg.Snap.Port)}},
		Close:     st.root.Close,
	}, nil
}
