package systemd

import (
	"path/filepath"
	"slices"
	"strings"
)

// install is the section [Install] of a unit: which links enabling it makes.
type install struct {
	WantedBy, RequiredBy, UpheldBy []string
	Alias, Also                    []string
	Default                        string // the instance of a template that is enabled
}

// none reports whether there is nothing to enable.
func (i install) none() bool {
	return len(i.WantedBy)+len(i.RequiredBy)+len(i.UpheldBy)+len(i.Alias)+len(i.Also) == 0
}

// parseInstall reads the section [Install] of the text of a unit. What it does not understand is passed over: systemd is
// what judges the file.
func parseInstall(text string) install {
	var found install
	lists := map[string]*[]string{
		"WantedBy": &found.WantedBy, "RequiredBy": &found.RequiredBy, "UpheldBy": &found.UpheldBy,
		"Alias": &found.Alias, "Also": &found.Also,
	}
	section := ""
	for _, line := range logicalLines(text) {
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if section != "[Install]" || !ok {
			continue
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if list := lists[key]; list != nil && value == "" {
			*list = nil // an empty value takes back what was said before
		} else if list != nil {
			*list = append(*list, strings.Fields(value)...)
		} else if key == "DefaultInstance" {
			found.Default = value
		}
	}
	return found
}

// logicalLines returns the lines of a unit without comments and empty ones; one that ends with a backslash goes on in the
// next.
func logicalLines(text string) []string {
	var lines []string
	open := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue // also between the parts of a line that goes on
		}
		if part, goesOn := strings.CutSuffix(line, `\`); goesOn {
			open += part + " "
			continue
		}
		if line = strings.TrimSpace(open + line); line != "" {
			lines = append(lines, line)
		}
		open = ""
	}
	if open = strings.TrimSpace(open); open != "" {
		lines = append(lines, open)
	}
	return lines
}

// links lists the links that enabling a unit makes. Those whose names systemd has yet to fill in (%i) are left out.
func (i install) links(unit string) []string {
	name := unit
	if isTemplate(unit) {
		if i.Default == "" {
			return nil
		}
		name = strings.Replace(unit, "@", "@"+i.Default, 1)
	}
	var paths []string
	for kind, units := range map[string][]string{".wants": i.WantedBy, ".requires": i.RequiredBy, ".upholds": i.UpheldBy} {
		for _, u := range units {
			paths = append(paths, filepath.Join(unitDir, u+kind, name))
		}
	}
	for _, alias := range i.Alias {
		paths = append(paths, filepath.Join(unitDir, alias))
	}
	paths = slices.DeleteFunc(paths, func(p string) bool { return strings.Contains(p, "%") || p == filepath.Join(unitDir, unit) })
	slices.Sort(paths)
	return slices.Compact(paths)
}
