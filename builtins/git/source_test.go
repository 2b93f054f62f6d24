package git

import (
	"strings"
	"testing"
)

func TestParseSource(t *testing.T) {
	for _, test := range []struct{ in, text, need string }{
		{"https://example.com/org/app.git", "https://example.com/org/app.git", "net example.com:443"},
		{"https://example.com/org/app/", "https://example.com/org/app", "net example.com:443"},
		{"https://example.com:8443/a%20b", "https://example.com:8443/a%20b", "net example.com:8443"},
		{"http://127.0.0.1:3000/app", "http://127.0.0.1:3000/app", "net 127.0.0.1:3000"},
		{"https://[::1]:8443/app", "https://[::1]:8443/app", "net [::1]:8443"},
		{"ssh://git@example.com/app", "ssh://git@example.com/app", "net example.com:22"},
		{"ssh://example.com:2222/~me/app", "ssh://example.com:2222/~me/app", "net example.com:2222"},
		{"git@example.com:org/app.git", "git@example.com:org/app.git", "net example.com:22"},
		{"git@[::1]:app", "git@[::1]:app", "net [::1]:22"},
		{"/srv/app", "/srv/app", "fs.read /srv/app"},
		{"/srv/../srv/app/", "/srv/app", "fs.read /srv/app"},
		{"app", "/base/app", "fs.read /base/app"},
		{"../app", "/app", "fs.read /app"},
		{"./a:b", "/base/a:b", "fs.read /base/a:b"},
		{"file:///srv/app", "/srv/app", "fs.read /srv/app"},
		{"file://localhost/srv/a%20b", "/srv/a b", "fs.read /srv/a b"},
	} {
		s, err := parseSource(test.in, "/base")
		if err != nil {
			t.Errorf("%s: %v", test.in, err)
			continue
		}
		if got := s.needs().Kind + " " + s.needs().Target; s.text != test.text || got != test.need {
			t.Errorf("%s: got %s, %s; want %s, %s", test.in, s.text, got, test.text, test.need)
		}
	}
}

func TestParseSourceRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "is empty",
		"https://hunter2@example.com/app":   "must hold no user or password",
		"https://u:hunter2@example.com/app": "must hold no user or password",
		"ssh://u:hunter2@example.com/app":   "takes no password",
		"ftp://u:hunter2@example.com/app":   `the scheme "ftp" is not supported`,
		"git://example.com/app":             `the scheme "git" is not supported`,
		"https://u:hunter2@exa mple.com/x":  "cannot be parsed",
		"https://example.com:99999/app":     "is no port",
		"https://example.com":               "want https://host/path",
		"https://example.com/app?x=1":       "want https://host/path",
		"file://other/srv/app":              "names no other host",
		"ssh://git@example.com":             "want ssh://user@host/path",
		"ssh://-oProxyCommand=x/app":        "want ssh://user@host/path",
		"git@example.com:-x":                "want ssh://user@host/path",
		"app\nother":                        "no control characters",
	} {
		_, err := parseSource(in, "/base")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", in, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error holds the password: %v", in, err)
		}
	}
}

func FuzzParseSource(f *testing.F) {
	for _, seed := range []string{"https://example.com/app", "git@example.com:app", "ssh://u@h:2/x", "/srv/app", "file:///x", "../x"} {
		f.Add(seed, "../y")
	}
	f.Fuzz(func(t *testing.T, text, sub string) {
		s, err := parseSource(text, "/base")
		if err != nil {
			return
		}
		if s.local() != strings.HasPrefix(s.path, "/") || s.text == "" || s.needs().Target == "" {
			t.Errorf("%q: %+v", text, s)
		}
		if inner, err := s.beside(sub); err == nil && !s.local() && inner.local() {
			t.Errorf("%q names %q on this machine", text, sub)
		}
	})
}
