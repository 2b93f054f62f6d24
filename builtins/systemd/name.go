package systemd

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/infrarun/infrarun/runtime/policy"
)

// unitDir is where the units of this machine's administrator are. What is elsewhere belongs to packages or to systemd.
const unitDir = "/etc/systemd/system"

// kinds are the ends of the names of units.
var kinds = []string{
	".service", ".socket", ".target", ".timer", ".path", ".mount", ".automount", ".swap", ".slice", ".scope", ".device",
}

const (
	maxName   = 255
	nameChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@"
)

// unitName returns the whole name of a unit: as for systemctl, "nginx" is nginx.service.
func unitName(text string) (string, error) {
	name := text
	if !slices.Contains(kinds, filepath.Ext(name)) {
		name += ".service"
	}
	switch stem := strings.TrimSuffix(name, filepath.Ext(name)); {
	case text == "":
		return "", fmt.Errorf("the name of the unit is empty")
	case strings.Contains(text, "/"):
		return "", fmt.Errorf("%q is a path: a unit is named without its directory, as in %q", text, filepath.Base(text))
	case strings.Trim(name, nameChars) != "" || stem == "" || strings.HasPrefix(stem, "@") || strings.Count(stem, "@") > 1:
		return "", fmt.Errorf("%q is no name of a unit: it has letters, digits and : - _ . \\, and at most one @", text)
	case len(name) > maxName:
		return "", fmt.Errorf("the name of the unit has %d bytes, and may have %d", len(name), maxName)
	}
	return name, nil
}

// runnable is unitName for a unit that can run: a template such as app@.service cannot.
func runnable(text string) (string, error) {
	name, err := unitName(text)
	if err == nil && isTemplate(name) {
		stem, kind, _ := strings.Cut(name, "@")
		return "", fmt.Errorf("%s is a template: name an instance of it, such as %s@1%s", name, stem, kind)
	}
	return name, err
}

// isTemplate reports whether units are made from this one by putting something between @ and the dot.
func isTemplate(name string) bool {
	return strings.HasSuffix(strings.TrimSuffix(name, filepath.Ext(name)), "@")
}

// templateOf returns the template of an instance, "" for a unit that is none.
func templateOf(name string) string {
	kind := filepath.Ext(name)
	stem, instance, ok := strings.Cut(strings.TrimSuffix(name, kind), "@")
	if !ok || instance == "" {
		return ""
	}
	return stem + "@" + kind
}

// unitPath returns the file of a unit, or of a part of it (a drop-in), of this machine's administrator.
func unitPath(unit, dropIn string) string {
	if dropIn == "" {
		return filepath.Join(unitDir, unit)
	}
	return filepath.Join(unitDir, unit+".d", dropIn+".conf")
}

// dropInName checks the name of a drop-in and returns it without its end.
func dropInName(text string) (string, error) {
	name := strings.TrimSuffix(text, ".conf")
	if text != "" && (name == "" || strings.Trim(name, nameChars) != "" || name[0] == '.') {
		return "", fmt.Errorf("%q is no name of a drop-in, such as \"10-limits\"", text)
	}
	return name, nil
}

// need is the permission that a unit takes.
func need(unit string) policy.Need { return policy.Need{Kind: "systemd", Target: unit} }
