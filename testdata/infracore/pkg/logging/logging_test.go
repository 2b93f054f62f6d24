package logging

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenWritesToFileAndStderr(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "logs")
	var stderr bytes.Buffer
	for _, message := range []string{"first", "second\nline"} {
		log, closer, err := Open("orch", dir, &stderr)
		if err != nil {
			t.Fatal(err)
		}
		log.Error(message)
		if err := closer.Close(); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "orch.log"))
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != stderr.String() {
		t.Errorf("the file has %q, stderr %q", data, stderr.String())
	}
	if lines := strings.Count(string(data), "\n"); lines != 2 {
		t.Errorf("%d lines, want one for each of 2 records:\n%s", lines, data)
	}
	if n := strings.Count(string(data), "level=ERROR"); n != 2 {
		t.Errorf("level=ERROR is there %d times, want 2:\n%s", n, data)
	}
}

func TestOpenNamesTheDirectoryItCannotMake(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open("orch", file, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v, want one that names %s", err, file)
	}
}
