package familytest

import (
	"os"
	"path/filepath"
	"strings"
)

// NoTrace looks for a secret in all that runs have left, but their sources.
func (f *Fixture) NoTrace(secret string) {
	f.t.Helper()
	err := filepath.WalkDir(f.Base(), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == "sources" {
			return filepath.SkipDir
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), secret) {
			f.t.Errorf("the secret is in %s", path)
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}
