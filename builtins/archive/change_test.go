package archive_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// onProgress is a sink that calls do once, at the first progress of packing.
type onProgress struct {
	do   func()
	once sync.Once
}

// Handle implements [events.Sink].
func (o *onProgress) Handle(e events.Event) {
	if e.Kind == events.Progress && !e.Progress.Done {
		o.once.Do(o.do)
	}
}

// Close implements [events.Sink].
func (o *onProgress) Close() error { return nil }

// TestChangedWhileRead changes a large file in the middle of being read: the archive must have the one content or the
// other as a whole, and once.
func TestChangedWhileRead(t *testing.T) {
	f := newFixture(t)
	src := filepath.Join(f.Dir, "app")
	must(t, os.Mkdir(src, 0o755))
	big := filepath.Join(src, "big")
	must(t, os.WriteFile(big, bytes.Repeat([]byte("old content\n"), 3<<20), 0o644))
	write(t, filepath.Join(src, "after"), "comes before big in the archive", 0o644)
	change := &onProgress{do: func() {
		must(t, os.WriteFile(big, bytes.Repeat([]byte("the new one\n"), 2<<20), 0o644))
	}}
	f.RunContext(t.Context(), `
made = archive.create(DIR + "/app", DIR + "/app.tar.zst")
test.equal(made.files, 2)
`, change).Want(events.Succeeded)
	f.Run(`
test.equal(archive.verify(DIR + "/app.tar.zst"), [])
archive.extract(DIR + "/app.tar.zst", DIR + "/restored")
test.equal(fs.sha256(DIR + "/restored/big"), fs.sha256(DIR + "/app/big"))
test.equal(fs.size(DIR + "/restored/big"), 24 << 20)
`).Want(events.Succeeded)
}

// TestAlwaysChanging writes to a file without a pause: packing gives up, names it, and leaves nothing.
func TestAlwaysChanging(t *testing.T) {
	f := newFixture(t)
	src := filepath.Join(f.Dir, "app")
	must(t, os.Mkdir(src, 0o755))
	log, err := os.Create(filepath.Join(src, "app.log"))
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for ctx.Err() == nil {
			if _, err := log.WriteString("a line\n"); err != nil {
				t.Error(err)
				return
			}
			if _, err := log.Seek(0, 0); err != nil {
				t.Error(err)
				return
			}
		}
	})
	defer writer.Wait()
	defer stop()
	f.Run(`archive.create(DIR + "/app", DIR + "/app.tar.zst")`).Want(events.RolledBack).
		WantError(src+"/app.log", "each of 4 times", `exclude = ["app.log"]`)
	entries, err := os.ReadDir(f.Dir)
	if must(t, err); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	f.Run(`archive.create(DIR + "/app", DIR + "/app.tar.zst", exclude = ["*.log"])`).Want(events.Succeeded)
}

// TestInterrupted stops a run in the middle of packing.
func TestInterrupted(t *testing.T) {
	f := newFixture(t)
	must(t, os.WriteFile(filepath.Join(f.Dir, "big"), make([]byte, 64<<20), 0o644))
	ctx, stop := context.WithCancelCause(t.Context())
	r := f.RunContext(ctx, `archive.create(DIR + "/big", DIR + "/big.tar.zst")`, &onProgress{do: func() { stop(runtime.ErrInterrupted) }})
	r.Want(events.Interrupted)
	entries, err := os.ReadDir(f.Dir)
	if must(t, err); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}
