package systemd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type securityArgs struct {
	Unit    string `arg:"unit" doc:"the service; without an end it is one"`
	Content string `arg:"content" default:"" doc:"what is or will be in its file; by default the unit as it is installed, in a preview as it will be"`
}

var securityBuiltin = runtime.Define(runtime.Builtin{
	Name: "systemd.security", Permission: unitPermission,
	Returns: "struct(exposure, rating, findings), the findings a list of struct(name, description, exposure), the worst first",
	Doc: "Tells how exposed a service is, as systemd-analyze security does: from 0, locked in, to 10, free to do anything. " +
		"The rating is its word for that, such as OK or UNSAFE, and the findings say what each setting that is missing adds. " +
		"Content is judged without being installed; that takes systemd 250.",
	Example: `if systemd.security("infra-core-console").exposure >= 4.0:` + "\n" + `    fail("harden the unit")`,
}, func(c *runtime.Call, a securityArgs) (starlark.Value, error) {
	unit, err := resolve(c, a.Unit)
	if err != nil {
		return nil, err
	}
	if filepath.Ext(unit) != ".service" {
		return nil, fmt.Errorf("%s is no service: only those are judged", unit)
	}
	r := c.Reader()
	content := []byte(a.Content)
	if a.Content == "" && c.Preview() {
		v := filesys.Read(r)
		if path := unitPath(unit, ""); v.Predicted(path) {
			if content, err = v.ReadFile(path, maxUnit); err != nil {
				return nil, err
			}
		}
	}
	var found exposure
	if len(content) == 0 {
		found, err = analyze(c.Context(), r, unit)
	} else {
		err = copies(r).With(func(dir string) error {
			if err := writeCopy(dir, unit, content); err != nil {
				return err
			}
			found, err = analyze(c.Context(), r, "--offline=yes", filepath.Join(dir, unit))
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	return found.value(), nil
})

// exposure is what systemd-analyze security tells of a service.
type exposure struct {
	overall  float64
	rating   string
	findings []finding
}

// finding is a setting that a service could have and what its lack adds.
type finding struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Exposure    string `json:"exposure"` // "0.2"; of a setting that is as it should be, nothing
}

// analyze runs systemd-analyze security twice: the overall exposure is not in its JSON.
func analyze(ctx context.Context, r *runtime.Reader, args ...string) (exposure, error) {
	var e exposure
	for _, form := range [][]string{{"--json=off"}, {"--json=short"}} {
		argv := append([]string{"systemd-analyze", "security", "--no-pager"}, append(form, args...)...)
		out, err := child.Probe(ctx, r, child.Spec{Argv: argv, Env: map[string]string{"LC_ALL": "C"}, Timeout: analyzeTimeout})
		if err == nil && form[0] == "--json=off" {
			err = e.parseOverall(out.Stdout)
		} else if err == nil {
			err = e.parseFindings(out.Stdout)
		}
		if err != nil {
			return e, fmt.Errorf("systemd-analyze security: %w", err)
		}
	}
	return e, nil
}

var overallLine = regexp.MustCompile(`Overall exposure level for [^\n]+: ([0-9]+(?:\.[0-9]+)?) ([A-Z]+)`)

// parseOverall reads the last line of the table.
func (e *exposure) parseOverall(text string) error {
	m := overallLine.FindStringSubmatch(text)
	if m == nil {
		return errors.New("it did not tell the overall exposure level")
	}
	e.rating = m[2]
	var err error
	e.overall, err = strconv.ParseFloat(m[1], 64)
	return err
}

// parseFindings reads the JSON form.
func (e *exposure) parseFindings(text string) error {
	var all []finding
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return fmt.Errorf("its findings: %w", err)
	}
	e.findings = slices.DeleteFunc(all, func(f finding) bool { return f.points() <= 0 })
	slices.SortStableFunc(e.findings, func(a, b finding) int {
		switch {
		case a.points() > b.points():
			return -1
		case a.points() < b.points():
			return 1
		}
		return 0
	})
	return nil
}

// points is what a finding adds to the exposure.
func (f finding) points() float64 {
	p, _ := strconv.ParseFloat(f.Exposure, 64) // nothing is 0
	return p
}

// value makes what a recipe gets.
func (e exposure) value() starlark.Value {
	findings := make([]starlark.Value, len(e.findings))
	for i, f := range e.findings {
		findings[i] = starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
			"name": starlark.String(f.Name), "description": starlark.String(f.Description), "exposure": starlark.Float(f.points()),
		})
	}
	return starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
		"exposure": starlark.Float(e.overall), "rating": starlark.String(e.rating), "findings": starlark.NewList(findings),
	})
}
