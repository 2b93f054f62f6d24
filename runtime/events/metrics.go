package events

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// StepTime is how long a step took.
type StepTime struct {
	Step     Step
	Duration time.Duration
}

// Metrics writes the outcome for Prometheus' textfile collector at Close.
type Metrics struct {
	open func() (io.WriteCloser, error)
	rec  record
}

// NewMetrics returns a sink that writes, in one piece, to what open returns. A run that never came to
// its end has no outcome: nothing is opened then.
func NewMetrics(open func() (io.WriteCloser, error)) *Metrics { return &Metrics{open: open} }

// Handle implements [Sink].
func (m *Metrics) Handle(e Event) { m.rec.add(e) }

// Close writes the metrics.
func (m *Metrics) Close() error {
	if m.rec.outcome == nil {
		return nil
	}
	var text bytes.Buffer
	if err := WriteMetrics(&text, m.rec.run, *m.rec.outcome, m.rec.finished, m.rec.times(), m.rec.scores); err != nil {
		return err
	}
	return writeOnce(m.open, text.Bytes(), "metrics")
}

// WriteMetrics writes a run's outcome in the Prometheus text format, durations in seconds. There are no
// timestamps: the textfile collector refuses them. Steps of one name are summed up, since it refuses
// a series that occurs twice, too.
func WriteMetrics(w io.Writer, run Run, o Outcome, finished time.Time, steps []StepTime, scores []Score) error {
	of := labels("recipe", run.Recipe, "site", run.Site, "mode", string(run.Mode))
	success := 0.0
	if good(o.Result) {
		success = 1
	}
	var b bytes.Buffer
	gauge(&b, "infrarun_run_success", "Whether the last run ended as asked for (1) or not (0).", series{of, success})
	gauge(&b, "infrarun_run_exit_code", "Exit code of the last run.", series{of, float64(o.ExitCode)})
	gauge(&b, "infrarun_run_duration_seconds", "How long the last run took.", series{of, o.Duration.Seconds()})
	gauge(&b, "infrarun_run_changes", "Changes that the last run made, or a preview would make.", series{of, float64(o.Changes)})
	gauge(&b, "infrarun_run_finished_timestamp_seconds", "When the last run ended, in seconds since 1970.", series{of, float64(finished.UnixMilli()) / 1000})
	gauge(&b, "infrarun_step_duration_seconds", "How long a step of the last run took.", stepSeries(of, steps)...)
	gauge(&b, "infrarun_health_score_percent", "Score of the last run's checks, by group.", scoreSeries(of, scores)...)
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

// series is one labelled value.
type series struct {
	labels string
	value  float64
}

func stepSeries(of string, steps []StepTime) []series {
	var all []series
	at := map[string]int{}
	for _, s := range steps {
		name := s.Step.Name
		i, seen := at[name]
		if !seen {
			i = len(all)
			at[name] = i
			all = append(all, series{labels: of + "," + labels("step", name)})
		}
		all[i].value += s.Duration.Seconds()
	}
	return all
}

func scoreSeries(of string, scores []Score) []series {
	var all []series
	for _, s := range scores {
		all = append(all, series{of + "," + labels("group", s.Group), s.Percent})
	}
	return all
}

// gauge writes one metric; one without a series not at all.
func gauge(b *bytes.Buffer, name, help string, all ...series) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
	for _, s := range all {
		fmt.Fprintf(b, "%s{%s} %s\n", name, s.labels, strconv.FormatFloat(s.value, 'f', -1, 64))
	}
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// labels writes pairs of names and values: recipe="deploy.star",mode="run".
func labels(pairs ...string) string {
	var all []string
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, fmt.Sprintf(`%s="%s"`, pairs[i], labelEscapes.Replace(strings.ToValidUTF8(pairs[i+1], "\ufffd"))))
	}
	return strings.Join(all, ",")
}

// writeOnce opens, writes everything in one piece and closes, so that what open returns may put a
// file in place at Close.
func writeOnce(open func() (io.WriteCloser, error), text []byte, what string) error {
	w, err := open()
	if err != nil {
		return fmt.Errorf("open the %s: %w", what, err)
	}
	_, err = w.Write(text)
	if closing := w.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("write the %s: %w", what, err)
	}
	return nil
}
