package pkg

import (
	"fmt"
	"slices"
	"strings"
)

const (
	maxProblems    = 10
	maxProblemSize = 300 // in bytes
)

// brief makes each problem a line that is not too long, and leaves out those that are too many.
func brief(problems []string) []string {
	var out []string
	for i, p := range problems {
		if i == maxProblems {
			return append(out, fmt.Sprintf("and %d more problems", len(problems)-i))
		}
		p = strings.Join(strings.Fields(strings.ToValidUTF8(p, "?")), " ")
		if len(p) > maxProblemSize {
			p = strings.ToValidUTF8(p[:maxProblemSize], "") + " …"
		}
		out = append(out, p)
	}
	return out
}

// consequences are errors of apt that only say that there were others.
var consequences = []string{"Some index files failed to download", "The list of sources could not be read"}

// parseAptFetch reads what is wrong with sources from what `apt-get update` prints:
//
//	Err:2 http://mirror.example/debian bookworm Release
//	  404  Not Found
//	E: The repository 'http://mirror.example/debian bookworm Release' does not have a Release file.
//	E: Malformed entry 1 in list file /etc/apt/sources.list.d/a.list (Suite)
//
// Of the errors at the end those are left out whose source has an Err line: that says why.
func parseAptFetch(output string) []string {
	var problems, failed []string
	source := "" // in the line before, if that begins with Err
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\r\n")
		reason, indented := strings.CutPrefix(line, "  ")
		if source != "" && indented && !slices.Contains(failed, source) {
			problems = append(problems, source+": "+reason)
			failed = append(failed, source) // each of its files may fail
		}
		source = ""
		if rest, ok := strings.CutPrefix(line, "Err:"); ok {
			if _, what, _ := strings.Cut(rest, " "); strings.TrimSpace(what) != "" {
				source = strings.TrimSpace(what)
			}
		}
		text, ok := strings.CutPrefix(line, "E: ")
		told := func(source string) bool { return names(text, strings.Fields(source)[0]) }
		generic := func(start string) bool { return strings.HasPrefix(text, start) }
		if ok && !slices.ContainsFunc(failed, told) && !slices.ContainsFunc(consequences, generic) {
			problems = append(problems, text)
		}
	}
	return problems
}

// names reports whether a text has an address or something below it, not one that only begins in the same way.
func names(text, uri string) bool {
	_, rest, found := strings.Cut(text, strings.TrimSuffix(uri, "/"))
	return found && (rest == "" || strings.ContainsRune("/ '", rune(rest[0])))
}

// nameFiles adds to each problem the file that says so of its source. Entries are lines of address, suite, and file with line.
func nameFiles(problems []string, entries string) {
	for i, p := range problems {
		for line := range strings.Lines(entries) {
			f := strings.SplitN(strings.TrimSpace(line), " ", 3)
			if len(f) == 3 && names(p, f[0]) && strings.Contains(p, strings.TrimSuffix(f[0], "/")+" "+f[1]+" ") {
				problems[i] = "source " + f[2] + ": " + p
				break
			}
		}
	}
}

// parseDnfFetch reads what is wrong with sources from what `dnf makecache` prints:
//
//	Errors during downloading metadata for repository 'app':
//	  - Curl error (7): Couldn't connect to server for http://mirror.example/repodata/repomd.xml
//	Error: Failed to download metadata for repo 'app': Cannot download repomd.xml
func parseDnfFetch(output string) []string {
	var problems []string
	detail := ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if reason, ok := strings.CutPrefix(line, "- "); ok && detail == "" {
			detail = ": " + reason
		}
		if text, ok := strings.CutPrefix(line, "Error: "); ok {
			problems = append(problems, text+detail)
			detail = ""
		}
	}
	return problems
}

// parseRefusal reads why packages cannot be installed from what `apt-get --simulate install` prints:
//
//	The following packages have unmet dependencies:
//	 app : Depends: libapp (>= 2) but it is not installable
//	E: Unable to correct problems, you have held broken packages.
func parseRefusal(output string) []string {
	var problems, needs []string
	unmet, app := false, "" // of which package the next lines tell
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\r\n")
		unmet = line == "The following packages have unmet dependencies:" || unmet && strings.HasPrefix(line, " ")
		if need := strings.TrimSpace(line); unmet && need != "" && strings.HasPrefix(line, " ") {
			if name, _, ok := strings.Cut(need, " : "); ok {
				app = name
			} else {
				need = app + " : " + need
			}
			needs = append(needs, need)
		}
		if text, ok := strings.CutPrefix(line, "E: "); ok {
			problems = append(problems, text)
		}
	}
	if len(needs) > 0 {
		return needs // the error says no more than that there are some
	}
	return problems
}
