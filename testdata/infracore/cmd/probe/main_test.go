package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"infracore/pkg/apptest"
	"infracore/pkg/config"
	"infracore/pkg/health"
)

func TestMain(m *testing.M) { apptest.Main(m, main) }

func TestProcess(t *testing.T) {
	apptest.Process(t, "probe", syscall.SIGINT, func(base string) {
		report, err := health.Ask(t.Context(), http.DefaultClient, base)
		if err != nil || report.Service != "probe" {
			t.Errorf("got %+v, %v; want the health of the probe", report, err)
		}
	})
}

// A state changes after three failures in a row, or one success; only a change is logged.
func TestStates(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name    string
		results []error
		state   string
		lines   int // in the log
	}{
		{"nothing yet", nil, unknown, 0},
		{"healthy at once", []error{nil, nil}, health.Healthy, 1},
		{"still unknown", []error{boom, boom}, unknown, 0},
		{"never came up", []error{boom, boom, boom, boom}, health.Unhealthy, 1},
		{"a restart is no outage", []error{nil, boom, boom, nil}, health.Healthy, 1},
		{"outage", []error{nil, boom, boom, boom}, health.Unhealthy, 2},
		{"back again", []error{boom, boom, boom, nil}, health.Healthy, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			mon := newMonitor([]config.Service{{Name: "orch"}}, slog.New(slog.NewTextHandler(&log, nil)))
			for _, err := range tt.results {
				mon.record(0, health.Report{}, err, 0)
			}
			if got := mon.report()[0].State; got != tt.state {
				t.Errorf("state %s, want %s", got, tt.state)
			}
			if got := strings.Count(log.String(), "\n"); got != tt.lines {
				t.Errorf("%d lines in the log, want %d:\n%s", got, tt.lines, log.String())
			}
		})
	}
}

func TestReport(t *testing.T) {
	up, _ := apptest.Serve(t, health.Handler("orch", slog.New(slog.DiscardHandler)))
	down, _ := apptest.Serve(t, http.NotFoundHandler())
	mon := newMonitor([]config.Service{{Name: "orch", URL: up.URL}, {Name: "snap", URL: down.URL}}, slog.New(slog.DiscardHandler))
	for range failuresInARow {
		mon.round(t.Context())
	}
	srv, _ := apptest.Serve(t, newHandler(mon, slog.New(slog.DiscardHandler)))
	resp, err := http.Get(srv.URL + "/report")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Services []finding }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	got := answer.Services
	if len(got) != 2 || got[0].State != health.Healthy || got[0].Version != "dev" || got[0].Error != "" {
		t.Errorf("got %+v, want orch healthy first", got)
	}
	if len(got) != 2 || got[1].State != health.Unhealthy || got[1].Error == "" || got[1].Failures != failuresInARow {
		t.Errorf("got %+v, want snap unhealthy second", got)
	}
}
