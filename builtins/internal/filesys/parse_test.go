package filesys

import (
	"encoding/json"
	"io/fs"
	"slices"
	"testing"
)

func TestMountPoints(t *testing.T) {
	const info = "22 27 0:21 / /proc rw,nosuid - proc proc rw\n" +
		"30 22 8:1 /x /mnt/with\\040space\\134 rw shared:1 - ext4 /dev/sda1 rw\n" +
		"short line\n"
	if got, want := mountPoints([]byte(info)), []string{"/proc", `/mnt/with space\`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzMountPoints(f *testing.F) {
	f.Add([]byte("22 27 0:21 / /proc rw - proc proc rw\n"))
	f.Add([]byte(`1 2 3 4 \0 \999 \04`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, p := range mountPoints(data) {
			if p == "" {
				t.Errorf("%q has an empty mount point", data)
			}
		}
	})
}

func FuzzPath(f *testing.F) {
	f.Add("/etc/app.conf")
	f.Add("/tmp/\xff\xfe")
	f.Add("")
	f.Fuzz(func(t *testing.T, path string) {
		data, err := json.Marshal(Path(path))
		if err != nil {
			t.Fatal(err)
		}
		var back Path
		if err := json.Unmarshal(data, &back); err != nil || string(back) != path {
			t.Errorf("%q became %s and then %q, %v", path, data, back, err)
		}
	})
}

// FuzzUndoRecord reads what another version, or a damaged disk, may have written.
func FuzzUndoRecord(f *testing.F) {
	f.Add([]byte(`{"files":[{"path":"/a","kind":"file","mode":420,"size":3}],"content":{"name":"x","size":3}}`))
	f.Add([]byte(`{"paths":[{"bytes":"/w=="}],"content":"private"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var kept keptArgs
		if json.Unmarshal(data, &kept) == nil {
			for _, s := range kept.Files {
				s.info()
			}
		}
		var created createdArgs
		_ = json.Unmarshal(data, &created)
	})
}

func TestModes(t *testing.T) {
	for bits, text := range map[uint32]string{0o644: "0644", 0o4755: "04755", 0o2770: "02770", 0o1777: "01777", 0: "0000"} {
		m := fileMode(bits)
		if unixMode(m) != bits || Octal(m) != text {
			t.Errorf("%#o became %v, %#o and %s", bits, m, unixMode(m), Octal(m))
		}
	}
	if Private(0o640) || !Private(0o600) || !Private(0o700|fs.ModeSetuid) {
		t.Error("Private does not tell who may read a file")
	}
}
