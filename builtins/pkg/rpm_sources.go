package pkg

import (
	"net/url"
	"strings"
)

// knownPlaces are where distributions keep their packages: how an address begins after its scheme, and what a mirror calls
// what is there. In files of repositories they often stand in a comment, since a list of mirrors is asked instead.
var knownPlaces = []struct{ place, archive string }{
	{"mirror.centos.org/$contentdir", "centos"},
	{"mirror.centos.org/centos", "centos"},
	{"mirror.stream.centos.org", "centos-stream"},
	{"vault.centos.org/centos", "centos-vault/centos"},
	{"vault.centos.org", "centos-vault"},
	{"dl.rockylinux.org/$contentdir", "rocky"},
	{"repo.almalinux.org/almalinux", "almalinux"},
	{"download.example/pub/fedora/linux", "fedora"},
	{"download.fedoraproject.org/pub/fedora/linux", "fedora"},
	{"download.example/pub/epel", "epel"},
	{"download.fedoraproject.org/pub/epel", "epel"},
	{"download.opensuse.org", "opensuse"},
	{"dl-cdn.alpinelinux.org/alpine", "alpine"},
}

// ofKnown returns the address that takes the place of one of a known place, and whether it is one or the mirror's already.
func (m mirrorOf) ofKnown(uri string) (string, bool) {
	if next, ok := m.replaced(uri); ok {
		return next, true
	}
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok || scheme != "http" && scheme != "https" {
		return uri, false
	}
	for _, known := range knownPlaces {
		if _, mine := cutPath(uri, m.base+"/"+known.archive); mine {
			return uri, true
		}
		if below, ok := cutPath(rest, known.place); ok {
			return m.base + "/" + known.archive + below, true
		}
	}
	return uri, false
}

// rewriteRepo is for the sections of files of repositories. One whose address is replaced no longer asks a list of
// mirrors.
func (m mirrorOf) rewriteRepo(text string) (string, int) {
	var b strings.Builder
	found := 0
	for _, section := range splitSections(text) {
		next, n := m.rewriteSection(section)
		found += n
		b.WriteString(next)
	}
	return b.String(), found
}

func (m mirrorOf) rewriteSection(section string) (string, int) {
	var b strings.Builder
	found := 0
	for line := range strings.Lines(section) {
		uri := baseURL(line)
		if next, ok := m.ofKnown(uri); ok {
			found++
			line = "baseurl=" + next + line[len(strings.TrimRight(line, "\r\n")):]
		}
		b.WriteString(line)
	}
	if found == 0 {
		return section, 0
	}
	out := b.String()
	b.Reset()
	for line := range strings.Lines(out) {
		if name, _, ok := strings.Cut(line, "="); ok && (strings.TrimSpace(name) == "mirrorlist" || strings.TrimSpace(name) == "metalink") {
			line = "#" + line
		}
		b.WriteString(line)
	}
	return b.String(), found
}

// baseURL returns the address of a line like baseurl=… or #baseurl=…, "" for any other line.
func baseURL(line string) string {
	name, value, ok := strings.Cut(strings.TrimLeft(line, "# \t"), "=")
	if !ok || strings.TrimSpace(name) != "baseurl" {
		return ""
	}
	uri := strings.TrimSpace(value)
	if _, err := url.Parse(uri); err != nil {
		return ""
	}
	return uri
}

// splitSections cuts a text before each line that begins a section.
func splitSections(text string) []string {
	var out []string
	start, at := 0, 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "[") && at > start {
			out = append(out, text[start:at])
			start = at
		}
		at += len(line)
	}
	return append(out, text[start:])
}

// rewriteApk is for apk: an address a line, perhaps with a tag before it.
func (m mirrorOf) rewriteApk(text string) (string, int) {
	var b strings.Builder
	found := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			for _, field := range strings.Fields(line) {
				if next, ok := m.ofKnown(field); ok {
					found++
					line = replaceField(line, field, next)
				}
			}
		}
		b.WriteString(line)
	}
	return b.String(), found
}
