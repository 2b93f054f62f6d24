package stdlib_test

import (
	"bufio"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// writerVariable names the database to which TestWriter writes, and how many rows.
const writerVariable = "STDLIB_TEST_WRITER"

// TestWriter is no test of its own: others run it as a process that writes 20 rows a second to a database and
// says each time how many are committed. It has it open until its input ends.
func TestWriter(t *testing.T) {
	limit, name, ok := strings.Cut(os.Getenv(writerVariable), ":")
	if !ok {
		return
	}
	db, err := sql.Open("sqlite", name+"?_pragma=journal_mode(wal)&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE IF NOT EXISTS rows (n INTEGER PRIMARY KEY, text TEXT)"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	tick := time.NewTicker(time.Second / 20)
	for n := 1; ; n++ {
		if _, err := db.Exec("INSERT INTO rows (text) VALUES (?)", strings.Repeat("text ", 200)); err != nil {
			t.Fatal(err)
		}
		fmt.Println(n)
		next := tick.C
		if fmt.Sprint(n) == limit {
			next = nil
		}
		select {
		case <-next:
		case <-ended:
			return
		}
	}
}

// writer is the process that writes.
type writer struct {
	t   *testing.T
	out *bufio.Scanner
	end func()
}

// startWriter starts a process that writes so many rows, and returns when the first few are committed.
func startWriter(t *testing.T, name string, rows int) *writer {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestWriter$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d:%s", writerVariable, rows, name))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w := &writer{t: t, out: bufio.NewScanner(out)}
	w.end = func() {
		in.Close()
		cmd.Wait()
		w.end = func() {}
	}
	t.Cleanup(func() { w.end() })
	w.wait(min(rows, 20))
	return w
}

// wait reads on until so many rows are committed.
func (w *writer) wait(rows int) {
	w.t.Helper()
	for w.out.Scan() {
		if n, err := strconv.Atoi(w.out.Text()); err == nil && n >= rows {
			return
		}
	}
	w.t.Fatalf("the writer ended before it had written %d rows", rows)
}
