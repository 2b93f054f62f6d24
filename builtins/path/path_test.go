package path_test

import (
	"fmt"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/path"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestBuiltins(t *testing.T) {
	f := familytest.New(t, path.Family())
	for _, test := range []struct{ expr, want string }{
		{`path.join("/opt", "app/", "../x", "", "y")`, `"/opt/x/y"`},
		{`path.join("a", "/b")`, `"a/b"`},
		{`path.join()`, `""`},
		{`path.base("/a/b.tar.gz/")`, `"b.tar.gz"`},
		{`path.dir("/a/b")`, `"/a"`},
		{`path.dir("a")`, `"."`},
		{`path.ext("/a.d/b.tar.gz")`, `".gz"`},
		{`path.ext("/a.d/b")`, `""`},
		{`path.clean("/a//./b/../c/")`, `"/a/c"`},
		{`path.clean("")`, `"."`},
		{`[path.is_abs("/a"), path.is_abs("a")]`, `[True, False]`},
		{`path.rel("/opt/app/releases/7", "/opt/app")`, `"releases/7"`},
		{`path.rel("/opt/other", base = "/opt/app")`, `"../other"`},
		{`path.within("/opt/app/x", "/opt/app")`, `True`},
		{`path.within("/opt/app", "/opt/app/")`, `True`},
		{`path.within("/opt/apple", "/opt/app")`, `False`},
		{`path.within("/opt/app/../x", "/opt/app")`, `False`},
		{`path.within("/opt/app/..x", "/opt/app")`, `True`},
		{`path.within("a/b", "/a")`, `False`},
	} {
		recipe := fmt.Sprintf("test.equal(%s, %s)", test.expr, test.want)
		f.Run(recipe).Want(events.Succeeded)
		f.Preview(recipe).Want(events.NoChange)
	}
}

func TestErrors(t *testing.T) {
	f := familytest.New(t, path.Family())
	for recipe, want := range map[string]string{
		`path.join("a", 1)`:     "path.join: part 2 is int, want string",
		`path.rel("a", "/b")`:   `path.rel: of "a" and "/b" one is absolute`,
		`path.rel("a", "../b")`: `path.rel: "a" cannot be reached from "../b"`,
	} {
		f.Run(recipe).Want(events.Refused).WantError(want)
	}
}
