package events

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// FormatDuration writes a duration for a person: "3 ms", "0.4 s", "12 s", "1m 12s", "2h 05m".
func FormatDuration(d time.Duration) string {
	if d < 0 {
		return "-" + FormatDuration(-d)
	}
	switch {
	case d.Round(time.Millisecond) < 100*time.Millisecond:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond).Milliseconds())
	case d.Round(100*time.Millisecond) < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	s := int64(d.Round(time.Second).Seconds())
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%dm %02ds", s/60, s%60)
	}
	return fmt.Sprintf("%dh %02dm", s/3600, s%3600/60)
}

// FormatBytes writes a size in bytes for a person: "214 B", "3.2 MiB".
func FormatBytes(n int64) string {
	if -1024 < n && n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	v, units := float64(n)/1024, "KMGTPE"
	for len(units) > 1 && math.Abs(v) >= 1023.95 { // would be written as 1024.0
		v, units = v/1024, units[1:]
	}
	return fmt.Sprintf("%.1f %ciB", v, units[0])
}

// formatPercent cuts, not rounds, after one digit: 74.96 must not read as having reached 75.
func formatPercent(p float64) string {
	return strconv.FormatFloat(math.Floor(p*10+1e-9)/10, 'f', -1, 64) + " %"
}

// count writes "1 change", "2 changes".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// amount says how far a bar has come: "3.2 MiB of 12.0 MiB", "7 of 9 files", "7 files".
func amount(b Bar) string {
	write := func(n int64) string { return strconv.FormatInt(n, 10) }
	unit := " " + b.Unit
	if b.Unit == "bytes" {
		write, unit = FormatBytes, ""
	}
	text := write(b.Current)
	if b.Total > 0 {
		text += " of " + write(b.Total)
	}
	return strings.TrimSpace(text + unit)
}

// firstLine returns the first of a text's lines.
func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimLeft(s, "\n"), "\n")
	return line
}

// textLines splits a text at its newlines, without those around it; an empty text has no line.
func textLines(s string) []string {
	s = strings.Trim(s, "\n")
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// spent is how long what ended with this event took.
func (e Event) spent(started time.Time) time.Duration {
	if e.Duration > 0 || started.IsZero() {
		return e.Duration
	}
	return e.Time.Sub(started)
}
