package events

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// exposition reads the Prometheus text format as strictly as the textfile collector does: every
// series announced once by HELP and TYPE, no series twice, no timestamp. It returns the values by
// name and labels.
func exposition(text string) (map[string]float64, error) {
	name := `[a-zA-Z_:][a-zA-Z0-9_:]*`
	label := `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"`
	sample := regexp.MustCompile(`^(` + name + `)\{(` + label + `(?:,` + label + `)*)\} (\S+)$`)
	values, types, last := map[string]float64{}, map[string]bool{}, ""
	if !strings.HasSuffix(text, "\n") {
		return nil, errors.New("the last line does not end")
	}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if help, ok := strings.CutPrefix(line, "# HELP "); ok {
			last, _, _ = strings.Cut(help, " ")
			continue
		}
		if typ, ok := strings.CutPrefix(line, "# TYPE "); ok {
			if typ != last+" gauge" || types[last] {
				return nil, fmt.Errorf("line %d: %q after HELP of %q", i+1, line, last)
			}
			types[last] = true
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil || m[1] != last || !types[last] {
			return nil, fmt.Errorf("line %d: %q after HELP of %q", i+1, line, last)
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		key := m[1] + "{" + m[2] + "}"
		if _, twice := values[key]; twice {
			return nil, fmt.Errorf("line %d: %s a second time", i+1, key)
		}
		values[key] = value
	}
	return values, nil
}

func TestWriteMetrics(t *testing.T) {
	run := Run{Recipe: "a \"quoted\\\n\xff.star", Mode: ModeRun}
	steps := []StepTime{{Step{Name: "build"}, time.Second}, {Step{Name: "test"}, 0}, {Step{Name: "build"}, 1500 * time.Millisecond}}
	var out bytes.Buffer
	err := WriteMetrics(&out, run, Outcome{Result: RolledBack, ExitCode: 3, Changes: 12, Duration: 72 * time.Second},
		time.UnixMilli(1795383844742), steps, []Score{{Group: "health", Percent: 62.5}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := exposition(out.String())
	if err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	of := `recipe="a \"quoted\\\n` + "\ufffd" + `.star",site="",mode="run"`
	want := map[string]float64{
		"infrarun_run_success{" + of + "}":                         0,
		"infrarun_run_exit_code{" + of + "}":                       3,
		"infrarun_run_duration_seconds{" + of + "}":                72,
		"infrarun_run_changes{" + of + "}":                         12,
		"infrarun_run_finished_timestamp_seconds{" + of + "}":      1795383844.742,
		"infrarun_step_duration_seconds{" + of + `,step="build"}`:  2.5,
		"infrarun_step_duration_seconds{" + of + `,step="test"}`:   0,
		"infrarun_health_score_percent{" + of + `,group="health"}`: 62.5,
	}
	for key, value := range want {
		if v, ok := got[key]; !ok || v != value {
			t.Errorf("%s = %v, want %v", key, v, value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d series, want %d:\n%s", len(got), len(want), out.String())
	}
}

func TestWriteMetricsError(t *testing.T) {
	if err := WriteMetrics(&brokenPipe{}, Run{}, Outcome{}, time.Time{}, nil, nil); !errors.Is(err, errPipe) {
		t.Errorf("got %v", err)
	}
}
