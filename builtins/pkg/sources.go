package pkg

import (
	"net/url"
	"path"
	"slices"
	"strings"
)

// mirrorOf says which addresses a mirror stands for.
type mirrorOf struct {
	base   string            // without a slash at its end
	others map[string]string // how further addresses begin, and what takes the place of that
}

// rewrite replaces addresses in a file of sources. It returns the new text, and how many addresses the mirror stands for,
// those that are the mirror's already among them.
func (m mirrorOf) rewrite(file, text string) (after string, found int) {
	switch {
	case strings.HasSuffix(file, ".sources"):
		return m.rewriteStanzas(text)
	case strings.HasSuffix(file, ".list"):
		return m.rewriteLines(text)
	case strings.HasSuffix(file, ".repo"):
		return m.rewriteRepo(text)
	}
	return m.rewriteApk(text)
}

// replaced returns an address by which another one is replaced because it begins as one that was named, and whether it
// does, or is the result of that already.
func (m mirrorOf) replaced(uri string) (string, bool) {
	for from, to := range m.others {
		if rest, ok := cutPath(uri, strings.TrimSuffix(to, "/")); ok {
			return strings.TrimSuffix(to, "/") + rest, true
		}
		if rest, ok := cutPath(uri, strings.TrimSuffix(from, "/")); ok {
			return strings.TrimSuffix(to, "/") + rest, true
		}
	}
	return uri, false
}

// cutPath cuts the beginning of an address off, at the end of a component.
func cutPath(uri, prefix string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(uri, prefix)
	return rest, ok && (rest == "" || rest[0] == '/')
}

// archives are the archives of the distributions of apt, as the last part of an address.
var archives = []string{"debian", "debian-security", "ubuntu", "ubuntu-ports"}

// ofApt returns the address that takes the place of one of apt's, and whether it is one of the distribution. Those of
// others often end in the distribution's name, too, but do not have its component main.
func (m mirrorOf) ofApt(uri string, components []string) (string, bool) {
	if next, ok := m.replaced(uri); ok {
		return next, true
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !slices.Contains(components, "main") {
		return uri, false
	}
	archive := path.Base(u.Path)
	if u.Hostname() == "security.debian.org" && strings.Trim(u.Path, "/") == "" {
		archive = "debian-security"
	}
	if !slices.Contains(archives, archive) {
		return uri, false
	}
	next := m.base + "/" + archive
	if strings.HasSuffix(uri, "/") {
		next += "/"
	}
	return next, true
}

// rewriteLines is for the old form: deb [options] URI suite component…
func (m mirrorOf) rewriteLines(text string) (string, int) {
	var b strings.Builder
	found := 0
	for line := range strings.Lines(text) {
		uri, components := parseDebLine(line)
		if next, ok := m.ofApt(uri, components); uri != "" && ok {
			found++
			line = strings.Replace(line, uri, next, 1)
		}
		b.WriteString(line)
	}
	return b.String(), found
}

// parseDebLine returns the address and the components of a line; "" for any other line.
func parseDebLine(line string) (uri string, components []string) {
	line, _, _ = strings.Cut(line, "#")
	kind, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
	if !ok || kind != "deb" && kind != "deb-src" {
		return "", nil
	}
	if rest = strings.TrimSpace(rest); strings.HasPrefix(rest, "[") {
		if _, rest, ok = strings.Cut(rest, "]"); !ok {
			return "", nil
		}
	}
	if f := strings.Fields(rest); len(f) > 2 {
		return f[0], f[2:]
	}
	return "", nil
}

// rewriteStanzas is for the new form, of paragraphs with the fields URIs and Components.
func (m mirrorOf) rewriteStanzas(text string) (string, int) {
	var b strings.Builder
	found := 0
	for _, stanza := range splitStanzas(text) {
		components := strings.Fields(fieldOf(stanza, "Components"))
		inURIs := false
		for line := range strings.Lines(stanza) {
			switch {
			case strings.HasPrefix(line, "#"):
			case line[0] != ' ' && line[0] != '\t':
				name, _, _ := strings.Cut(line, ":")
				inURIs = strings.EqualFold(strings.TrimSpace(name), "URIs")
			}
			if inURIs && !strings.HasPrefix(line, "#") {
				var n int
				line, n = m.rewriteFields(line, components)
				found += n
			}
			b.WriteString(line)
		}
	}
	return b.String(), found
}

// rewriteFields replaces the addresses in a line of a field.
func (m mirrorOf) rewriteFields(line string, components []string) (string, int) {
	found := 0
	for _, field := range strings.Fields(line) {
		if next, ok := m.ofApt(field, components); ok {
			found++
			line = replaceField(line, field, next)
		}
	}
	return line, found
}

// replaceField replaces the first field of a line that is this one.
func replaceField(line, field, next string) string {
	for at := 0; at+len(field) <= len(line); at++ {
		end := at + len(field)
		startsHere := at == 0 || line[at-1] == ' ' || line[at-1] == '\t'
		endsHere := end == len(line) || strings.ContainsRune(" \t\r\n", rune(line[end]))
		if startsHere && endsHere && line[at:end] == field {
			return line[:at] + next + line[end:]
		}
	}
	return line
}

// splitStanzas cuts a text after each empty line.
func splitStanzas(text string) []string {
	var out []string
	start, at := 0, 0
	for line := range strings.Lines(text) {
		at += len(line)
		if strings.TrimSpace(line) == "" {
			out = append(out, text[start:at])
			start = at
		}
	}
	return append(out, text[start:])
}

// fieldOf returns the value of a field of a paragraph.
func fieldOf(stanza, name string) string {
	value := ""
	_ = stanzas(strings.NewReader(stanza), []string{name}, func(f map[string]string) { value = f[name] })
	return value
}
