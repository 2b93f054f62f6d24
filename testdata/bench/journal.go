package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/infrarun/infrarun/runtime/journal"
)

const records = 10_000

// journal measures reading a long journal back, beside a shell that reads as many lines.
func (b *bench) journal() ([]row, error) {
	dir := filepath.Join(b.dir, "runs/bench")
	j, err := journal.Create(dir, journal.Meta{Run: "bench", Started: time.Now()})
	if err != nil {
		return nil, err
	}
	for i := range records / 2 {
		e := &journal.Entry{
			Call: "fs.write", Target: fmt.Sprintf("/etc/app/%d.conf", i), Class: journal.ClassExact,
			Undo: &journal.Undo{Kind: "fs.created", Args: json.RawMessage(`{"path":"/etc/app/app.conf"}`)},
		}
		if err := j.Intend(e); err != nil {
			return nil, err
		}
		if err := j.Done(e.ID, nil); err != nil {
			return nil, err
		}
	}
	if err := j.Close(journal.Committed); err != nil {
		return nil, err
	}
	begin := time.Now()
	if _, err := journal.Read(dir); err != nil {
		return nil, err
	}
	took := time.Since(begin)

	lines := filepath.Join(b.dir, "lines")
	var text []byte
	for i := range records {
		text = fmt.Appendf(text, "rm -f /etc/app/%d.conf\n", i)
	}
	if err := os.WriteFile(lines, text, 0o644); err != nil {
		return nil, err
	}
	shell, err := b.median(3, []int{0}, nil, "bash", "-c", `while read -r line; do stack+=("$line"); done <"$1"`, "bash", lines)
	if err != nil {
		return nil, err
	}
	return []row{{"10,000 journal records read back", ms(took), "", "bash, lines into an array: " + ms(shell.wall)}}, nil
}
