package pkg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// manager is a package manager. Commands are argument lists whose first is the path of a program.
type manager struct {
	name    string
	program string // what must be there for it to be this machine's
	env     map[string]string

	// database reads what is installed.
	database func(ctx context.Context, l looker) (database, error)

	// available asks which version of a package would be installed, and parses the answer.
	available      func(name string) []string
	parseAvailable func(output, name string) string
	// simulate tells what an installation would do; nil where that cannot be asked.
	simulate func(o installOptions) []string

	update  func(wait time.Duration) []string
	install func(o installOptions) []string
	remove  func(names []string, purge bool, wait time.Duration) []string
	// removal is how a person begins to remove packages with their configuration.
	removal string
	// simulateRemove tells what a removal would do, or fails if others need what is to be removed.
	simulateRemove func(names []string, purge bool) []string
	// repair finishes what was broken off, as far as that can be done; nil where the manager does so by itself.
	repair []string
	// pin is how a package of one version is named.
	pin func(name, version string) string
	// archMark stands between a package's name and its architecture; "" where a machine has only one.
	archMark string
	// progress reads how far the work has come from a line of output, or of what is printed to file 3. Such a line is not
	// shown.
	progress func(line string) (percent float64, what string, ok bool)

	// elsewhere says how it works with lists of its own below a directory; nil where it cannot.
	elsewhere func(dir string) elsewhere

	locks   []string // files that are locked while it works
	sources []string // patterns of the files that say where packages are from
	lists   []string // patterns of files that are there once the lists of packages were fetched
}

// installOptions are what is to be installed, and how.
type installOptions struct {
	requests   []request
	recommends bool
	wait       time.Duration // how long it waits for locks by itself
	pin        func(name, version string) string
}

// names are the packages as the manager takes them.
func (o installOptions) names() []string {
	var names []string
	for _, r := range o.requests {
		if r.version == "" {
			names = append(names, r.name)
		} else {
			names = append(names, o.pin(r.name, r.version))
		}
	}
	return names
}

// managers are tried in this order: dnf machines often have a yum that is dnf as well.
var managers = []*manager{&apt, &dnf, &yum, &zypper, &apk}

// errNoManager says that nothing here manages packages.
var errNoManager = errors.New("this machine has none of apt, dnf, yum, zypper and apk, so packages cannot be installed here")

// managerOf returns the machine's package manager.
func managerOf(v *filesys.View) (*manager, error) {
	for _, m := range managers {
		if there, err := v.Exists(m.program); err != nil {
			return nil, err
		} else if there {
			return m, nil
		}
	}
	return nil, errNoManager
}

// looker looks at the machine: of a probe, which in a preview sees predictions, or of a change or an undo.
type looker struct {
	run   func(context.Context, child.Spec) (child.Result, error)
	open  func(path string) (io.ReadCloser, error)
	names func(dir string) ([]string, error)
}

// readerLooker is for a probe.
func readerLooker(r *runtime.Reader) looker {
	return looker{
		run:   func(ctx context.Context, s child.Spec) (child.Result, error) { return child.Probe(ctx, r, s) },
		open:  filesys.Read(r).Open,
		names: filesys.Read(r).Names,
	}
}

// probeTimeout is how long a command that only looks may take.
const probeTimeout = 2 * time.Minute

// ask runs a command that only looks.
func (l looker) ask(ctx context.Context, argv []string, env map[string]string) (string, error) {
	result, err := l.run(ctx, child.Spec{Argv: argv, Env: env, Timeout: probeTimeout})
	if err != nil {
		return result.Stdout, fmt.Errorf("%s: %w", child.Quote(argv), err)
	}
	return result.Stdout, nil
}

// parseFile reads a database that is a file.
func (l looker) parseFile(path string, parse func(io.Reader) (database, error)) (database, error) {
	f, err := l.open(path)
	if err != nil {
		return database{}, err
	}
	defer f.Close()
	d, err := parse(f)
	if err != nil {
		return d, fmt.Errorf("read %s: %w", path, err)
	}
	return d, nil
}

// request is a package that is asked for, perhaps in one version only.
type request struct{ name, version string }

func (r request) String() string {
	if r.version == "" {
		return r.name
	}
	return r.name + "=" + r.version
}

var (
	namePattern    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+._-]*(:[a-z0-9-]+)?$`)
	versionPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+.:~^_*-]*$`)
)

// parseRequests reads the names that a recipe gave: "git", "nodejs=18.19.0" or "nodejs=18.*". What could be taken for an
// option or a file is refused.
func parseRequests(texts []string) ([]request, error) {
	if len(texts) == 0 {
		return nil, errors.New("for parameter names: there are none")
	}
	requests := make([]request, len(texts))
	for i, text := range texts {
		name, version, pinned := strings.Cut(text, "=")
		if !namePattern.MatchString(name) || pinned && !versionPattern.MatchString(version) {
			return nil, fmt.Errorf("for parameter names: %q is no package; write \"git\", or with a version \"git=1:2.39.5\"", text)
		}
		requests[i] = request{name, version}
	}
	return requests, nil
}

func requestNames(requests []request) []string {
	names := make([]string, len(requests))
	for i, r := range requests {
		names[i] = r.String()
	}
	return names
}

// programPath is what PATH a manager needs: the scripts of packages take it for granted.
const programPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
