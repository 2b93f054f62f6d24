package systemd

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/infrarun/infrarun/builtins/internal/scratch"
	"github.com/infrarun/infrarun/runtime"
)

// copies is where copies of units are for as long as systemd-analyze reads them. In a preview, too: some of what is to be
// judged is only predicted.
func copies(r *runtime.Reader) scratch.Place {
	return scratch.Place{Dir: filepath.Join(r.Cache(), "systemd"), For: "a copy of the unit"}
}

// writeCopy writes the copy of a file of a unit into a directory of copies.
func writeCopy(dir, name string, content []byte) error {
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make a copy of the unit: %w", err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return fmt.Errorf("make a copy of the unit: %w", err)
	}
	return nil
}
