//go:build !failpoints

package failpoint

import (
	"bytes"
	"testing"
)

// An ordinary build must ignore the variable: it may never make a real run fail.
func TestOrdinaryBuildIgnoresTheVariable(t *testing.T) {
	t.Setenv("INFRARUN_FAILPOINT", "*:1=error")
	if err := Hit("a.b"); err != nil {
		t.Errorf("Hit: %v", err)
	}
	var out bytes.Buffer
	if n, err := Write("a.b", &out, []byte("text")); n != 4 || err != nil || out.String() != "text" {
		t.Errorf("Write = %d, %v, wrote %q", n, err, out.String())
	}
}
