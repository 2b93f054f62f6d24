package git

import (
	"fmt"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

// A preview of a checkout of 200 files, into a new directory and over the same release.
func BenchmarkPreview(b *testing.B) {
	w := newWork(b)
	for i := range 200 {
		w.write(fmt.Sprintf("dir%d/file%d", i%20, i), strings.Repeat(fmt.Sprintln(i), 500), 0o644)
	}
	commit := w.commit("many files")
	w.git("gc", "-q")
	f := fixture(b, w)
	preview := func(b *testing.B, want events.Result) {
		for b.Loop() {
			f.Preview(checkoutRecipe(w, "main")).Want(want)
		}
	}
	b.Run("new", func(b *testing.B) { preview(b, events.WouldChange) })
	f.Run(checkoutRecipe(w, commit)).Want(events.Succeeded)
	b.Run("unchanged", func(b *testing.B) { preview(b, events.NoChange) })
}
