package imageref

import (
	"strings"
	"testing"
)

var digest = "@sha256:" + strings.Repeat("a", 64)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Ref{
		"app":                         {"app:latest", DockerHub, "app"},
		"docker.io/library/app:1":     {"app:1", DockerHub, "app"},
		"team/app:1":                  {"team/app:1", DockerHub, "team/app"},
		"registry.example/team/app:1": {"registry.example/team/app:1", "registry.example:443", "registry.example/team/app"},
		"registry.example:5000/app":   {"registry.example:5000/app:latest", "registry.example:5000", "registry.example:5000/app"},
		"127.0.0.1:5000/app:1":        {"127.0.0.1:5000/app:1", "127.0.0.1:5000", "127.0.0.1:5000/app"},
		"[::1]/app:1":                 {"[::1]/app:1", "[::1]:443", "[::1]/app"},
		"[::1]:5000/app:1":            {"[::1]:5000/app:1", "[::1]:5000", "[::1]:5000/app"},
		"app" + digest:                {"app" + digest, DockerHub, "app"},
	} {
		got, err := Parse(text)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", text, got, err, want)
		}
		if tagged := got.Tagged() == nil; tagged == strings.Contains(text, "@") {
			t.Errorf("Tagged of %q is %v", text, tagged)
		}
		if need := got.NeedRegistry(); need.Kind != "net" || need.Target != want.Registry {
			t.Errorf("NeedRegistry of %q is %v", text, need)
		}
	}
	for _, bad := range []string{"", "App", "a b", "app:", "https://registry.example/app", "app:1:2"} {
		if got, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) = %+v, want an error", bad, got)
		}
	}
}

func TestShown(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"app": "app:latest", "docker.io/library/app:1": "app:1", "registry.example:5000/app": "registry.example:5000/app:latest",
		"sha256:0123": "sha256:0123", "App": "App",
	} {
		if got := Shown(ref); got != want {
			t.Errorf("Shown(%s) = %s, want %s", ref, got, want)
		}
	}
	for id, want := range map[string]string{"sha256:0123456789abcdef": "0123456789ab", "0123": "0123", "": ""} {
		if got := Short(id); got != want {
			t.Errorf("Short(%s) = %s, want %s", id, got, want)
		}
	}
}

// Whatever is read as a name is read as the same again.
func FuzzParse(f *testing.F) {
	f.Add("registry.example:5000/team/app:1.4")
	f.Add("app" + digest)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if err != nil {
			return
		}
		if again, err := Parse(r.Name); err != nil || again != r {
			t.Errorf("%q is %+v, read again %+v, %v", text, r, again, err)
		}
	})
}
