package health

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Report is what a service says about itself.
type Report struct {
	Status  string `json:"status"`
	Service string `json:"service"`
	Version string `json:"version"`
	Uptime  int64  `json:"uptime_seconds"`
}

// askTimeout bounds one question to another service.
const askTimeout = 2 * time.Second

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

// Ask asks the service at base, its address without a slash at the end, for its health. A service that answers
// but is not healthy gives both its report and an error.
func Ask(ctx context.Context, client *http.Client, base string) (Report, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	url := base + "/health"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Report{}, fmt.Errorf("ask %s: %w", url, err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return Report{}, err // names the method and the address already
	}
	defer resp.Body.Close()
	var report Report
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&report); err != nil {
		return Report{}, fmt.Errorf("%s answered %s, which is not a health report: %w", url, resp.Status, err)
	}
	if resp.StatusCode != http.StatusOK || report.Status != Healthy {
		return report, fmt.Errorf("%s answered %s, status %q", url, resp.Status, report.Status)
	}
	return report, nil
}
