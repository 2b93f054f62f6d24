package runtime

import (
	"bytes"
	"os"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

// A preview makes no key, and knows what a run has made with one.
func TestFingerprint(t *testing.T) {
	s, err := OpenState(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	of := func(mode events.Mode) func() []byte {
		r := &Reader{&task{run: &Run{mode: mode, state: s}}}
		return func() []byte {
			sum, err := r.Fingerprint("a test", []byte("secret"))
			if err != nil {
				t.Fatal(err)
			}
			return sum
		}
	}
	first := of(events.ModePreview)
	if !bytes.Equal(first(), first()) {
		t.Error("a preview does not know a content again")
	}
	of(events.ModeLook)()
	if _, err := os.Stat(s.KeyFile()); err == nil {
		t.Error("a preview has made a key")
	}
	made := of(events.ModeRun)()
	for _, mode := range []events.Mode{events.ModePreview, events.ModeLook, events.ModeRun} {
		if !bytes.Equal(of(mode)(), made) {
			t.Errorf("a %s does not know again what a run knew", mode)
		}
	}
}
