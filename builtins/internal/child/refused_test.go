package child

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	plain := write("plain", "echo\n", 0o644)
	noInterpreter := write("no-interpreter", "#!/no/such/interpreter\n", 0o755)
	noProgram := write("no-program", "\x00\x01\x02", 0o755)
	tests := []struct {
		spec Spec
		want string
	}{
		{Spec{}, "argv is empty"},
		{Spec{Argv: []string{""}}, "argv is empty"},
		{Spec{Argv: []string{"echo", "a\x00b"}}, "argv[1] holds a NUL byte"},
		{Spec{Argv: []string{"echo"}, Dir: "/a\x00"}, "working directory holds a NUL byte"},
		{Spec{Argv: []string{"echo"}, Env: map[string]string{"A": "x\x00"}}, "value of A holds a NUL byte"},
		{Spec{Argv: []string{"echo"}, Env: map[string]string{"A=B": "x"}}, `"A=B" is no name of a variable`},
		{Spec{Argv: []string{"ech0"}}, `no command "ech0" in PATH, ` + os.Getenv("PATH") + ` (did you mean "echo"?)`},
		{Spec{Argv: []string{dir + "/none"}}, "there is no command " + dir + "/none"},
		{Spec{Argv: []string{plain + "/none"}}, "there is no command " + plain + "/none"},
		{Spec{Argv: []string{"./none"}, Dir: dir}, "there is no command " + dir + "/none"},
		{Spec{Argv: []string{plain}}, "cannot execute " + plain + ": its mode 0644"},
		{Spec{Argv: []string{dir}}, "cannot execute " + dir + ": it is a directory"},
		{Spec{Argv: []string{noInterpreter}}, "the interpreter that it names"},
		{Spec{Argv: []string{noProgram}}, "neither a program for this machine nor a script"},
		{Spec{Argv: []string{"true", strings.Repeat("x", 1<<22)}}, "larger than the kernel takes"},
		{Spec{Argv: []string{"true"}, Dir: dir + "/none"}, "its working directory " + dir + "/none does not exist"},
		{Spec{Argv: []string{"true"}, Dir: plain}, "its working directory " + plain + " is not a directory"},
		{Spec{Argv: []string{"true"}, User: "nobody-has-this-name"}, `no user "nobody-has-this-name"`},
	}
	for _, tt := range tests {
		if _, err := runner(t).Run(t.Context(), tt.spec); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.60q = %v, want %q", tt.spec.Argv, err, tt.want)
		}
	}
}
