package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSources(t *testing.T) {
	const targets = `Packages https://security.example/debian-security/ bookworm-security main
Translations https://mirror.example/debian/ bookworm main
Packages https://mirror.example/debian/ bookworm contrib
Packages https://mirror.example/debian/ bookworm-updates main
Packages https://tools.example/apt/ ./ main
Packages https://mirror.example/debian/ bookworm main
Packages https://other.example/debian/ bookworm main
`
	mirror, sources := sourcesOf(targets)
	if mirror != "https://mirror.example/debian" {
		t.Errorf("the mirror is %q", mirror)
	}
	for _, want := range []string{
		"URIs: https://mirror.example/debian\nSuites: bookworm bookworm-updates\n",
		"URIs: https://security.example/debian-security\nSuites: bookworm-security\n",
	} {
		if !strings.Contains(sources, want) {
			t.Errorf("the sources lack %q:\n%s", want, sources)
		}
	}
	if mirror, sources := sourcesOf("Packages file:/srv/debian bookworm main\n"); mirror+sources != "" {
		t.Errorf("of a mirror that no server reaches: %q, %q", mirror, sources)
	}
}

func TestAcquireSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "client.pem")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	settings, files := acquireOf("APT::Architecture \"amd64\";\n" +
		"Acquire::http::Proxy \"http://proxy.example:3128\";\n" +
		"Acquire::IndexTargets::deb::DEP-11 \"\";\n" +
		"Acquire::https::SslCert \"" + file + "\";\n" +
		"DPkg::Post-Invoke:: \"rm -rf /\";\n")
	want := "Acquire::http::Proxy \"http://proxy.example:3128\";\nAcquire::https::SslCert \"" + file + "\";\n"
	if settings != want {
		t.Errorf("settings = %s, want %s", settings, want)
	}
	if len(files) != 1 || files[0] != file {
		t.Errorf("files = %q, want %q", files, file)
	}
}

func TestDiffIgnores(t *testing.T) {
	before := Snapshot{"file /a": "1", "file /a/b/c": "1", "package x": "1", "unit y": "1"}
	after := Snapshot{"file /a": "2", "file /a/b/c": "2", "unit y": "1"}
	if got := Diff(before, after, "file /a/b", "package *"); len(got) != 1 || got[0] != "~ file /a: 1 -> 2" {
		t.Errorf("Diff = %q", got)
	}
	if got := Diff(before, after); len(got) != 3 {
		t.Errorf("Diff = %q, want three lines", got)
	}
}
