package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"infracore/pkg/config"
	"infracore/pkg/health"
)

// unknown is the state of a service before there is enough to tell.
const unknown = "unknown"

// failuresInARow make a service unhealthy: one lost answer, or a restart, is not an outage.
const failuresInARow = 3

// finding is what is known about one service.
type finding struct {
	Name     string    `json:"name"`
	State    string    `json:"state"` // unknown, healthy or unhealthy
	Version  string    `json:"version,omitempty"`
	Checked  time.Time `json:"checked,omitzero"`
	Millis   int64     `json:"latency_ms"`
	Failures int       `json:"failures_in_a_row"`
	Error    string    `json:"error,omitempty"` // of the newest check
}

// monitor keeps one finding a service.
type monitor struct {
	log      *slog.Logger
	services []config.Service
	client   *http.Client

	mu       sync.Mutex
	findings []finding // in the order of services
}

func newMonitor(services []config.Service, log *slog.Logger) *monitor {
	m := &monitor{log: log, services: services, client: &http.Client{}}
	for _, s := range services {
		m.findings = append(m.findings, finding{Name: s.Name, State: unknown})
	}
	return m
}

// every returns a function that checks all services at once and then again after each interval.
func (m *monitor) every(interval time.Duration) func(context.Context) {
	return func(ctx context.Context) {
		defer m.client.CloseIdleConnections()
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			m.round(ctx)
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}
}

// round checks every service, all at the same time.
func (m *monitor) round(ctx context.Context) {
	var wg sync.WaitGroup
	for i, s := range m.services {
		wg.Go(func() {
			start := time.Now()
			report, err := health.Ask(ctx, m.client, s.URL)
			if ctx.Err() != nil {
				return // the probe is stopping, which says nothing about the service
			}
			m.record(i, report, err, time.Since(start))
		})
	}
	wg.Wait()
}

// record takes in one result, and logs it when it changes the state of the service.
func (m *monitor) record(i int, report health.Report, err error, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := &m.findings[i]
	f.Checked, f.Millis, f.Version, f.Error = time.Now().UTC(), took.Milliseconds(), report.Version, ""
	if err == nil {
		if f.State != health.Healthy {
			m.log.Info("service is healthy", "name", f.Name, "version", f.Version)
		}
		f.State, f.Failures = health.Healthy, 0
		return
	}
	f.Failures++
	f.Error = err.Error()
	if f.Failures >= failuresInARow && f.State != health.Unhealthy {
		f.State = health.Unhealthy
		m.log.Warn("service is unhealthy", "name", f.Name, "failures", f.Failures, "err", err)
	}
}

// report returns a copy of what is known.
func (m *monitor) report() []finding {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]finding(nil), m.findings...)
}
