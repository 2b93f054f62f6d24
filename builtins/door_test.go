package builtins

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// changing are the functions of the standard library and golang.org/x/sys that change the machine.
var changing = map[string][]string{
	"os": {
		"WriteFile", "Create", "CreateTemp", "Mkdir", "MkdirAll", "MkdirTemp", "Remove", "RemoveAll", "Rename", "Chmod",
		"Chown", "Lchown", "Chtimes", "Symlink", "Link", "Truncate", "StartProcess",
	},
	"exec":    {"Command", "CommandContext"},
	"syscall": {"Kill", "Mount", "Unmount", "Setxattr", "Exec"},
	"unix": {
		"Kill", "Rename", "Renameat2", "Unlink", "Unlinkat", "Fchmod", "Fchmodat", "Fchown", "Lchown", "Symlinkat", "Mkdirat",
		"Setxattr", "Mount", "Unmount", "Exec",
	},
}

// elsewhere are the files with a changing call that is not one to the machine, and why.
var elsewhere = map[string]string{
	"git/mirror_write.go":       "fills the cache, which is infrarun's own and which a preview may fill",
	"internal/child/command.go": "starts processes for whoever holds a writer, and for reads that the recipe declared",
}

// onlyTests are the directories of packages that only tests import.
var onlyTests = []string{"testdata", "familytest"}

// TestOneDoor reads the source of all families: what changes the machine stands in a file writer*.go, or in
// a function that has a writer, as its receiver or as a parameter. A writer is a *runtime.Writer or what a
// function makes of one; a preview has none.
func TestOneDoor(t *testing.T) {
	packages := map[string]map[string]*ast.File{}
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(onlyTests, d.Name()):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := filepath.Dir(name)
		if packages[dir] == nil {
			packages[dir] = map[string]*ast.File{}
		}
		packages[dir][name] = file
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, files := range packages {
		writers := writerTypes(files)
		for name, file := range files {
			for _, decl := range file.Decls {
				fn, _ := decl.(*ast.FuncDecl)
				for _, call := range changingCalls(decl) {
					calls++
					allowed := strings.HasPrefix(filepath.Base(name), "writer") || elsewhere[name] != "" ||
						fn != nil && hasWriter(fn, writers)
					if !allowed {
						t.Errorf("%s changes the machine without a writer", set.Position(call.Pos()))
					}
				}
			}
		}
	}
	if calls < 10 {
		t.Errorf("found %d changing calls: the test does not see what it is for", calls)
	}
}

// writerTypes are the names of the types that a package's functions make of a *runtime.Writer.
func writerTypes(files map[string]*ast.File) map[string]bool {
	types := map[string]bool{"runtime.Writer": true, "filesys.Writer": true}
	declared := map[string]bool{}
	for _, file := range files {
		for _, decl := range file.Decls {
			if gen, ok := decl.(*ast.GenDecl); ok {
				for _, spec := range gen.Specs {
					if spec, ok := spec.(*ast.TypeSpec); ok {
						declared[spec.Name.Name] = true
					}
				}
			}
		}
	}
	for _, file := range files {
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Type.Results == nil || !hasWriter(fn, map[string]bool{"runtime.Writer": true}) {
				continue
			}
			for _, result := range fn.Type.Results.List {
				if name := typeName(result.Type); declared[name] {
					types[name] = true
				}
			}
		}
	}
	return types
}

// hasWriter reports whether a function's receiver or one of its parameters is of one of the types.
func hasWriter(fn *ast.FuncDecl, types map[string]bool) bool {
	var fields []*ast.Field
	if fn.Recv != nil {
		fields = append(fields, fn.Recv.List...)
	}
	for _, f := range append(fields, fn.Type.Params.List...) {
		if types[typeName(f.Type)] {
			return true
		}
	}
	return false
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return typeName(e.X) + "." + e.Sel.Name
	}
	return ""
}

func changingCalls(n ast.Node) []*ast.CallExpr {
	var calls []*ast.CallExpr
	ast.Inspect(n, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
			for _, name := range changing[typeName(sel.X)] {
				if sel.Sel.Name == name {
					calls = append(calls, call)
				}
			}
		}
		return true
	})
	return calls
}
