// Package health makes and asks for the health answer that every service gives: who it is, which version, for
// how long, and the result of each check of what it depends on. 200 means healthy, 503 means not.
package health

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"infracore/pkg/version"
)

// Values of the status field.
const (
	Healthy   = "healthy"
	Unhealthy = "unhealthy"
)

// checkTimeout bounds one check: a hanging database is an unhealthy one.
const checkTimeout = 2 * time.Second

// Check is one thing that a service depends on.
type Check struct {
	Name string                      // the field in the answer
	Run  func(context.Context) error // nil when all is well
}

// Handler answers for service. Each check runs anew for each request, and is "ok" or "failed" in the answer;
// why it failed goes to the log only, since anybody may ask for health.
func Handler(service string, log *slog.Logger, checks ...Check) http.Handler {
	started := time.Now()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, code := Healthy, http.StatusOK
		results := map[string]any{}
		for _, c := range checks {
			results[c.Name] = "ok"
			if err := run(r.Context(), c); err != nil {
				log.Error("health check failed", "check", c.Name, "err", err)
				results[c.Name] = "failed"
				status, code = Unhealthy, http.StatusServiceUnavailable
			}
		}
		answer := map[string]any{
			"status":         status,
			"service":        service,
			"version":        version.Version,
			"uptime_seconds": int64(time.Since(started).Seconds()),
		}
		maps.Copy(answer, results)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(code)
		// A client that hung up does not want the answer any more.
		_ = json.NewEncoder(w).Encode(answer)
	})
}

func run(ctx context.Context, c Check) error {
	// A client that hangs up must not make the check look failed.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTimeout)
	defer cancel()
	return c.Run(ctx)
}
