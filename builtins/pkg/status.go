package pkg

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// maxField is how long a line of a database may be, in bytes.
const maxField = 4 << 20

// stanzas reads a text of paragraphs of "Field: value" lines, in which a line that begins with a space belongs to the one
// before, and calls fn with the fields of each. Only those that are wanted are kept.
func stanzas(r io.Reader, wanted []string, fn func(map[string]string)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxField)
	fields := map[string]string{}
	end := func() {
		if len(fields) > 0 {
			fn(fields)
			fields = map[string]string{}
		}
	}
	field := "" // the one that is being read; "" if it is not wanted
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.TrimSpace(line) == "":
			end()
			field = ""
		case line[0] == ' ' || line[0] == '\t':
			if field != "" {
				fields[field] += "\n" + strings.TrimSpace(line)
			}
		default:
			name, value, ok := strings.Cut(line, ":")
			field = ""
			for _, w := range wanted {
				if ok && w == name {
					field = w
					fields[w] = strings.TrimSpace(value)
				}
			}
		}
	}
	end()
	if err := lines.Err(); err != nil {
		return fmt.Errorf("a line has more than %d bytes, or cannot be read: %w", maxField, err)
	}
	return nil
}

// The database of dpkg: a file, and beside it files of what has changed since that was written. These are only there while
// dpkg works, or when it was killed.
const (
	dpkgStatus  = "/var/lib/dpkg/status"
	dpkgUpdates = "/var/lib/dpkg/updates"
)

// dpkgDatabase reads the database of dpkg as it is at this moment.
func dpkgDatabase(l looker) (database, error) {
	d, err := l.parseFile(dpkgStatus, parseDpkgStatus)
	if err == nil && len(d.entries) == 0 {
		err = fmt.Errorf("read %s: there is no package in it", dpkgStatus)
	}
	if err != nil {
		return d, err
	}
	names, err := l.names(dpkgUpdates)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d, err
	}
	for _, name := range names {
		if strings.Trim(name, "0123456789") != "" {
			continue // being written
		}
		update, err := l.parseFile(dpkgUpdates+"/"+name, parseDpkgStatus)
		if errors.Is(err, fs.ErrNotExist) {
			continue // dpkg goes on meanwhile
		} else if err != nil {
			return d, err
		}
		d = d.updated(update)
	}
	d.interrupted = len(names) > 0 || slices.ContainsFunc(d.entries, func(e entry) bool { return e.Condition == broken })
	return d, nil
}

// parseDpkgStatus reads a file of the database of dpkg.
func parseDpkgStatus(r io.Reader) (database, error) {
	d := database{provides: map[string]string{}}
	err := stanzas(r, []string{"Package", "Status", "Architecture", "Version", "Provides"}, func(f map[string]string) {
		e := entry{Name: word(f["Package"]), Arch: word(f["Architecture"]), Version: word(f["Version"])}
		switch status := strings.Fields(f["Status"]); {
		case e.Name == "" || len(status) != 3:
			return
		case status[2] == "installed" || strings.HasPrefix(status[2], "triggers-"):
			e.Condition = installed
			for _, p := range splitProvides(f["Provides"]) {
				d.provides[p] = e.Version
			}
		case status[2] == "config-files":
			e.Condition = configOnly
		case status[2] == "not-installed":
			e.Condition = absent
		default:
			e.Condition = broken // to be installed again
		}
		d.entries = append(d.entries, e)
	})
	return d, err
}

// word returns a value that is a single word, "" for any other.
func word(value string) string {
	if f := strings.Fields(value); len(f) == 1 {
		return f[0]
	}
	return ""
}

// splitProvides reads "mail-transport-agent, foo (= 1.2)".
func splitProvides(text string) []string {
	var names []string
	for part := range strings.SplitSeq(text, ",") {
		if f := strings.Fields(part); len(f) > 0 {
			names = append(names, f[0])
		}
	}
	return names
}

// parseApkInstalled reads the database of apk, /lib/apk/db/installed: lines of a letter, a colon and a value.
func parseApkInstalled(r io.Reader) (database, error) {
	d := database{provides: map[string]string{}}
	err := stanzas(r, []string{"P", "V", "A", "p"}, func(f map[string]string) {
		e := entry{Name: word(f["P"]), Version: word(f["V"]), Arch: word(f["A"]), Condition: installed}
		if e.Name == "" {
			return
		}
		d.entries = append(d.entries, e)
		for p := range strings.FieldsSeq(f["p"]) {
			name, _, _ := strings.Cut(p, "=")
			d.provides[name] = e.Version
		}
	})
	return d, err
}
