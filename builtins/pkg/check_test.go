package pkg

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/child"
)

func TestProblemsOfSources(t *testing.T) {
	for _, test := range []struct {
		name   string
		parse  func(string) []string
		output string
		want   []string
	}{
		{"nothing", parseAptFetch, "Hit:1 http://a.example/debian bookworm InRelease\nReading package lists...\n", nil},
		{"no answer", parseAptFetch, `Err:1 http://a.example/debian bookworm InRelease
  Could not connect to a.example:80 (192.0.2.1). - connect (111: Connection refused)
Reading package lists...
W: Download is performed unsandboxed as root as file 'x' couldn't be accessed by user '_apt'.
E: Failed to fetch http://a.example/debian/dists/bookworm/InRelease  Could not connect
E: Some index files failed to download. They have been ignored, or old ones used instead.
`, []string{"http://a.example/debian bookworm InRelease: Could not connect to a.example:80 (192.0.2.1). - connect (111: Connection refused)"}},
		{"not found, for one that begins in the same way", parseAptFetch, `Ign:1 http://a.example/debian x InRelease
Err:2 http://a.example/debian x Release
  404  Not Found
E: The repository 'http://a.example/debian x Release' does not have a Release file.
E: The repository 'http://a.example/debian-security x Release' is not signed.
`, []string{"http://a.example/debian x Release: 404  Not Found", "The repository 'http://a.example/debian-security x Release' is not signed."}},
		{"tried again", parseAptFetch, "Err:6 http://a.example ./ Packages\n  404\nErr:6 http://a.example ./ Packages\n  404\n",
			[]string{"http://a.example ./ Packages: 404"}},
		{"file", parseAptFetch, "E: Malformed entry 1 in list file /etc/a.list (Suite)\nE: The list of sources could not be read.\n",
			[]string{"Malformed entry 1 in list file /etc/a.list (Suite)"}},
		{"dnf", parseDnfFetch, `Errors during downloading metadata for repository 'app':
  - Curl error (7): Couldn't connect
  - Curl error (7): Couldn't connect again
Error: Failed to download metadata for repo 'app': Cannot download repomd.xml
`, []string{"Failed to download metadata for repo 'app': Cannot download repomd.xml: Curl error (7): Couldn't connect"}},
		{"unknown packages", parseRefusal, "Reading package lists...\nE: Unable to locate package a\nE: Unable to locate package b\n",
			[]string{"Unable to locate package a", "Unable to locate package b"}},
		{"dependencies", parseRefusal, `The following packages have unmet dependencies:
 app : Depends: libapp (>= 2) but it is not installable
       Depends: other but it is not going to be installed

E: Unable to correct problems, you have held broken packages.
`, []string{"app : Depends: libapp (>= 2) but it is not installable", "app : Depends: other but it is not going to be installed"}},
	} {
		if got := test.parse(test.output); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestFilesOfSourcesAreNamed(t *testing.T) {
	const entries = "http://a.example/debian/ x /etc/apt/a.list:1\nhttp://a.example/debian/ x-updates /etc/apt/a list:2\n" +
		"http://a.example/debian-security/ x /etc/apt/b.list:1\n"
	problems := []string{
		"http://a.example/debian-security x Release: 404",
		"http://a.example/debian x-updates InRelease: 404",
		"The repository 'http://a.example/debian x Release' is not signed.",
		"Malformed entry",
	}
	nameFiles(problems, entries)
	want := []string{"source /etc/apt/b.list:1: ", "source /etc/apt/a list:2: ", "source /etc/apt/a.list:1: ", "Malformed entry"}
	for i, p := range problems {
		if !strings.HasPrefix(p, want[i]) {
			t.Errorf("got %q, want it to begin with %q", p, want[i])
		}
	}
}

func TestProblemsAreBrief(t *testing.T) {
	got := brief(append([]string{" a\n\tb ", strings.Repeat("ä", 400)}, make([]string, 20)...))
	if len(got) != maxProblems+1 || got[0] != "a b" || len(got[1]) > maxProblemSize+4 || got[maxProblems] != "and 12 more problems" {
		t.Errorf("got %d: %q", len(got), got)
	}
}

// FuzzProblems reads what managers say about their sources.
func FuzzProblems(f *testing.F) {
	f.Add("Err:1 http://a x InRelease\n  no\nE: The repository 'http://a x' is not signed\nError: a\n  - b\n", "http://a x /etc/a:1\n")
	f.Fuzz(func(t *testing.T, output, entries string) {
		for _, parse := range []func(string) []string{parseAptFetch, parseDnfFetch, parseRefusal} {
			problems := parse(output)
			nameFiles(problems, entries)
			for _, p := range brief(problems) {
				if strings.ContainsAny(p, "\n\r") || len(p) > maxProblemSize+4 {
					t.Errorf("got the problem %q", p)
				}
			}
		}
	})
}

// A manager whose simulation cannot be asked is asked for each package, with the options that say where its lists are.
func TestCandidatesOneByOne(t *testing.T) {
	var asked []string
	answers := map[string]string{"jq": "jq.noarch 1.6-1 test\n", "old": "old.noarch 1-1 test\n"}
	q := inquiry{
		manager: &dnf, options: []string{"--there"}, until: time.Now().Add(time.Minute),
		missing: []request{{"jq", "1.6-*"}, {"old", "2-*"}, {"nosuch", ""}},
		looker: looker{run: func(_ context.Context, s child.Spec) (child.Result, error) {
			asked = append(asked, strings.Join(s.Argv[:2], " "))
			if out := answers[s.Argv[len(s.Argv)-1]]; out != "" {
				return child.Result{Stdout: out}, nil
			}
			return child.Result{Code: 1}, &child.ExitError{Code: 1}
		}},
	}
	var assumed []string
	problems, err := q.candidates(t.Context(), func(_ string, args ...any) { assumed = append(assumed, args[0].(request).String()) })
	if err != nil || !slices.Equal(problems, []string{"no source of packages has nosuch"}) || !slices.Equal(assumed, []string{"old=2-*"}) {
		t.Errorf("problems %q, assumed %q, %v", problems, assumed, err)
	}
	if len(asked) != 3 || asked[0] != "/usr/bin/dnf --there" {
		t.Errorf("asked %q", asked)
	}
}
