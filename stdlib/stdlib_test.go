package stdlib_test

import (
	"bytes"
	"database/sql"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	_ "modernc.org/sqlite"

	"github.com/infrarun/infrarun/builtins"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/stdlib"
)

var update = flag.Bool("update", false, "write what comes out as the expectation, and format the files")

const casesDir = "../testdata/stdlib"

// TestCases runs the recipes in testdata/stdlib, which use the library. Each ends in what a preview or a
// run of it is expected to tell, as a comment:
//
//	# Expect run:
//	#   step one 1/2
//	#   info hello
//	#   succeeded
//
// Its param dir is an empty directory, shown as DIR; database is one of SQLite, url a web server, and
// closed an address at which nobody listens.
func TestCases(t *testing.T) {
	files, err := filepath.Glob(casesDir + "/*.star")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".star"), func(t *testing.T) {
			t.Parallel()
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			code, want, ok := bytes.Cut(source, []byte("\n# Expect "))
			if !ok {
				t.Fatalf("%s does not end in what is to be expected", file)
			}
			expected := "# Expect " + string(want)
			var got strings.Builder
			for _, mode := range []string{"preview", "run"} {
				if strings.Contains(expected, "# Expect "+mode+":\n") {
					fmt.Fprintf(&got, "# Expect %s:\n", mode)
					for _, line := range newCase(t, file).tell(mode == "preview") {
						fmt.Fprintln(&got, strings.TrimRight("#   "+line, " "))
					}
				}
			}
			if *update {
				if err := os.WriteFile(file, []byte(string(code)+"\n"+got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(expected, got.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// example is one recipe and what surrounds it.
type example struct {
	t      *testing.T
	dir    string
	values map[string]string // of the params that a recipe may declare
	recipe *runtime.Recipe
}

func newCase(t *testing.T, file string) *example {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(answers())
	t.Cleanup(server.Close)
	e := &example{t: t, dir: dir, values: map[string]string{
		"dir": filepath.Join(dir, "dir"), "url": server.URL, "closed": closed(t),
	}}
	if err := os.Mkdir(e.values["dir"], 0o755); err != nil {
		t.Fatal(err)
	}
	host, err := runtime.NewHost("test", builtins.All(), stdlib.FS, fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	if e.recipe, err = host.Load(t.Context(), file, "", ""); err != nil {
		t.Fatal(err)
	}
	for _, p := range e.recipe.Params {
		if p.Name == "database" {
			e.values[p.Name] = database(t)
		}
	}
	return e
}

// databaseVariable names the database that a child process makes, see TestMain.
const databaseVariable = "STDLIB_TEST_DATABASE"

// TestMain makes a database if it is asked to. In the process that tests, the first to open one must be
// the family that is tested: it decides how SQLite locks files.
func TestMain(m *testing.M) {
	name := os.Getenv(databaseVariable)
	if name == "" {
		os.Exit(m.Run())
	}
	db, err := sql.Open("sqlite", name)
	if err == nil {
		_, err = db.Exec("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('one')")
	}
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// database returns the path of a small SQLite database.
func database(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "app.db")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), databaseVariable+"="+name)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make a database: %v\n%s", err, out)
	}
	return name
}

// answers is a server that is well, ill, or well after some time.
func answers() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"status": "healthy"}`) })
	mux.HandleFunc("/starting", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"status": "starting"}`) })
	mux.HandleFunc("/error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) })
	var asked atomic.Int32
	mux.HandleFunc("/late", func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
		}
	})
	return mux
}

// closed returns the address of a port at which nobody listens.
func closed(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

// tell runs or previews the recipe and returns what happened, a line each.
func (e *example) tell(preview bool) []string {
	e.t.Helper()
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags := e.recipe.AddFlags(set)
	var args []string
	for name, value := range e.values {
		if set.Lookup(name) != nil {
			args = append(args, "--"+name+"="+value)
		}
	}
	if err := set.Parse(args); err != nil {
		e.t.Fatal(err)
	}
	values, err := e.recipe.Resolve(e.t.Context(), flags, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	state, err := runtime.OpenState(filepath.Join(e.dir, "state"))
	if err != nil {
		e.t.Fatal(err)
	}
	story := &story{}
	opts := runtime.Options{State: state, Sinks: []events.Sink{story}}
	if preview {
		e.recipe.Preview(e.t.Context(), values, opts)
	} else {
		e.recipe.Run(e.t.Context(), values, opts)
	}
	for i, line := range story.lines {
		for name, value := range e.values {
			line = strings.ReplaceAll(line, value, strings.ToUpper(name))
			line = strings.ReplaceAll(line, strings.TrimPrefix(value, "http://"), strings.ToUpper(name))
		}
		story.lines[i] = seconds.ReplaceAllString(line, "TIME")
	}
	return story.lines
}

var seconds = regexp.MustCompile(`\b\d+(\.\d+)? ?m?s\b`)
