// Package logging opens the log of a service: one line a record, with the levels INFO, WARN and ERROR written
// out, so that `grep level=ERROR` finds what went wrong.
package logging

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
)

// Open returns a logger for service that writes to stderr and, when dir is not empty, also appends to
// dir/service.log, creating dir when it is missing. Closing the returned closer closes the file.
func Open(service, dir string, stderr io.Writer) (*slog.Logger, io.Closer, error) {
	if dir == "" {
		return New(service, stderr), io.NopCloser(nil), nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, nil, fmt.Errorf("create the log directory: %w", err)
	}
	// Append, so that a restart keeps the earlier lines and logrotate's copytruncate works.
	f, err := os.OpenFile(filepath.Join(dir, service+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, nil, fmt.Errorf("open the log: %w", err)
	}
	// The file comes first: MultiWriter stops at the first writer that fails, and stderr may be gone.
	return New(service, io.MultiWriter(f, stderr)), f, nil
}

// New returns a logger for service that writes to w.
func New(service string, w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, nil)).With("service", service)
}
