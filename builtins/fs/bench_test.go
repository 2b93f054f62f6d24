package fs_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

const managed = `
fs.write_all({DIR + "/conf/%d.conf" % i: "# file %d\n" % i + "key = value\n" * 300 for i in range(500)})
`

// BenchmarkFirst writes 500 files of 3.6 kB that are not there, journalled and on the disk.
func BenchmarkFirst(b *testing.B) {
	f := fixture(b)
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		if err := os.RemoveAll(f.Dir + "/conf"); err != nil {
			b.Fatal(err)
		}
		if err := os.Mkdir(f.Dir+"/conf", 0o755); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		f.Run(managed).Want(events.Succeeded)
	}
}

// BenchmarkChanged rewrites 500 files, keeping what was in them.
func BenchmarkChanged(b *testing.B) {
	f := fixture(b)
	if err := os.Mkdir(f.Dir+"/conf", 0o755); err != nil {
		b.Fatal(err)
	}
	for n := 0; b.Loop(); n++ {
		f.Run(fmt.Sprintf("fs.write_all({DIR + \"/conf/%%d.conf\" %% i: \"run %d\\n\" + \"key = value\\n\" * 300 for i in range(500)})", n)).
			Want(events.Succeeded)
	}
}

// BenchmarkUnchanged finds 500 files to be what they should be.
func BenchmarkUnchanged(b *testing.B) {
	f := fixture(b)
	if err := os.Mkdir(f.Dir+"/conf", 0o755); err != nil {
		b.Fatal(err)
	}
	f.Run(managed).Want(events.Succeeded)
	for b.Loop() {
		f.Run(managed).Want(events.Succeeded)
	}
}

// BenchmarkPreview previews 500 files that are what they should be.
func BenchmarkPreview(b *testing.B) {
	f := fixture(b)
	if err := os.Mkdir(f.Dir+"/conf", 0o755); err != nil {
		b.Fatal(err)
	}
	f.Run(managed).Want(events.Succeeded)
	for b.Loop() {
		f.Preview(managed).Want(events.NoChange)
	}
}

// BenchmarkUndo rolls back 500 files that were created.
func BenchmarkUndo(b *testing.B) {
	f := fixture(b)
	if err := os.Mkdir(f.Dir+"/conf", 0o755); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		f.Run(managed).Want(events.Succeeded)
		b.StartTimer()
		f.Rollback().Want(events.Restored)
	}
}
