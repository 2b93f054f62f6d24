package host

import (
	"testing"

	"github.com/shirou/gopsutil/v3/disk"
)

func TestParseOSRelease(t *testing.T) {
	for text, want := range map[string][2]string{
		"NAME=\"Debian\"\nID=debian\nVERSION_ID=\"12\"\n": {"debian", "12"},
		"ID='alpine'\nVERSION_ID=3.20.1":                  {"alpine", "3.20.1"},
		"# ID=no\nID_LIKE=debian\nID=arch\n":              {"arch", ""},
		"":                                                {"", ""},
	} {
		if id, version := parseOSRelease([]byte(text)); id != want[0] || version != want[1] {
			t.Errorf("%q = %q, %q, want %q", text, id, version, want)
		}
	}
}

const passwd = `root:x:0:0:root:/root:/bin/bash
broken line
nonum:x:a:b::/:/bin/sh
app:x:999:998:the app:/var/lib/app:/usr/sbin/nologin
app:x:1:1:second of the name:/:/bin/sh
noshell:x:5:5::/:
`

func TestFindUser(t *testing.T) {
	for name, want := range map[string]passwdEntry{
		"root":    {"root", 0, 0, "/root", "/bin/bash"},
		"app":     {"app", 999, 998, "/var/lib/app", "/usr/sbin/nologin"},
		"noshell": {"noshell", 5, 5, "/", ""},
	} {
		if got, ok := findUser(passwd, name); !ok || got != want {
			t.Errorf("%s = %+v, %v, want %+v", name, got, ok, want)
		}
	}
	for _, name := range []string{"", "nobody", "nonum", "broken line", "x"} {
		if got, ok := findUser(passwd, name); ok {
			t.Errorf("%q = %+v, want none", name, got)
		}
	}
}

func FuzzFindUser(f *testing.F) {
	f.Add(passwd, "app")
	f.Add("a:x:1:1:::", "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		if u, ok := findUser(text, name); ok && u.name != name {
			t.Errorf("asked for %q, got %+v", name, u)
		}
		parseOSRelease([]byte(text))
	})
}

func TestHolding(t *testing.T) {
	mounts := []disk.PartitionStat{
		{Mountpoint: "/", Device: "root"}, {Mountpoint: "/var", Device: "old"}, {Mountpoint: "/var", Device: "new"},
		{Mountpoint: "/var/lib", Device: "lib"},
	}
	for path, want := range map[string]string{
		"/": "root", "/opt/x": "root", "/var": "new", "/var/log": "new", "/variable": "root", "/var/lib/app": "lib",
	} {
		if got := holding(mounts, path).Device; got != want {
			t.Errorf("%s is on %s, want %s", path, got, want)
		}
	}
}
