package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"infracore/pkg/config"
	"infracore/pkg/health"
)

// healthcheck asks the service name that runs on this machine, or in this container, for its health: an image needs
// neither a shell nor curl for that. It reads the settings as the service does.
func healthcheck(ctx context.Context, name string, getenv func(string) string) error {
	cfg, err := config.Load(".", getenv)
	if err != nil {
		return err
	}
	for _, s := range cfg.Services() {
		if s.Name != name {
			continue
		}
		address, err := url.Parse(s.URL)
		if err != nil {
			return err
		}
		host := cfg.Bind
		if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
			host = "localhost"
		}
		_, err = health.Ask(ctx, http.DefaultClient, "http://"+net.JoinHostPort(host, address.Port()))
		return err
	}
	return fmt.Errorf("there is no service %s to ask for its health", name)
}
