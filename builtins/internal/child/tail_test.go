package child

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTailKeepsTheLastLinesThatSaySomething(t *testing.T) {
	var last tail
	for i := range 20 {
		last.add(fmt.Sprint(" line ", i))
		last.add("  ")
	}
	want := []string{"line 15", "line 16", "line 17", "line 18", "line 19"}
	if !slices.Equal(last.lines, want) {
		t.Errorf("tail = %q, want %q", last.lines, want)
	}
	last.add("token " + strings.Repeat("x", tailWidth))
	if got := last.lines[tailLines-1]; got != "token …" {
		t.Errorf("a long line = %q, want it cut between words", got)
	}
	last.add(strings.Repeat("x", tailWidth+1))
	if got := last.lines[tailLines-1]; got != "…" {
		t.Errorf("a long word = %q, want no part of it", got)
	}
}
