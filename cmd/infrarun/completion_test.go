package main

import (
	"strings"
	"testing"
)

func TestSplitLast(t *testing.T) {
	for _, tt := range []struct{ args, before, last, prefix string }{
		{"a", "", "a", ""},
		{"a b", "a", "b", ""},
		{"a --env=st", "a", "--env=st", ""},
		{"a --env = st", "a", "--env=st", "--env="},
		{"a --env =", "a", "--env=", "--env="},
		{"=", "", "=", ""},
		{"= x", "=", "x", ""},
	} {
		before, last, prefix := splitLast(strings.Fields(tt.args))
		if got := strings.Join(before, " "); got != tt.before || last != tt.last || prefix != tt.prefix {
			t.Errorf("splitLast(%q) = %q, %q, %q", tt.args, got, last, prefix)
		}
	}
}
