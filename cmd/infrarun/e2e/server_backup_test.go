package e2e

import (
	"bytes"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// notes writes to the console of a machine, twenty times a second, as long as it is let.
type notes struct {
	first int64        // the number of the first
	acked atomic.Int64 // notes up to this one were accepted
	lost  atomic.Int64 // notes that were not
	stop  chan struct{}
	done  chan struct{}
}

func (m *machine) writeNotes(first int64) *notes {
	m.t.Helper()
	token := strings.TrimSpace(m.Must("sh", "-c", "set -a; . /etc/infra-core/infra-core.env; exec /opt/infra-core/current/bin/console token 1h"))
	url := "http://" + m.Address() + ":8082/api/v1/notes"
	n := &notes{first: first, stop: make(chan struct{}), done: make(chan struct{})}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
	go func() {
		defer close(n.done)
		defer client.CloseIdleConnections()
		tick := time.NewTicker(time.Second / 20)
		defer tick.Stop()
		for i := first; ; {
			select {
			case <-n.stop:
				return
			case <-tick.C:
			}
			req, _ := http.NewRequest("POST", url, bytes.NewBufferString(fmt.Sprintf(`{"text": "note %d"}`, i)))
			req.Header.Set("Authorization", "Bearer "+token)
			resp, err := client.Do(req)
			if err == nil {
				resp.Body.Close()
			}
			if err != nil || resp.StatusCode/100 != 2 {
				n.lost.Add(1)
				continue
			}
			n.acked.Store(i)
			i++
		}
	}()
	return n
}

// until waits until so many notes are accepted.
func (n *notes) until(t testing.TB, want int64) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); n.acked.Load() < want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after a minute %d notes are accepted, %d are not", n.acked.Load(), n.lost.Load())
		}
	}
}

func (n *notes) end() {
	close(n.stop)
	<-n.done
}

// database reads a database of the machine which nobody writes to, and checks that it is sound: how many notes of different
// numbers from the first on are there, and the highest of them.
func (m *machine) database(path string, first int64) (count, highest int64) {
	m.t.Helper()
	file := filepath.Join(m.t.(*testing.T).TempDir(), "console.db")
	if err := os.WriteFile(file, []byte(m.Must("cat", path)), 0o600); err != nil {
		m.t.Fatal(err)
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		m.t.Fatal(err)
	}
	defer db.Close()
	var sound string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
		m.t.Fatalf("%s is damaged: %s %v", path, sound, err)
	}
	const all = "SELECT count(DISTINCT n), coalesce(max(n), 0) FROM (SELECT CAST(substr(text, 6) AS INTEGER) AS n FROM notes WHERE text LIKE 'note %') WHERE n >= ?"
	if err := db.QueryRow(all, first).Scan(&count, &highest); err != nil {
		m.t.Fatal(err)
	}
	return count, highest
}

// notesIn reads a database like that in which no note is missing: up to which one they are there.
func (m *machine) notesIn(path string) int64 {
	m.t.Helper()
	count, highest := m.database(path, 1)
	if count != highest {
		m.t.Errorf("%s has %d notes, and the highest is note %d", path, count, highest)
	}
	return highest
}

// testBackup takes a backup while the console is written to, and puts it back.
func testBackup(t *testing.T, m *machine) {
	n := m.writeNotes(1)
	n.until(t, 40)
	before := n.acked.Load()
	m.manage("backup", "--yes").want(0)
	after := n.acked.Load()
	n.until(t, after+20)
	n.end()
	if n.lost.Load() > 0 {
		t.Errorf("%d notes were refused while the backup was taken", n.lost.Load())
	}
	backup := strings.TrimSpace(m.Must("sh", "-c", "ls -d /opt/infra-core/backups/backup-* | tail -n 1"))
	there := m.notesIn(backup + "/console.db")
	if there < before || there > after+1 {
		t.Errorf("the backup has the notes up to %d; %d were there when it began, %d when it was made", there, before, after)
	}

	r := m.manage("rollback", "--to-backup="+filepath.Base(backup), "--with-database", "--yes").want(0)
	r.says("discard")
	m.answers()
	m.Must("systemctl", "stop", "infra-core-console")
	if now := m.notesIn("/var/lib/infra-core/console.db"); now != there {
		t.Errorf("after the backup was put back there are the notes up to %d, want %d", now, there)
	}
	m.Must("systemctl", "start", "infra-core-console")
}

// testDatabase has a deployment fail, with and without the order to put the database back.
func testDatabase(t *testing.T, m *machine) {
	m.write("pkg/app/note.go", "package app\n")
	m.commit("version 2")
	site := m.failAfter("ready")
	for _, restore := range []bool{false, true} {
		first := int64(1)
		if restore {
			first = 100_001
		}
		n := m.writeNotes(first)
		n.until(t, first+20)
		args := []string{"--site=" + site, "--no-ui", "--stable=2"}
		if restore {
			args = append(args, "--restore-database")
		}
		r := m.deploy("deploy.star", args...).want(3)
		n.end()
		m.answers()
		m.Must("systemctl", "stop", "infra-core-console")
		count, highest := m.database("/var/lib/infra-core/console.db", first)
		m.Must("systemctl", "start", "infra-core-console")
		accepted := n.acked.Load() - first + 1
		if !restore && (count != highest-first+1 || count < accepted) {
			t.Errorf("%d notes up to %d are there after the rollback, and %d were accepted", count, highest, accepted)
		}
		if restore {
			r.says("written since and discarded: notes: ")
			if count >= accepted {
				t.Errorf("of %d accepted notes %d are there: what the second version wrote was to be discarded", accepted, count)
			}
			if count < 20 {
				t.Errorf("only %d notes are there: what the first version wrote was to be kept", count)
			}
		}
	}
}
