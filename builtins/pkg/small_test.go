package pkg

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

const (
	smallDir    = "/srv/small"
	smallSource = "/etc/apt/sources.list.d/small.list"
	debian      = "/etc/apt/sources.list.d/debian.sources"
)

// smallWorld has apt know a repository of a few empty packages instead of Debian's sixty thousand, so that it works in a
// moment. They have the names of real ones: jq needs libjq1, which needs libonig5; configured has a configuration.
func smallWorld(t *testing.T) {
	t.Helper()
	// A server that is thrown away need not wait for the disk.
	must(t, os.WriteFile("/etc/dpkg/dpkg.cfg.d/test", []byte("force-unsafe-io\n"), 0o644))
	if _, err := os.Stat(smallDir + "/Release"); err != nil {
		buildSmallWorld(t)
	}
	// Nor does it help to ask three times for what is not there.
	must(t, os.WriteFile("/etc/apt/apt.conf.d/99small", []byte("Acquire::Retries \"0\";\n"), 0o644))
	must(t, os.Rename(debian, "/srv/debian.sources"))
	must(t, os.WriteFile(smallSource, []byte("deb [trusted=yes] copy:"+smallDir+" ./\n"), 0o644))
	t.Cleanup(func() {
		must(t, os.Rename("/srv/debian.sources", debian))
		must(t, os.Remove(smallSource))
		must(t, os.Remove("/etc/apt/apt.conf.d/99small"))
		noLists(t)
	})
	noLists(t)
	command(t, "apt-get", "--quiet", "update")
}

func buildSmallWorld(t *testing.T) {
	t.Helper()
	must(t, os.MkdirAll(smallDir, 0o755))
	index := ""
	for _, p := range []struct{ name, control, config string }{
		{"jq", "Depends: libjq1\n", ""},
		{"libjq1", "Depends: libonig5\n", ""},
		{"libonig5", "", ""},
		{"tree", "", ""},
		{"configured", "", "/etc/configured.conf"},
	} {
		file := deb(t, smallDir, p.name, p.control, p.config)
		content, err := os.ReadFile(file)
		must(t, err)
		index += command(t, "dpkg-deb", "--field", file) +
			fmt.Sprintf("Filename: ./%s\nSize: %d\nSHA256: %x\n\n", filepath.Base(file), len(content), sha256.Sum256(content))
	}
	must(t, os.WriteFile(smallDir+"/Packages", []byte(index), 0o644))
	release := fmt.Sprintf("Date: Sun, 22 Nov 2020 10:00:00 UTC\nSHA256:\n %x %d Packages\n", sha256.Sum256([]byte(index)), len(index))
	must(t, os.WriteFile(smallDir+"/Release", []byte(release), 0o644))
}

// deb builds a package without content, but for a file of configuration if that is not "". When it is configured it says so,
// and fails where it cannot, as packages do.
func deb(t *testing.T, dir, name, control, config string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), name)
	must(t, os.MkdirAll(filepath.Join(root, "DEBIAN"), 0o755))
	control = "Package: " + name + "\nVersion: 1.6-2\nArchitecture: all\nMaintainer: A Test <test@example.org>\nDescription: for a test\n" + control
	must(t, os.WriteFile(filepath.Join(root, "DEBIAN/control"), []byte(control), 0o644))
	script := "#!/bin/sh\nset -e\necho " + name + " is being configured\n"
	must(t, os.WriteFile(filepath.Join(root, "DEBIAN/postinst"), []byte(script), 0o755))
	if config != "" {
		must(t, os.WriteFile(filepath.Join(root, "DEBIAN/conffiles"), []byte(config+"\n"), 0o644))
		must(t, os.MkdirAll(filepath.Join(root, filepath.Dir(config)), 0o755))
		must(t, os.WriteFile(filepath.Join(root, config), []byte("# as packaged\n"), 0o644))
	}
	file := filepath.Join(dir, name+"_1.6-2_all.deb")
	command(t, "dpkg-deb", "--root-owner-group", "-Znone", "--build", root, file)
	return file
}

// noLists removes the lists of packages.
func noLists(t *testing.T) {
	t.Helper()
	found, err := filepath.Glob("/var/lib/apt/lists/*_*")
	must(t, err)
	for _, path := range found {
		must(t, os.Remove(path))
	}
}
