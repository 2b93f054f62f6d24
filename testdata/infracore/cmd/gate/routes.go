package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"infracore/pkg/config"
	"infracore/pkg/health"
	"infracore/pkg/httpserver"
)

// routes says which paths belong to which service. The console has its paths from the root; the others do not
// know under which prefix they are published, so it is taken off.
var routes = []struct {
	prefix, service string
	strip           bool
}{
	{"/api/v1", "console", false},
	{"/orchestrator", "orch", true},
	{"/probe", "probe", true},
	{"/snap", "snap", true},
}

// newHandler answers for the gate itself, passes routes on, and serves the front end for the rest.
func newHandler(cfg config.Config, log *slog.Logger) (http.Handler, error) {
	mux := http.NewServeMux()
	healthy := health.Handler("gate", log)
	mux.Handle("GET /health", healthy)
	mux.Handle("GET /gate/health", healthy)
	addresses := map[string]string{}
	for _, s := range cfg.Services() {
		addresses[s.Name] = s.URL
	}
	for _, r := range routes {
		target, err := url.Parse(addresses[r.service])
		if err != nil {
			return nil, fmt.Errorf("the address of %s: %w", r.service, err)
		}
		var handler http.Handler = proxy(r.service, target, log)
		if r.strip {
			handler = http.StripPrefix(r.prefix, handler)
		}
		mux.Handle(r.prefix+"/", handler)
	}
	mux.Handle("/", frontEnd(cfg.Gate.UIDir))
	return mux, nil
}

// upstream gives up quickly on a service that is down, so that a page shows it as down.
var upstream = &http.Transport{
	DialContext:           (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
	ResponseHeaderTimeout: 30 * time.Second,
	IdleConnTimeout:       30 * time.Second, // less than the services keep theirs, so none is closed under us
	MaxIdleConnsPerHost:   16,
}

func proxy(service string, target *url.URL, log *slog.Logger) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Transport: upstream,
		ErrorLog:  slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.SetXForwarded()
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() != nil {
				return // the client hung up; the service is not to blame
			}
			log.Warn("a service does not answer", "upstream", service, "url", target.String(), "err", err)
			httpserver.Error(w, http.StatusBadGateway, service+" does not answer")
		},
	}
}
