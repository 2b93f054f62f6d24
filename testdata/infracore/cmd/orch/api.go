package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"regexp"

	"infracore/pkg/health"
	"infracore/pkg/httpserver"
)

const maxReplicas = 100

// validName is what a container may be called.
var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,62}$`)

func newAPI(log *slog.Logger, st *store) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /health", health.Handler("orch", log, health.Check{Name: "data", Run: st.check}))
	mux.HandleFunc("GET /workloads", func(w http.ResponseWriter, _ *http.Request) {
		httpserver.JSON(w, http.StatusOK, st.all())
	})
	mux.HandleFunc("PUT /workloads/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		var body workload
		if !httpserver.Decode(w, r, &body) {
			return
		}
		if err := valid(name, body); err != nil {
			httpserver.Error(w, http.StatusBadRequest, err.Error())
			return
		}
		answer(w, log, body, st.put(name, body))
	})
	mux.HandleFunc("DELETE /workloads/{name}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, log, map[string]string{"removed": r.PathValue("name")}, st.remove(r.PathValue("name")))
	})
	return mux
}

func valid(name string, wl workload) error {
	switch {
	case !validName.MatchString(name):
		return fmt.Errorf("%q is no name for a workload: want lower-case letters, digits, _ . and -", name)
	case wl.Image == "":
		return fmt.Errorf("workload %s has no image", name)
	case wl.Replicas < 0 || wl.Replicas > maxReplicas:
		return fmt.Errorf("workload %s has %d replicas: want 0 to %d", name, wl.Replicas, maxReplicas)
	}
	return nil
}

// answer tells the client what a change gave. The cause of a failure is for the log: it names files.
func answer(w http.ResponseWriter, log *slog.Logger, v any, err error) {
	if err != nil {
		log.Error("change failed", "err", err)
		httpserver.Error(w, http.StatusInternalServerError, "the change could not be written; the log says why")
		return
	}
	httpserver.JSON(w, http.StatusOK, v)
}
