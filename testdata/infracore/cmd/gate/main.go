// Command gate is the door to the stack: it serves the built front end, and passes what belongs to another
// service on to it, over HTTP and HTTPS.
package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"

	"infracore/pkg/app"
	"infracore/pkg/config"
	"infracore/pkg/httpserver"
)

func main() { app.Main("gate", build) }

// build makes the service with an HTTP and an HTTPS endpoint that answer alike.
func build(cfg config.Config, log *slog.Logger) (app.Service, error) {
	cert, err := certificate(cfg.Gate, log)
	if err != nil {
		return app.Service{}, err
	}
	handler, err := newHandler(cfg, log)
	if err != nil {
		return app.Service{}, err
	}
	return app.Service{
		Handler: handler,
		Endpoints: []httpserver.Endpoint{
			{Addr: cfg.ListenAddr(cfg.Gate.HTTPPort)},
			{Addr: cfg.ListenAddr(cfg.Gate.HTTPSPort), TLS: &tls.Config{
				Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}},
		},
	}, nil
}

// certificate loads the configured certificate, or makes one where none is configured.
func certificate(cfg config.Gate, log *slog.Logger) (tls.Certificate, error) {
	if cfg.CertFile == "" {
		log.Warn("no certificate is configured: browsers will not trust the self-signed one",
			"fix", "set gate.cert_file and gate.key_file")
		return selfSigned(cfg.Host)
	}
	cert, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("load the certificate %s with the key %s: %w", cfg.CertFile, cfg.KeyFile, err)
	}
	return cert, nil
}
