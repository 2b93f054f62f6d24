package server

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// Snapshot is everything that can be told about a server, from what it is to how it is:
//
//	"file /etc/hosts"       "f 644 root:root 3f5a…"    kind, mode, owner, SHA-256
//	"file /bin"             "l 777 root:root usr/bin"  of a link, its target
//	"package git"           "1:2.39.5-0+deb12u2 install ok installed"
//	"user root"             "x:0:0:root:/root:/bin/bash"
//	"group adm"             "x:4:"
//	"unit dbus.service"     "loaded active running"
//	"unit file dbus.service"  "static"
//
// Times do not count. Of /run, /proc, /sys and /dev there is nothing in it.
type Snapshot map[string]string

// Volatile are what differs from moment to moment on a server on which nothing is changed, for [Diff].
var Volatile = []string{
	"file /var/log/journal", "file /var/log/wtmp", "file /var/log/lastlog", "file /var/lib/systemd/random-seed",
	"file /tmp/systemd-private-*", "file /var/tmp/systemd-private-*", "file /etc/.updated", "file /var/.updated",
	"unit session-*.scope", "unit systemd-hostnamed.service", "unit systemd-timedated.service",
}

// The parts of a snapshot are separated by a line; within files records end with a NUL, since a name may hold a newline.
const (
	partSeparator  = "\n=====\n"
	snapshotScript = `export LC_ALL=C
find / -xdev -printf '%y %m %u:%g %l\n%p\0'
printf '\n=====\n'
find / -xdev -type f -print0 | xargs -0 -r sha256sum -z --
printf '\n=====\n'
dpkg-query -W -f '${Package}\t${Version} ${Status}\n'
printf '\n=====\n'
getent passwd | sed 's/:/\t/'
printf '\n=====\n'
getent group | sed 's/:/\t/'
printf '\n=====\n'
systemctl list-units --all --plain --no-legend --no-pager | awk '{ print $1 "\t" $2 " " $3 " " $4 }'
printf '\n=====\n'
systemctl list-unit-files --plain --no-legend --no-pager | awk '{ print $1 "\t" $2 }'`
)

// Snapshot looks at everything on the server. It takes some seconds.
func (s *Server) Snapshot() Snapshot {
	s.t.Helper()
	parts := strings.Split(s.Must("sh", "-c", snapshotScript), partSeparator)
	if len(parts) != 7 {
		s.t.Fatalf("the snapshot has %d parts, want 7", len(parts))
	}
	snap := Snapshot{}
	for record := range strings.SplitSeq(parts[0], "\x00") {
		if meta, name, ok := strings.Cut(record, "\n"); ok {
			snap["file "+name] = strings.TrimSpace(meta)
		}
	}
	for record := range strings.SplitSeq(parts[1], "\x00") {
		if sum, name, ok := strings.Cut(record, "  "); ok {
			snap["file "+name] += " " + sum
		}
	}
	for i, kind := range []string{"package", "user", "group", "unit", "unit file"} {
		for line := range strings.Lines(parts[2+i]) {
			if name, what, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
				snap[kind+" "+name] = what
			}
		}
	}
	return snap
}

// Diff says how a server differs from before: a line for what is new (+), gone (-) or different (~). What a pattern of
// [path.Match] in ignore matches does not count, nor what lies below it.
func Diff(before, after Snapshot, ignore ...string) []string {
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(before)) {
		now, there := after[key]
		switch {
		case ignored(key, ignore):
		case !there:
			lines = append(lines, "- "+key+": "+before[key])
		case now != before[key]:
			lines = append(lines, "~ "+key+": "+before[key]+" -> "+now)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if _, there := before[key]; !there && !ignored(key, ignore) {
			lines = append(lines, "+ "+key+": "+after[key])
		}
	}
	return lines
}

func ignored(key string, patterns []string) bool {
	for at := key; ; {
		for _, p := range patterns {
			if ok, err := path.Match(p, at); ok || err != nil {
				return err == nil
			}
		}
		slash := strings.LastIndexByte(at, '/')
		if slash < 0 {
			return false
		}
		at = at[:slash]
	}
}

// Same stops the test unless a server is what it was before, but for what is volatile and what is to be ignored.
func Same(t testing.TB, before, after Snapshot, ignore ...string) {
	t.Helper()
	if lines := Diff(before, after, append(slices.Clone(Volatile), ignore...)...); len(lines) > 0 {
		t.Fatalf("the server is not what it was:\n%s", strings.Join(lines, "\n"))
	}
}
