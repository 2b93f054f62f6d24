package sqlite

import (
	"bufio"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// testName is what the kernel calls the processes of this program.
var testName = func() string {
	name := filepath.Base(os.Args[0])
	return name[:min(len(name), 15)]
}()

// The test binary is also the other process that has a database open: job, path.
func TestMain(m *testing.M) {
	if job := os.Getenv("SQLITE_TEST_JOB"); job != "" {
		if err := work(job, os.Getenv("SQLITE_TEST_PATH")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// work opens a database, does its job, prints a line, and keeps the database open until its standard input ends.
func work(job, path string) error {
	mode := "wal"
	if strings.HasPrefix(job, "journal") {
		mode = "delete"
	}
	db, err := openForWriting(path, mode)
	if err != nil {
		return err
	}
	defer db.Close()
	var statements []string
	switch job {
	case "write", "journal-write":
		return writeRows(db, "process", until(os.Stdin), func(n int64) { fmt.Println(n) })
	case "open":
		statements = []string{"INSERT INTO t VALUES ('held', 1, '')"}
	case "journal-lock":
		statements = []string{"BEGIN EXCLUSIVE", "INSERT INTO t VALUES ('held', 1, '')"}
	case "journal-begin": // has a journal, and may still be read
		statements = []string{"BEGIN IMMEDIATE", "INSERT INTO t VALUES ('held', 1, '')"}
	case "journal-spill": // writes pages of a transaction that is not yet committed
		statements = []string{"PRAGMA cache_size = 2", "BEGIN", "UPDATE t SET text = 'half done'"}
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// until is closed when r ends.
func until(r io.Reader) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		io.Copy(io.Discard, r)
		close(done)
	}()
	return done
}

// writeRows commits a row twenty times a second and tells how many there are.
func writeRows(db *sql.DB, who string, done <-chan struct{}, tell func(n int64)) error {
	tick := time.NewTicker(time.Second / 20)
	defer tick.Stop()
	for n := int64(1); ; n++ {
		select {
		case <-done:
			return nil
		case <-tick.C:
		}
		if _, err := db.Exec("INSERT INTO t VALUES (?, ?, 'row')", who, n); err != nil {
			return err
		}
		tell(n)
	}
}

func openForWriting(path, mode string) (*sql.DB, error) {
	if os.Getenv("SQLITE_TEST_JOB") == "" { // other programs have locks of the usual kind
		if err := keepLocks(); err != nil {
			return nil, err
		}
	}
	db, err := sql.Open("sqlite", dsn(path, "_pragma=busy_timeout(30000)", "_pragma=journal_mode("+mode+")"))
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

// process is another process that does a job.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
}

// start starts a job on a database and waits for its first line.
func start(t *testing.T, job, path string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SQLITE_TEST_JOB="+job, "SQLITE_TEST_PATH="+path)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd, stdin, bufio.NewScanner(stdout)}
	t.Cleanup(p.kill)
	if !p.lines.Scan() {
		t.Fatalf("the job %s ended before it was ready", job)
	}
	return p
}

// stop lets the job end and close its database.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.stdin.Close()
	for p.lines.Scan() {
	}
	if err := p.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

// kill ends the job as a power cut would.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// counted follows how many rows the job has committed.
func (p *process) counted() *atomic.Int64 {
	var n atomic.Int64
	go func() {
		for p.lines.Scan() {
			i, _ := strconv.ParseInt(p.lines.Text(), 10, 64)
			n.Store(i)
		}
		n.Store(ended)
	}()
	return &n
}

// newDatabase makes a database with a table of so many rows of 1000 bytes, and closes it.
func newDatabase(t *testing.T, path, mode string, rows int) {
	t.Helper()
	db, err := openForWriting(path, mode)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range []string{
		"CREATE TABLE t (who TEXT, n INT, text TEXT)",
		"CREATE INDEX i ON t (who, n)",
		fmt.Sprintf("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT %d) "+
			"INSERT INTO t SELECT 'first', x, hex(zeroblob(500)) FROM c", rows),
	} {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
}

// count returns how many rows somebody wrote to a database that is not in use, and the largest of their numbers.
func count(t *testing.T, path, who string) (n, highest int64) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, "immutable=1"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT count(*), coalesce(max(n), 0) FROM t WHERE who = ?", who).Scan(&n, &highest); err != nil {
		t.Fatal(err)
	}
	return n, highest
}

// whole fails the test unless a database passes SQLite's check.
func whole(t *testing.T, path string) {
	t.Helper()
	err := connect(t.Context(), path, func(conn *sql.Conn) error {
		problems, err := integrity(t.Context(), conn, "integrity_check")
		if len(problems) > 0 {
			t.Errorf("%s: %q", path, problems)
		}
		return err
	}, "immutable=1")
	if err != nil {
		t.Error(err)
	}
}

// newFixture returns a fixture with the family, and the undo kinds that it shares with the family fs.
func newFixture(t *testing.T) *familytest.Fixture {
	return familytest.New(t, Family(), &runtime.Family{Name: "files", Undoers: filesys.Undoers()})
}
