package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"unicode/utf8"

	"infracore/pkg/config"
	"infracore/pkg/health"
	"infracore/pkg/httpserver"
)

const (
	maxNotes = 100  // in one answer
	maxText  = 2000 // characters of a note
)

// api answers the routes of the console.
type api struct {
	log      *slog.Logger
	store    *store
	services []config.Service
	client   *http.Client
}

func newAPI(cfg config.Config, log *slog.Logger, st *store) http.Handler {
	a := &api{log: log, store: st, services: cfg.Services(), client: &http.Client{}}
	healthy := health.Handler("console", log, health.Check{Name: "database", Run: st.check})
	mux := http.NewServeMux()
	mux.Handle("GET /health", healthy)
	mux.Handle("GET /api/v1/health", healthy)
	mux.HandleFunc("GET /api/v1/status", a.status)
	mux.HandleFunc("GET /api/v1/notes", a.listNotes)
	mux.HandleFunc("POST /api/v1/notes", a.addNote)
	return mux
}

func (a *api) listNotes(w http.ResponseWriter, r *http.Request) {
	notes, err := a.store.list(r.Context(), maxNotes)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	httpserver.JSON(w, http.StatusOK, notes)
}

func (a *api) addNote(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Text string `json:"text"`
	}
	if !httpserver.Decode(w, r, &body) {
		return
	}
	text := strings.TrimSpace(body.Text)
	if n := utf8.RuneCountInString(text); n == 0 || n > maxText {
		httpserver.Error(w, http.StatusBadRequest, fmt.Sprintf("text has %d characters: want 1 to %d", n, maxText))
		return
	}
	n, err := a.store.add(r.Context(), text)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	httpserver.JSON(w, http.StatusCreated, n)
}

// fail answers 500. The cause is for the log: it names files of this machine.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // the client hung up: nothing failed, and nobody reads the answer
	}
	a.log.Error("request failed", "err", err)
	httpserver.Error(w, http.StatusInternalServerError, "the database does not answer; the log says why")
}

// serviceStatus is one service in the answer of /api/v1/status.
type serviceStatus struct {
	Name    string `json:"name"`
	Healthy bool   `json:"healthy"`
	Version string `json:"version,omitempty"`
	Error   string `json:"error,omitempty"`
}

// status asks all services at once.
func (a *api) status(w http.ResponseWriter, r *http.Request) {
	answer := make([]serviceStatus, len(a.services))
	var wg sync.WaitGroup
	for i, s := range a.services {
		wg.Go(func() {
			report, err := health.Ask(r.Context(), a.client, s.URL)
			answer[i] = serviceStatus{Name: s.Name, Healthy: err == nil, Version: report.Version}
			if err != nil {
				answer[i].Error = err.Error()
			}
		})
	}
	wg.Wait()
	httpserver.JSON(w, http.StatusOK, map[string]any{"services": answer})
}
