package httpserver

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// maxBody bounds what a client may send, in bytes.
const maxBody = 64 << 10

// JSON answers with code and v.
func JSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// The status is sent; a client that hung up does not want the rest.
	_ = json.NewEncoder(w).Encode(v)
}

// Error answers with code and {"error": message}.
func Error(w http.ResponseWriter, code int, message string) {
	JSON(w, code, map[string]string{"error": message})
}

// Decode reads the JSON body of r into v. When it cannot, it answers 400 and returns false.
func Decode(w http.ResponseWriter, r *http.Request, v any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		Error(w, http.StatusBadRequest, "the body is not the JSON that this route takes: "+err.Error())
		return false
	}
	return true
}

// logRequests logs every request but those for health, which come every few seconds. Queries are left out:
// they may hold what is not for a log.
func logRequests(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, start := r.URL.Path, time.Now() // a handler below may strip the path
		rec := &recorder{ResponseWriter: w, code: http.StatusOK}
		next.ServeHTTP(rec, r)
		if rec.code < http.StatusInternalServerError && strings.HasSuffix(path, "/health") {
			return
		}
		log.Info("request", "method", r.Method, "path", path, "status", rec.code,
			"ms", time.Since(start).Milliseconds())
	})
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	code int
}

func (r *recorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController reach what recorder hides, such as flushing.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
