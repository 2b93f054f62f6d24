package engine

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/pkg/stdcopy"
)

func TestReadLog(t *testing.T) {
	t.Parallel()
	var frames bytes.Buffer
	out, errs := stdcopy.NewStdWriter(&frames, stdcopy.Stdout), stdcopy.NewStdWriter(&frames, stdcopy.Stderr)
	for _, line := range []string{"one\n", "two\n", "three\n"} {
		_, _ = out.Write([]byte(line))
		_, _ = errs.Write([]byte("! " + line))
	}
	const all = "one\n! one\ntwo\n! two\nthree\n! three\n"
	for most, want := range map[int]string{
		1000: all, len(all): all, len(all) - 1: all[len("one\n"):], 14: "three\n! three\n", 13: "! three\n", 3: "",
	} {
		if got, err := ReadLog(bytes.NewReader(frames.Bytes()), false, most); err != nil || got != want {
			t.Errorf("%d bytes of frames: %q, %v, want %q", most, got, err, want)
		}
		if got, err := ReadLog(strings.NewReader(all), true, most); err != nil || got != want {
			t.Errorf("%d bytes of a terminal: %q, %v, want %q", most, got, err, want)
		}
	}
}

func TestLastLines(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"": nil, "\n": nil, "a": {"a"}, "a\nb\r\nc\n": {"b", "c"}, "a\xff\n": {"a\uFFFD"}, "a\n\nb": {"", "b"},
	} {
		if got := LastLines(text, 2); !slices.Equal(got, want) {
			t.Errorf("LastLines(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestDrift(t *testing.T) {
	t.Parallel()
	after := map[string]string{"gone": "1", "other": "1", "same": "1"}
	now := map[string]string{"other": "2", "same": "1", "new": "3"}
	if got, want := Drift("container", "is another one", after, now), "container gone is gone, container new is new, container other is another one"; got != want {
		t.Errorf("Drift = %q, want %q", got, want)
	}
}
