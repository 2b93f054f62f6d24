package pkg

import (
	"context"
	"strconv"
	"time"
)

// looking are the options with which a command that looks does only that: even then apt would write a log, and caches of
// what it works out.
var looking = []string{
	"-o", "Dir::Log::Planner=/dev/null", "-o", "Dir::Log::Solver=/dev/null", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
}

// statusFile has apt tell its progress on a file of its own: it closes that to dpkg, and so to what packages run, which
// without standard output would fail.
const statusFile = "APT::Status-Fd=3"

var apt = manager{
	name:    "apt",
	program: "/usr/bin/apt-get",
	removal: "apt-get purge",
	env: map[string]string{
		"DEBIAN_FRONTEND": "noninteractive", "DEBCONF_NONINTERACTIVE_SEEN": "true", "APT_LISTCHANGES_FRONTEND": "none",
		// Services that run are restarted by the recipe, if it wants that, and not on the side.
		"NEEDRESTART_MODE": "l", "NEEDRESTART_SUSPEND": "1",
		"LC_ALL": "C.UTF-8", "LANGUAGE": "C", "PATH": programPath,
	},
	database: func(_ context.Context, l looker) (database, error) { return dpkgDatabase(l) },
	available: func(name string) []string {
		return append(append([]string{"/usr/bin/apt-cache"}, looking...), "policy", "--", name)
	},
	parseAvailable: func(output, _ string) string { return parsePolicy(output) },
	simulate: func(o installOptions) []string {
		argv := append([]string{"/usr/bin/apt-get", "--simulate", "--no-remove"}, looking...)
		return append(recommends(argv, o.recommends), append([]string{"install", "--"}, o.names()...)...)
	},
	update: func(wait time.Duration) []string {
		// A source that fails is an error, not a remark among others.
		return append(aptGet(wait), "-o", "APT::Update::Error-Mode=any", "update")
	},
	install: func(o installOptions) []string {
		argv := append(aptGet(o.wait), "--no-remove", "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold",
			"-o", statusFile)
		return append(recommends(argv, o.recommends), append([]string{"install", "--"}, o.names()...)...)
	},
	remove: func(names []string, purge bool, wait time.Duration) []string {
		// What was broken off half way would otherwise first have to be installed again.
		argv := append(aptGet(wait), "-o", "Dpkg::Options::=--force-remove-reinstreq", "-o", statusFile, removeWord(purge), "--")
		return append(argv, names...)
	},
	simulateRemove: func(names []string, purge bool) []string {
		argv := append([]string{"/usr/bin/apt-get", "--simulate"}, looking...)
		return append(append(argv, removeWord(purge), "--"), names...)
	},
	repair:   []string{"/usr/bin/dpkg", "--force-confdef", "--force-confold", "--configure", "--pending"},
	archMark: ":",
	pin:      func(name, version string) string { return name + "=" + version },
	progress: parseStatusLine,

	elsewhere: aptElsewhere,
	locks: []string{
		"/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock",
	},
	sources: []string{"/etc/apt/sources.list", "/etc/apt/sources.list.d/*.list", "/etc/apt/sources.list.d/*.sources"},
	lists:   []string{"/var/lib/apt/lists/*Release"},
}

// aptGet is the beginning of a command that changes something. The lock may be taken in the moment after it was seen free,
// so apt waits as well.
func aptGet(wait time.Duration) []string {
	return []string{
		"/usr/bin/apt-get", "--yes", "--quiet", "-o", "Dpkg::Use-Pty=0",
		"-o", "DPkg::Lock::Timeout=" + strconv.Itoa(max(1, int(wait.Seconds()))),
	}
}

func recommends(argv []string, wanted bool) []string {
	if wanted {
		return append(argv, "--install-recommends")
	}
	return append(argv, "--no-install-recommends")
}

func removeWord(purge bool) string {
	if purge {
		return "purge"
	}
	return "remove"
}
