package pkg

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// sample reads what a real machine has or prints.
func sample(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDpkgStatus(t *testing.T) {
	d, err := parseDpkgStatus(strings.NewReader(sample(t, "dpkg-status")))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"adduser": "3.134", "git": "1:2.39.5-0+deb12u2", "libc6": "2.36-9+deb12u9", "libc6:i386": "2.36-9+deb12u9", "libc6:arm64": "",
		"mail-transport-agent": "8:3.7.11-0+deb12u1", // stood for by postfix
		"man-db":               "2.11.2-2",           // its triggers are pending
		"nginx":                "",                   // only its configuration is left
		"half":                 "",                   // its installation was broken off
		"held":                 "1.0",
	} {
		if got := d.version(name); got != want {
			t.Errorf("the version of %s is %q, want %q", name, got, want)
		}
	}
	i := slices.IndexFunc(d.entries, func(e entry) bool { return e.Name == "nginx" })
	if i < 0 || d.entries[i].Condition != configOnly {
		t.Error("that the configuration of nginx is left is not known")
	}
	i = slices.IndexFunc(d.entries, func(e entry) bool { return e.Name == "half" })
	if i < 0 || d.entries[i].Condition != broken {
		t.Error("that the installation of half was broken off is not known")
	}
	newer, err := parseDpkgStatus(strings.NewReader("Package: git\nStatus: install ok unpacked\nArchitecture: amd64\nVersion: 3\n"))
	if d := d.updated(newer); err != nil || d.version("git") != "" || d.version("adduser") == "" || d.version("libc6:i386") == "" {
		t.Errorf("with what has changed since there is %v, %v", d, err)
	}
}

func TestApkInstalled(t *testing.T) {
	d, err := parseApkInstalled(strings.NewReader(sample(t, "apk-installed")))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"musl": "1.2.5-r0", "busybox": "1.36.1-r29", "cmd:ash": "1.36.1-r29", "so:libc.musl-x86_64.so.1": "1.2.5-r0", "git": ""} {
		if got := d.version(name); got != want {
			t.Errorf("the version of %s is %q, want %q", name, got, want)
		}
	}
}

func TestRpmPackages(t *testing.T) {
	d := parseRpmPackages(sample(t, "rpm-qa"))
	for name, want := range map[string]string{
		"bash": "5.1.8-9.el9", "git": "2.43.5-2.el9_5", "vim": "2:8.2.2637-21.el9", "/bin/sh": "5.1.8-9.el9", "gpg-pubkey": "", "jq": "",
	} {
		if got := d.version(name); got != want {
			t.Errorf("the version of %s is %q, want %q", name, got, want)
		}
	}
	if len(d.entries) != 4 {
		t.Errorf("got %d packages: %v", len(d.entries), d.entries)
	}
}

func TestAvailable(t *testing.T) {
	tests := []struct {
		m                  *manager
		sample, name, want string
	}{
		{&apt, "apt-policy", "git", "1:2.39.5-0+deb12u3"},
		{&apt, "apt-policy-none", "nosuch", ""},
		{&dnf, "dnf-list", "git", "2.43.5-2.el9_5"},
		{&dnf, "dnf-list", "python3-a-name-that-is-so-long-that-the-version-is-on-the-next-line", "3.9.18-3.el9"},
		{&dnf, "dnf-list", "gi", ""},
		{&zypper, "zypper-info", "git", "2.35.3-150300.10.39.1"},
		{&apk, "apk-policy", "git", "2.45.2-r0"},
		{&apk, "apk-policy", "nosuch", ""},
	}
	for _, test := range tests {
		if got := test.m.parseAvailable(sample(t, test.sample), test.name); got != test.want {
			t.Errorf("%s: the version of %s is %q, want %q", test.m.name, test.name, got, test.want)
		}
	}
}

func TestSimulation(t *testing.T) {
	got := stepLines(parseSimulation(sample(t, "apt-simulate")))
	const want = "+jq 1.6-2.1\n+libjq1 1.6-2.1\n+libonig5 6.9.8-1\n-mawk 1.3.4.20200120-3.1\n~libc6 2.36-9+deb12u9 -> 2.36-9+deb12u10\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := othersRemoved("Remv jq [1.6]\nPurg libjq1 [1.6]\n", []string{"libjq1"}); err == nil || !strings.Contains(err.Error(), "jq would go as well") {
		t.Errorf("got %v", err)
	}
	if err := othersRemoved("Remv jq [1.6]\n", []string{"jq"}); err != nil {
		t.Error(err)
	}
}

func TestStatusLines(t *testing.T) {
	tests := []struct {
		line    string
		percent float64
		what    string
		ok      bool
	}{
		{"dlstatus:1:20.5:Retrieving file 1 of 5", 20.5, "Retrieving file 1 of 5", true},
		{"pmstatus:git:50.0000:Installing git (amd64)", 50, "Installing git (amd64)", true},
		{"pmstatus:libc6:i386:75:Unpacking libc6:i386", 75, "Unpacking libc6:i386", true},
		{"pmstatus:dpkg-exec:200:Running dpkg", 100, "Running dpkg", true},
		{"pmstatus:x:NaN:y", 0, "", false},
		{"pmstatus:", 0, "", false},
		{"Setting up git (1:2.39.5) ...", 0, "", false},
	}
	for _, test := range tests {
		percent, what, ok := parseStatusLine(test.line)
		if percent != test.percent || what != test.what || ok != test.ok {
			t.Errorf("%q gave %v, %q, %v", test.line, percent, what, ok)
		}
	}
}

