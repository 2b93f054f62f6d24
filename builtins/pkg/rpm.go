package pkg

import (
	"context"
	"strings"
	"time"
)

const rpmProgram = "/usr/bin/rpm"

// rpmEnv is the environment of everything that works with rpm.
var rpmEnv = map[string]string{"LC_ALL": "C", "PATH": programPath}

// rpmLocks are the lock of rpm's database, where it is and where it was.
var rpmLocks = []string{"/usr/lib/sysimage/rpm/.rpm.lock", "/var/lib/rpm/.rpm.lock"}

// rpmDatabase asks rpm what is installed: its files can only be read by itself.
func rpmDatabase(ctx context.Context, l looker) (database, error) {
	argv := []string{rpmProgram, "-qa", "--queryformat", `[%{=NAME}\t%{=EVR}\t%{=ARCH}\t%{PROVIDENAME}\n]`}
	out, err := l.ask(ctx, argv, rpmEnv)
	if err != nil {
		return database{}, err
	}
	return parseRpmPackages(out), nil
}

// dnfLike makes a manager of the kind of dnf.
func dnfLike(name string, lists ...string) manager {
	program := "/usr/bin/" + name
	m := manager{
		name: name, program: program, removal: name + " remove", env: rpmEnv, database: rpmDatabase,
		available: func(pkg string) []string {
			// From the lists that are there: a command that looks fetches none.
			return []string{program, "--quiet", "--cacheonly", "list", "--available", pkg}
		},
		parseAvailable: parseDnfList,
		update:         func(time.Duration) []string { return []string{program, "--assumeyes", "makecache"} },
		install: func(o installOptions) []string {
			argv := []string{program, "--assumeyes"}
			if name != "yum" {
				argv = append(argv, "--setopt=install_weak_deps="+pythonBool(o.recommends))
			}
			return append(append(argv, "install"), o.names()...)
		},
		remove:         rpmErase,
		simulateRemove: rpmTestErase,
		archMark:       ".",
		pin:            func(pkg, version string) string { return pkg + "-" + version },
		locks:          rpmLocks, sources: []string{"/etc/yum.repos.d/*.repo"}, lists: lists,
	}
	if name != "yum" { // which has one lock, wherever its caches are
		m.elsewhere = dnfElsewhere
	}
	return m
}

var (
	dnf = dnfLike("dnf", "/var/cache/dnf/*/repodata/repomd.xml", "/var/cache/libdnf5/*/repodata/repomd.xml")
	yum = dnfLike("yum", "/var/cache/yum/*/*/*/repomd.xml", "/var/cache/yum/*/*/*/*/repomd.xml")
)

var zypper = manager{
	name: "zypper", program: "/usr/bin/zypper", removal: "zypper remove", env: rpmEnv, database: rpmDatabase,
	available: func(name string) []string {
		return []string{"/usr/bin/zypper", "--non-interactive", "--no-refresh", "--quiet", "info", name}
	},
	parseAvailable: parseZypperInfo,
	update: func(time.Duration) []string {
		return []string{"/usr/bin/zypper", "--non-interactive", "refresh"}
	},
	install: func(o installOptions) []string {
		argv := recommendsZypper([]string{"/usr/bin/zypper", "--non-interactive", "install"}, o.recommends)
		return append(append(argv, "--"), o.names()...)
	},
	remove:         rpmErase,
	simulateRemove: rpmTestErase,
	archMark:       ".",
	pin:            func(name, version string) string { return name + "=" + version },
	locks:          append([]string{"/run/zypp.pid"}, rpmLocks...),
	sources:        []string{"/etc/zypp/repos.d/*.repo"},
	lists:          []string{"/var/cache/zypp/raw/*/repodata/repomd.xml"},
}

// rpmErase removes packages and nothing else: rpm refuses if others need them.
func rpmErase(names []string, _ bool, _ time.Duration) []string {
	return append([]string{rpmProgram, "--erase", "--"}, names...)
}

func rpmTestErase(names []string, _ bool) []string {
	return append([]string{rpmProgram, "--erase", "--test", "--"}, names...)
}

func recommendsZypper(argv []string, wanted bool) []string {
	if wanted {
		return append(argv, "--recommends")
	}
	return append(argv, "--no-recommends")
}

func pythonBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// parseRpmPackages reads lines of name, version, architecture and a name that the package stands for. A package has as
// many lines as it stands for names.
func parseRpmPackages(output string) database {
	d := database{provides: map[string]string{}}
	known := map[entry]bool{}
	for line := range strings.Lines(output) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 4 || f[0] == "" || f[0] == "gpg-pubkey" {
			continue
		}
		e := entry{Name: f[0], Version: strings.TrimPrefix(f[1], "(none):"), Arch: f[2], Condition: installed}
		if !known[e] {
			known[e] = true
			d.entries = append(d.entries, e)
		}
		d.provides[f[3]] = e.Version
	}
	return d
}

// parseDnfList reads the version from what `dnf list --available` prints: lines of name.arch, version and repository. One
// that is too long goes on in the next line.
func parseDnfList(output, name string) string {
	f := strings.Fields(output)
	for i := 0; i+1 < len(f); i++ {
		if plain, _, ok := cutLast(f[i], "."); ok && plain == name {
			return f[i+1]
		}
	}
	return ""
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// parseZypperInfo reads the version from what `zypper info` prints: "Version        : 2.35.3-150300.10.39.1".
func parseZypperInfo(output, _ string) string {
	for line := range strings.Lines(output) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "Version" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
