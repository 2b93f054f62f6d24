// Command bench measures infrarun beside what a person would do instead, all in one run: `make bench`.
//
// Every figure is the median of several runs; the machine, its load and its disk are those of the moment. It
// works in a temporary directory and talks to loopback only.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"
)

// row is a line of the table.
type row struct {
	what    string
	value   string
	goal    string
	instead string
}

func main() {
	infrarun, err := filepath.Abs("bin/infrarun")
	if err == nil {
		_, err = os.Stat(infrarun)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: build infrarun first:", err)
		os.Exit(1)
	}
	dir, err := os.MkdirTemp("", "infrarun-bench-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	b := &bench{infrarun: infrarun, dir: dir}
	rows, err := b.all()
	b.stop()
	os.RemoveAll(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WHAT\tINFRARUN\tGOAL\tINSTEAD")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.what, r.value, r.goal, r.instead)
	}
	w.Flush()
}

func (b *bench) all() ([]row, error) {
	var rows []row
	for _, part := range []func() ([]row, error){b.startup, b.files, b.journal, b.backup, b.deployment} {
		more, err := part()
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

func ms(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
