package familytest

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// permissions are the kinds that the families introduce. A fixture has all of them, so that a family
// can be tested without those whose kinds it needs.
var permissions = map[string]policy.Matcher{
	"fs.read":  policy.ImpliedBy(policy.Paths{}, "fs.write"),
	"fs.write": policy.Paths{},
	"exec":     policy.Commands{},
	"net":      policy.Hosts{},
	"secret":   policy.Names{},
	"env":      policy.Names{},
}

type equalArgs struct {
	Got  starlark.Value `arg:"got" doc:"what there is"`
	Want starlark.Value `arg:"want" doc:"what there should be"`
}

type containsArgs struct {
	Text string `arg:"text" doc:"what there is"`
	Part string `arg:"part" doc:"what should be in it"`
}

// testFamily is what recipes of tests compare values with:
//
//	test.equal(got, want)       fails the recipe unless both are equal
//	test.contains(text, part)   fails the recipe unless part is in text
func testFamily(families []*runtime.Family) *runtime.Family {
	f := &runtime.Family{Name: "test", Doc: "Comparisons.", Permissions: map[string]policy.Matcher{}}
	for kind, m := range permissions {
		f.Permissions[kind] = m
	}
	for _, other := range families {
		for kind := range other.Permissions {
			delete(f.Permissions, kind) // the family's own counts
		}
	}
	f.Builtins = []*runtime.Builtin{
		runtime.Define(runtime.Builtin{Name: "test.equal", Doc: "Compares."},
			func(_ *runtime.Call, a equalArgs) (starlark.Value, error) {
				same, err := starlark.Equal(a.Got, a.Want)
				if err != nil {
					return nil, err
				}
				if !same {
					return nil, fmt.Errorf("got %s, want %s", a.Got, a.Want)
				}
				return nil, nil
			}),
		runtime.Define(runtime.Builtin{Name: "test.contains", Doc: "Looks for a part."},
			func(_ *runtime.Call, a containsArgs) (starlark.Value, error) {
				if !strings.Contains(a.Text, a.Part) {
					return nil, fmt.Errorf("%q is not in %q", a.Part, a.Text)
				}
				return nil, nil
			}),
	}
	return f
}
