package pkg

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// condition is how far a package is installed.
type condition string

const (
	installed  condition = "installed"
	configOnly condition = "config" // removed, but its configuration is left
	broken     condition = "broken" // an installation or removal was broken off
	absent     condition = "absent" // it was there once
)

// entry is a package in the manager's database.
type entry struct {
	Name      string    `json:"name"`
	Arch      string    `json:"arch,omitempty"`
	Version   string    `json:"version"`
	Condition condition `json:"condition"`
}

// key identifies a package: the same one may be installed for several architectures.
func (e entry) key() string { return e.Name + ":" + e.Arch }

// database is what is installed.
type database struct {
	entries     []entry
	provides    map[string]string // a name that an installed package stands for, with that package's version
	interrupted bool              // the manager was broken off at its work, and wants that finished first
}

// updated returns a database with newer entries for some of its packages.
func (d database) updated(newer database) database {
	next := database{provides: maps.Clone(d.provides)}
	maps.Copy(next.provides, newer.provides)
	for _, e := range d.entries {
		if !slices.ContainsFunc(newer.entries, func(n entry) bool { return n.key() == e.key() }) {
			next.entries = append(next.entries, e)
		}
	}
	next.entries = append(next.entries, newer.entries...)
	return next
}

// version returns the version in which a package is installed, or in which another one that stands for it is; "" if there
// is none.
func (d database) version(name string) string {
	plain, arch, _ := strings.Cut(name, ":")
	for _, e := range d.entries {
		if e.Name == plain && e.Condition == installed && (arch == "" || e.Arch == arch) {
			return e.Version
		}
	}
	return d.provides[name]
}

// missing returns those that are not installed as they are asked for.
func (d database) missing(requests []request) []request {
	return slices.DeleteFunc(slices.Clone(requests), func(r request) bool { return r.satisfied(d.version(r.name)) })
}

// satisfied reports whether a package in this version, "" for none, is what is asked for. What a preview would install
// in a version that it does not know is taken for it.
func (r request) satisfied(version string) bool {
	if version == "" || r.version == "" || version == unknownVersion {
		return version != ""
	}
	ok, err := path.Match(r.version, version)
	return ok && err == nil
}

// brought returns the packages that were not there before and are now, as a whole or in part.
func brought(before, after []entry) []entry {
	was := map[string]bool{}
	for _, e := range before {
		was[e.key()] = e.there()
	}
	return slices.DeleteFunc(slices.Clone(after), func(e entry) bool { return !e.there() || was[e.key()] })
}

// there reports whether there is more of a package than its configuration.
func (e entry) there() bool { return e.Condition == installed || e.Condition == broken }

// upgraded returns the packages that are installed in another version than before.
func upgraded(before, after []entry) []entry {
	was := map[string]string{}
	for _, e := range before {
		if e.Condition == installed {
			was[e.key()] = e.Version
		}
	}
	return slices.DeleteFunc(slices.Clone(after), func(e entry) bool {
		old, there := was[e.key()]
		return e.Condition != installed || !there || old == e.Version
	})
}

func entryNames(entries []entry) []string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// namesOf names packages so that each is meant in its architecture.
func (d database) namesOf(m *manager, entries []entry) []string {
	native := ""
	for _, e := range d.entries {
		if e.Name == "dpkg" {
			native = e.Arch
		}
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		switch {
		case m.archMark == "" || e.Arch == "" || e.Arch == "all" || e.Arch == native:
			names[i] = e.Name
		default:
			names[i] = e.Name + m.archMark + e.Arch
		}
	}
	return names
}
