package familytest

import (
	"os"
	"testing"
)

// Need skips the test unless the machine has what it takes. Where CI is "true" nothing may be missing:
// there it fails the test.
func Need(t testing.TB, have bool, why string) {
	t.Helper()
	switch {
	case have:
	case os.Getenv("CI") == "true":
		t.Fatalf("cannot run here, but must with CI=true: %s", why)
	default:
		t.Skip(why)
	}
}
