package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUnknownVersion(t *testing.T) {
	data, _ := sample(t, true)
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, filename), append(headerOf(2), data[headerSize:]...), 0o600))
	_, err := Read(dir)
	var newer *VersionError
	if !errors.As(err, &newer) || newer.Version != 2 || !strings.Contains(err.Error(), "has format 2") {
		t.Errorf("Read: %v", err)
	}
	if _, _, err := Open(dir); !errors.As(err, &newer) {
		t.Errorf("Open: %v", err)
	}
}

// The journal in testdata was written by format 1. It must stay readable, and a record must still be written so.
func TestFormat1StaysReadable(t *testing.T) {
	s, err := Read("testdata/v1")
	must(t, err)
	if s.Outcome != RolledBack || s.Meta.Recipe != "recipes/deploy.star" || s.Meta.PID != 4711 || s.Torn {
		t.Errorf("state: %+v", s)
	}
	var got []string
	for _, e := range s.Entries {
		got = append(got, fmt.Sprintf("%d %s %s %s %s after=%s error=%s", e.ID, e.Call, e.Target, e.Class, e.Status, e.After, e.Error))
	}
	want := []string{
		`1 fs.write /opt/app/app.conf exact undone after={"sha256":"…"} error=`,
		`2 fs.mkdir /opt/app/releases exact undone after= error=busy`,
		`3 process.start console compensating withdrawn after= error=cancelled`,
		`4 exec.run make none failed after= error=exit status 2`,
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("entries:\n%s\nwant:\n%s", g, w)
	}

	data, err := os.ReadFile("testdata/v1/journal")
	must(t, err)
	again := header()
	for off := headerSize; off < len(data); {
		payload, reason := unframe(data[off:])
		if payload == nil {
			t.Fatal(reason)
		}
		var r record
		must(t, json.Unmarshal(payload, &r))
		encoded, err := r.encode()
		must(t, err)
		f, err := frame(encoded)
		must(t, err)
		again = append(again, f...)
		off += frameHeadSize + len(payload)
	}
	if !bytes.Equal(again, data) {
		t.Error("the same records are written differently now: that needs a new version")
	}
}

// People read journals with strings(1).
func TestRecordsAreLegible(t *testing.T) {
	encoded, err := (&record{Type: recFailed, ID: 1, Error: "a < b && c > d\nlöschen"}).encode()
	must(t, err)
	if got, want := string(encoded), `{"type":"failed","id":1,"error":"a < b && c > d\nlöschen"}`+"\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
