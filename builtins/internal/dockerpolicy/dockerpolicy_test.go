package dockerpolicy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCovers(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc", filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	compiled, err := Matcher{}.Compile([]string{
		"compose:shop", "host-path:" + dir, "capability:NET_*", "device:/dev/fuse", "privileged:*", "socket", "volume:data",
	})
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]bool{
		"compose:shop":                 true,
		"compose:other":                false,
		"host-path:" + dir:             true,
		"host-path:" + dir + "/a/b":    true,
		"host-path:" + dir + "/out":    false, // a link to /etc
		"host-path:" + dir + "/../x":   false,
		"host-path:/":                  false,
		"host-path:relative":           false,
		"capability:NET_ADMIN":         true,
		"capability:SYS_ADMIN":         false,
		"device:/dev/fuse":             true,
		"device:/dev/sda":              false,
		"device:gpu":                   false,
		"privileged:web":               true,
		"socket":                       true,
		"host-network":                 false,
		"volume:data":                  true,
		"volume:database":              false,
		"security-opt:seccomp=unconfi": false,
		"privileged":                   false,
	} {
		if got, why := compiled.Covers(target); got != want {
			t.Errorf("Covers(%s) = %v, %s", target, got, why)
		}
	}
}

func TestTouches(t *testing.T) {
	compiled, err := Matcher{}.Compile([]string{"host-path:/etc/ssl", "privileged:*", "socket"})
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]bool{
		"host-path:/etc":         true, // it has /etc/ssl in it
		"host-path:/etc/ssl/key": true,
		"host-path:/srv":         false,
		"privileged:web":         true,
		"socket":                 true,
		"capability:NET_ADMIN":   false,
	} {
		if got, _ := compiled.Touches(target, false); got != want {
			t.Errorf("Touches(%s) = %v", target, got)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for pattern, want := range map[string]string{
		"host-path:srv":    "must be absolute",
		"host-path:/a/../": "..",
		"compose:":         "nothing behind",
		"":                 "want one of",
		"priviledged:web":  "want one of",
		"host-networks":    "want one of",
	} {
		_, err := Matcher{}.Compile([]string{pattern})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Compile(%q): %v, want %q", pattern, err, want)
		}
	}
}

func TestPrivileged(t *testing.T) {
	compiled, err := Matcher{}.Compile([]string{"privileged"})
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"privileged", "privileged:web"} {
		if ok, why := compiled.Covers(target); !ok {
			t.Errorf("privileged does not cover %s: %s", target, why)
		}
	}
}

func TestNeed(t *testing.T) {
	if n := Need("capability", "NET_ADMIN"); n.Kind != "docker" || n.Target != "capability:NET_ADMIN" {
		t.Errorf("got %v", n)
	}
	if n := Need(Socket, ""); n.Target != "socket" {
		t.Errorf("got %v", n)
	}
}

// Only a path that is bound is a path: what else is mounted does not look at its device.
func TestOfVolume(t *testing.T) {
	for _, c := range []struct {
		driver  string
		options map[string]string
		want    string
		path    string
	}{
		{"", nil, "", ""},
		{"local", map[string]string{"size": "1m"}, "", ""},
		{"local", map[string]string{"type": "none", "o": "bind,ro", "device": "/srv"}, "host-path:/srv", "/srv"},
		{"", map[string]string{"type": "none", "o": "rbind", "device": "/srv"}, "host-path:/srv", "/srv"},
		{"", map[string]string{"type": "none", "o": "bind", "device": "etc"}, "volume-driver:local", ""},
		{"", map[string]string{"type": "overlay", "o": "lowerdir=/", "device": "/srv"}, "host-path:/srv volume-driver:local", "/srv"},
		{"local", map[string]string{"type": "overlay", "o": "lowerdir=/", "device": "overlay"}, "volume-driver:local", ""},
		{"local", map[string]string{"type": "nfs", "o": "addr=nas", "device": ":/data"}, "volume-driver:local", ""},
		{"local", map[string]string{"type": "tmpfs", "o": "size=1m", "device": "tmpfs"}, "", ""},
		{"", map[string]string{"type": "tmpfs", "o": "bind", "device": "etc"}, "volume-driver:local", ""},
		{"odd", map[string]string{"share": "x"}, "volume-driver:odd", ""},
		{"odd", map[string]string{"device": "/srv"}, "volume-driver:odd host-path:/srv", "/srv"},
	} {
		needs, path := OfVolume(c.driver, c.options)
		var got []string
		for _, n := range needs {
			got = append(got, n.Target)
		}
		if s := strings.Join(got, " "); s != c.want || path != c.path {
			t.Errorf("a volume of %q with %v takes %q and is %q, want %q and %q", c.driver, c.options, s, path, c.want, c.path)
		}
	}
}
