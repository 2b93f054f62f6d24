package health

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"infracore/pkg/version"
)

func TestHandlerAndAsk(t *testing.T) {
	boom := errors.New("disk is on fire")
	tests := []struct {
		name   string
		checks []Check
		status string
		fails  bool
		body   string
	}{
		{"no checks", nil, Healthy, false, `"service":"x"`},
		{"all well", []Check{{"database", func(context.Context) error { return nil }}}, Healthy, false, `"database":"ok"`},
		{"one fails", []Check{
			{"database", func(context.Context) error { return boom }},
			{"disk", func(context.Context) error { return nil }},
		}, Unhealthy, true, `"database":"failed","disk":"ok"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			handler := Handler("x", slog.New(slog.DiscardHandler), tt.checks...)
			srv := httptest.NewServer(handler)
			defer srv.Close()
			report, err := Ask(t.Context(), srv.Client(), srv.URL)
			if (err != nil) != tt.fails {
				t.Errorf("error %v, want one: %v", err, tt.fails)
			}
			if report.Status != tt.status || report.Service != "x" || report.Version != version.Version {
				t.Errorf("got %+v, want status %s of x at %s", report, tt.status, version.Version)
			}
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/health", nil))
			if !strings.Contains(rec.Body.String(), tt.body) {
				t.Errorf("answer %s does not have %s", rec.Body, tt.body)
			}
			if strings.Contains(rec.Body.String(), "fire") {
				t.Errorf("the cause is in the answer: %s", rec.Body)
			}
		})
	}
}

func TestAskRefusesWhatIsNoReport(t *testing.T) {
	for _, body := range []string{"", "<html>", `{"status":"starting"}`, strings.Repeat(" ", maxAnswer) + `{"status":"healthy"}`} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		if _, err := Ask(t.Context(), srv.Client(), srv.URL); err == nil {
			t.Errorf("an answer of %d bytes that is no report counts as healthy", len(body))
		}
		srv.Close()
	}
}
