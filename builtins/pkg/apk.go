package pkg

import (
	"context"
	"strconv"
	"strings"
	"time"
)

const (
	apkProgram  = "/sbin/apk"
	apkDatabase = "/lib/apk/db/installed"
)

var apk = manager{
	name: "apk", program: apkProgram, removal: "apk del --purge", env: map[string]string{"LC_ALL": "C", "PATH": programPath},
	database: func(_ context.Context, l looker) (database, error) {
		return l.parseFile(apkDatabase, parseApkInstalled)
	},
	available:      func(name string) []string { return []string{apkProgram, "--no-network", "policy", name} },
	parseAvailable: parseApkPolicy,
	update:         func(wait time.Duration) []string { return append(apkWait(wait), "update") },
	install: func(o installOptions) []string {
		return append(append(apkWait(o.wait), "add", "--"), o.names()...)
	},
	remove: func(names []string, purge bool, wait time.Duration) []string {
		argv := append(apkWait(wait), "del")
		if purge {
			argv = append(argv, "--purge")
		}
		return append(append(argv, "--"), names...)
	},
	simulateRemove: func(names []string, _ bool) []string {
		return append([]string{apkProgram, "--no-network", "--simulate", "del", "--"}, names...)
	},
	pin:     func(name, version string) string { return name + "=" + version },
	locks:   []string{"/lib/apk/db/lock"},
	sources: []string{"/etc/apk/repositories"},
	lists:   []string{"/var/cache/apk/APKINDEX.*.tar.gz"},
}

func apkWait(wait time.Duration) []string {
	return []string{apkProgram, "--no-progress", "--wait", strconv.Itoa(max(1, int(wait.Seconds())))}
}

// parseApkPolicy reads the version from what `apk policy` prints:
//
//	git policy:
//	  2.45.2-r0:
//	    https://dl-cdn.alpinelinux.org/alpine/v3.20/main
func parseApkPolicy(output, name string) string {
	lines := strings.Split(output, "\n")
	for i, line := range lines[:max(0, len(lines)-1)] {
		if strings.TrimSpace(line) == name+" policy:" {
			return strings.TrimSuffix(strings.TrimSpace(lines[i+1]), ":")
		}
	}
	return ""
}
