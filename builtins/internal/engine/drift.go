package engine

import (
	"slices"
	"strings"
)

// Drift lists what differs between what a change has left and what there is now, both by name: what is gone, new, or, as
// changed puts it, another one.
func Drift(what, changed string, after, now map[string]string) string {
	var lost []string
	for name, is := range after {
		switch {
		case now[name] == "":
			lost = append(lost, what+" "+name+" is gone")
		case now[name] != is:
			lost = append(lost, what+" "+name+" "+changed)
		}
	}
	for name := range now {
		if after[name] == "" {
			lost = append(lost, what+" "+name+" is new")
		}
	}
	slices.Sort(lost)
	return strings.Join(lost, ", ")
}
