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

func FuzzParseOSRelease(f *testing.F) {
	f.Add([]byte("ID='alpine'\nVERSION_ID=3.20.1"))
	f.Add([]byte("ID=\n=\""))
	f.Fuzz(func(_ *testing.T, text []byte) { parseOSRelease(text) })
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
