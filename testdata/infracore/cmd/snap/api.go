package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"

	"infracore/pkg/health"
	"infracore/pkg/httpserver"
)

func newAPI(log *slog.Logger, st *store) http.Handler {
	fail := func(w http.ResponseWriter, err error) {
		log.Error("request failed", "err", err)
		httpserver.Error(w, http.StatusInternalServerError, "the snapshots cannot be used; the log says why")
	}
	mux := http.NewServeMux()
	mux.Handle("GET /health", health.Handler("snap", log, health.Check{Name: "storage", Run: st.check}))
	mux.HandleFunc("GET /snapshots", func(w http.ResponseWriter, _ *http.Request) {
		all, err := st.list()
		if err != nil {
			fail(w, err)
			return
		}
		httpserver.JSON(w, http.StatusOK, all)
	})
	mux.HandleFunc("POST /snapshots", func(w http.ResponseWriter, _ *http.Request) {
		snap, err := st.create()
		if err != nil {
			fail(w, err)
			return
		}
		log.Info("snapshot taken", "name", snap.Name, "bytes", snap.Bytes)
		httpserver.JSON(w, http.StatusCreated, snap)
	})
	mux.HandleFunc("GET /snapshots/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		created, ok := parseName(name)
		if !ok {
			httpserver.Error(w, http.StatusNotFound, "there is no such snapshot")
			return
		}
		f, err := st.root.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			httpserver.Error(w, http.StatusNotFound, "there is no such snapshot")
			return
		}
		if err != nil {
			fail(w, err)
			return
		}
		defer f.Close()
		w.Header().Set("Content-Type", "application/gzip")
		http.ServeContent(w, r, name, created, f)
	})
	return mux
}
