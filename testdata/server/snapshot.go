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
find / -xdev "$@" -printf '%y %m %u:%g %l\n%D:%i:%s:%T@:%C@\n%p\0'
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

// Snapshot looks at everything on the server but what lies below some directories. It takes some seconds; another one of
// the same server is quicker, since a file is only read again if its inode has changed.
func (s *Server) Snapshot(but ...string) Snapshot {
	s.t.Helper()
	script := []string{"sh", "-c", snapshotScript, "sh"}
	for _, dir := range but {
		script = append(script, "-path", dir, "-prune", "-o")
	}
	parts := strings.Split(s.Must(script...), partSeparator)
	if len(parts) != 6 {
		s.t.Fatalf("the snapshot has %d parts, want 6", len(parts))
	}
	snap := s.files(parts[0])
	for i, kind := range []string{"package", "user", "group", "unit", "unit file"} {
		for line := range strings.Lines(parts[1+i]) {
			if name, what, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
				snap[kind+" "+name] = what
			}
		}
	}
	return snap
}

// files reads the list of files, and those of which the content is not known yet.
func (s *Server) files(list string) Snapshot {
	s.t.Helper()
	snap := Snapshot{}
	inodes := map[string]string{} // of the regular files, by path
	var unread strings.Builder
	for record := range strings.SplitSeq(list, "\x00") {
		f := strings.SplitN(strings.TrimPrefix(record, "\n"), "\n", 3)
		if len(f) != 3 {
			continue
		}
		meta, inode, name := strings.TrimSpace(f[0]), f[1], f[2]
		snap["file "+name] = meta
		if strings.HasPrefix(meta, "f ") {
			inodes[name] = inode
			if _, known := s.sums[inode]; !known {
				unread.WriteString(name + "\x00")
			}
		}
	}
	if s.sums == nil {
		s.sums = map[string]string{}
	}
	sums := s.ExecInput(unread.String(), "xargs", "-0", "-r", "sha256sum", "-z", "--")
	for record := range strings.SplitSeq(sums.Stdout, "\x00") {
		if sum, name, ok := strings.Cut(record, "  "); ok {
			s.sums[inodes[name]] = sum
		}
	}
	for name, inode := range inodes {
		snap["file "+name] += " " + s.sums[inode]
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
