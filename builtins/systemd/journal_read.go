package systemd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/child"
)

// entry is an entry of the journal.
type entry struct {
	time       int64 // µs since 1970
	priority   int   // 0, the worst, to 7
	message    string
	identifier string // who says so, as in syslog
	pid        int
}

// from names who has logged an entry.
func (e entry) from() string {
	if e.identifier == "" {
		return ""
	}
	return e.identifier + ": "
}

// journalQuery says what to read.
type journalQuery struct {
	unit     string
	since    string // as journalctl takes it; "" is from the beginning
	priority string // "" is any
	lines    int
}

// journalTimeout is how long journalctl may take. A large journal on a slow disk takes its time.
const journalTimeout = time.Minute

// readJournal returns the newest entries, the oldest of them first.
func readJournal(ctx context.Context, run runner, q journalQuery) ([]entry, error) {
	argv := []string{
		"journalctl", "--unit=" + q.unit, "--output=json", "--quiet", "--no-pager", "--all", "--lines=" + strconv.Itoa(q.lines),
	}
	if q.since != "" {
		argv = append(argv, "--since="+q.since)
	}
	if q.priority != "" {
		argv = append(argv, "--priority="+q.priority)
	}
	if os.Geteuid() == 0 {
		// What a process logged before it died may not be in the journal yet. Where this cannot be done it comes later.
		_, _ = run(ctx, child.Spec{Argv: []string{"journalctl", "--sync"}, Timeout: journalTimeout})
	}
	r, err := run(ctx, child.Spec{Argv: argv, Timeout: journalTimeout, Env: map[string]string{"LC_ALL": "C"}})
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	return parseJournal(r.Stdout, r.Cut)
}

// parseJournal reads the output of journalctl --output=json: an object a line. If it was cut off, its last line does not
// count.
func parseJournal(text string, cut bool) ([]entry, error) {
	lines := strings.SplitAfter(text, "\n")
	var entries []entry
	for i, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		e, err := parseEntry(line)
		if err != nil && cut && i >= len(lines)-cutLines {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the journal: line %d: %w", i+1, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// cutLines is how many lines are not whole where output was cut off: the last one, and the notice about that.
const cutLines = 2

func parseEntry(line string) (entry, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		return entry{}, err
	}
	if fields == nil {
		return entry{}, errors.New("is no object")
	}
	e := entry{
		message:    fieldText(fields["MESSAGE"]),
		identifier: fieldText(fields["SYSLOG_IDENTIFIER"]),
		priority:   6, // as for journalctl, what has none is for information
	}
	// What is no number counts as 0.
	e.time, _ = strconv.ParseInt(fieldText(fields["__REALTIME_TIMESTAMP"]), 10, 64)
	e.pid, _ = strconv.Atoi(fieldText(fields["_PID"]))
	if p, err := strconv.Atoi(fieldText(fields["PRIORITY"])); err == nil && p >= 0 && p < len(priorities) {
		e.priority = p
	}
	return e, nil
}

// fieldText returns the text of a field: that of its value, or a list of all values of a field that has several.
func fieldText(raw json.RawMessage) string {
	if text, ok := valueText(raw); ok {
		return text
	}
	var values []json.RawMessage
	if json.Unmarshal(raw, &values) != nil {
		return ""
	}
	var texts []string
	for _, v := range values {
		if text, _ := valueText(v); text != "" {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "\n")
}

// valueText returns the text of a value: a string, or the bytes of what is no text as a list of numbers.
func valueText(raw json.RawMessage) (text string, ok bool) {
	if json.Unmarshal(raw, &text) == nil {
		return text, true
	}
	var numbers []int // a []byte would be read as base64
	if json.Unmarshal(raw, &numbers) != nil {
		return "", false
	}
	bytes := make([]byte, len(numbers))
	for i, n := range numbers {
		bytes[i] = byte(n)
	}
	return strings.ToValidUTF8(string(bytes), "\uFFFD"), true
}
