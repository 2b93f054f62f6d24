package pkg

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

func managerBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "pkg.manager", Returns: "string: apt, dnf, yum, zypper or apk; \"\" if the machine has none of them",
		Doc: "Returns what manages the packages of the machine.",
	}, func(c *runtime.Call, _ struct{}) (starlark.Value, error) {
		m, err := managerOf(filesys.Read(c.Reader()))
		if err == errNoManager {
			return starlark.String(""), nil
		} else if err != nil {
			return nil, err
		}
		return starlark.String(m.name), nil
	})
}

type nameArgs struct {
	Name string `arg:"name" doc:"the package's name"`
}

func installedBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "pkg.installed", Returns: "string: the version; \"\" if the package is not installed",
		Doc: "Returns the version in which a package is installed. Of a name that only stands for others, such as " +
			"mail-transport-agent, it is that of the one that is installed. A preview sees the packages that the run would install; " +
			"their version is \"unknown\" where it cannot be known before the lists of packages are fetched.",
		Example: `if not pkg.installed("jq"):` + "\n" + `    pkg.install(["jq"])`,
	}, func(c *runtime.Call, a nameArgs) (starlark.Value, error) {
		if err := checkName(a.Name); err != nil {
			return nil, err
		}
		_, d, err := look(c.Context(), c.Reader())
		if err != nil {
			return nil, err
		}
		version := d.version(a.Name)
		if version == unknownVersion {
			c.Assume("%s is installed by then, in a version that is not known yet", a.Name)
		}
		return starlark.String(version), nil
	})
}

func availableBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "pkg.version_available", Returns: "string: the version; \"\" if no source has the package",
		Doc: "Returns the version of a package that would be installed, by the lists of packages as they are on the machine. " +
			"Where a preview would fetch them before, that is told as assumed.",
		Example: `pkg.version_available("golang-go")`,
	}, func(c *runtime.Call, a nameArgs) (starlark.Value, error) {
		if err := checkName(a.Name); err != nil {
			return nil, err
		}
		m, err := managerOf(filesys.Read(c.Reader()))
		if err != nil {
			return nil, err
		}
		if c.Preview() && !predicted(c.Reader().World()).refreshTime().IsZero() {
			c.Assume("the lists of packages still have the same version of %s when they are fetched", a.Name)
		}
		version, err := m.versionAvailable(c.Context(), c.Reader(), a.Name)
		return starlark.String(version), err
	})
}

// versionAvailable asks for the version that would be installed. That a package is not known is no error; some managers
// answer with one.
func (m *manager) versionAvailable(ctx context.Context, r *runtime.Reader, name string) (string, error) {
	out, err := readerLooker(r).ask(ctx, m.available(name), m.env)
	if isExit(err) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	return m.parseAvailable(out, name), nil
}

func checkName(name string) error {
	if !namePattern.MatchString(name) {
		return fmt.Errorf("for parameter name: %q is no name of a package", name)
	}
	return nil
}

// look returns the machine's manager, and what is installed: in a preview, what would be by then.
func look(ctx context.Context, r *runtime.Reader) (*manager, database, error) {
	m, err := managerOf(filesys.Read(r))
	if err != nil {
		return nil, database{}, err
	}
	d, err := m.database(ctx, readerLooker(r))
	if err != nil {
		return nil, d, err
	}
	if r.Preview() {
		d = predicted(r.World()).apply(d)
	}
	return m, d, nil
}