func TestRequests(t *testing.T) {
	got, err := parseRequests([]string{"git", "nodejs=18.*", "libc6:i386", "g++", "python3.11=3.11.2-6~deb12u1"})
	if err != nil || got[1] != (request{"nodejs", "18.*"}) || got[2].name != "libc6:i386" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, name := range []string{"", "-o", "--purge", "a b", "./a.deb", "/tmp/a.deb", "a/b", "a=", "a=-x", "a;b", "a\nb", "@group"} {
		if _, err := parseRequests([]string{name}); err == nil {
			t.Errorf("%q was taken for a package", name)
		}
	}
	if _, err := parseRequests(nil); err == nil {
		t.Error("no package at all was taken")
	}
	for _, test := range []struct {
		r       request
		version string
		want    bool
	}{
		{request{"a", ""}, "1", true}, {request{"a", ""}, "", false}, {request{"a", "1.*"}, "1.2", true},
		{request{"a", "1.*"}, "2.1", false}, {request{"a", "1.2"}, "1.2", true}, {request{"a", "*"}, "", false},
	} {
		if got := test.r.satisfied(test.version); got != test.want {
			t.Errorf("%v satisfied by %q: %v", test.r, test.version, got)
		}
	}
}

func TestBrought(t *testing.T) {
	before := []entry{{"a", "amd64", "1", installed}, {"b", "amd64", "1", configOnly}, {"c", "amd64", "1", installed}}
	after := []entry{{"a", "amd64", "2", installed}, {"b", "amd64", "1", installed}, {"a", "i386", "2", installed}, {"d", "all", "1", configOnly}}
	if got := brought(before, after); len(got) != 2 || got[0].Name != "b" || got[1].key() != "a:i386" {
		t.Errorf("brought: %v", got)
	}
	if got := upgraded(before, after); len(got) != 1 || got[0].key() != "a:amd64" {
		t.Errorf("upgraded: %v", got)
	}
	d := database{entries: append(after, entry{"dpkg", "amd64", "1", installed})}
	if got := d.namesOf(&apt, after); strings.Join(got, " ") != "a b a:i386 d" {
		t.Errorf("names: %q", got)
	}
	if got := d.namesOf(&dnf, []entry{{"glibc", "i686", "1", installed}}); got[0] != "glibc.i686" {
		t.Errorf("names: %q", got)
	}
}

func TestCommands(t *testing.T) {
	o := installOptions{requests: []request{{"git", ""}, {"jq", "1.6"}}, recommends: false, wait: 90e9}
	tests := []struct {
		m    *manager
		want string
	}{
		{&apt, "/usr/bin/apt-get --yes --quiet -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=90 --no-remove -o Dpkg::Options::=--force-confdef " +
			"-o Dpkg::Options::=--force-confold -o APT::Status-Fd=3 --no-install-recommends install -- git jq=1.6"},
		{&dnf, "/usr/bin/dnf --assumeyes --setopt=install_weak_deps=False install git jq-1.6"},
		{&yum, "/usr/bin/yum --assumeyes install git jq-1.6"},
		{&zypper, "/usr/bin/zypper --non-interactive install --no-recommends -- git jq=1.6"},
		{&apk, "/sbin/apk --no-progress --wait 90 add -- git jq=1.6"},
	}
	for _, test := range tests {
		o.pin = test.m.pin
		if got := strings.Join(test.m.install(o), " "); got != test.want {
			t.Errorf("%s: got %q", test.m.name, got)
		}
	}
}

// FuzzStanzas reads databases.
func FuzzStanzas(f *testing.F) {
	f.Add("Package: a\nStatus: install ok installed\nVersion: 1\nProvides: b (= 1), c\n\nP:x\nV:1\np:so:y=1\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, parse := range []func() (database, error){
			func() (database, error) { return parseDpkgStatus(strings.NewReader(text)) },
			func() (database, error) { return parseApkInstalled(strings.NewReader(text)) },
			func() (database, error) { return parseRpmPackages(text), nil },
		} {
			d, _ := parse()
			for _, e := range d.entries {
				if e.Name == "" || strings.ContainsRune(e.Name, '\n') {
					t.Errorf("got a package %q", e.Name)
				}
			}
		}
	})
}

// FuzzOutput reads what managers print.
func FuzzOutput(f *testing.F) {
	f.Add("Inst a [1] (2 x [y])\nRemv b\n  Candidate: 3\npmstatus:a:1:b\n", "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		for _, s := range parseSimulation(text) {
			if s.name == "" || strings.ContainsRune(s.String(), '\n') {
				t.Errorf("got a step %q", s)
			}
		}
		for _, m := range managers {
			if v := m.parseAvailable(text, name); strings.ContainsAny(v, "\n") {
				t.Errorf("%s: got the version %q", m.name, v)
			}
		}
		if percent, _, ok := parseStatusLine(text); ok && (percent < 0 || percent > 100 || math.IsNaN(percent)) {
			t.Errorf("got %v %%", percent)
		}
	})
}
