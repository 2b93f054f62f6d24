package process

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/proc"
)

func TestParseState(t *testing.T) {
	for text, want := range map[string]state{
		"": {},
		"status running\npid 12\nstarted 345\nrestarts 2\nexit_code 7\nexecutable /a b/c\ndirectory /d e\n": {
			Status: "running", Command: proc.Identity{PID: 12, Start: 345}, Restarts: 2, ExitCode: 7, Exited: true,
			Executable: "/a b/c", Directory: "/d e",
		},
		"status starting\npid \nstarted \nrestarts 0\nexit_code \nexecutable \ndirectory \n": {Status: "starting"},
		"pid 12\nstarted\n":           {},
		"pid -1\nstarted 3\n":         {},
		"restarts -4\nexit_code x\n":  {},
		"pid 12 13\nstarted 3\nnoise": {},
	} {
		if got := parseState(text); got != want {
			t.Errorf("%q = %+v, want %+v", text, got, want)
		}
	}
}

func TestParsePIDFile(t *testing.T) {
	if id, ok := parsePIDFile("12 345\n"); !ok || id != (proc.Identity{PID: 12, Start: 345}) {
		t.Errorf("= %+v, %v", id, ok)
	}
	for _, text := range []string{"", "12", "12\n", "12 345 6", "x 1", "0 1", "-5 1", "1 -1", "1 99999999999999999999999"} {
		if id, ok := parsePIDFile(text); ok {
			t.Errorf("%q = %+v, want nothing", text, id)
		}
	}
}

func FuzzParsePIDFile(f *testing.F) {
	f.Add("12 345\n")
	f.Add("0 0")
	f.Fuzz(func(t *testing.T, text string) {
		if id, ok := parsePIDFile(text); ok && id.PID <= 0 || !ok && id != (proc.Identity{}) {
			t.Errorf("%q = %+v, %v", text, id, ok)
		}
	})
}

func FuzzParseState(f *testing.F) {
	f.Add("status running\npid 12\nstarted 345\nrestarts 2\nexit_code 7\nexecutable /a b\ndirectory /\n")
	f.Add("pid 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		s := parseState(text)
		if s.Restarts < 0 || s.Command.PID < 0 || !s.Exited && s.ExitCode != 0 {
			t.Errorf("%q = %+v", text, s)
		}
	})
}

func FuzzDecodeDefinition(f *testing.F) {
	f.Add([]byte(`{"name": "s", "command": ["/bin/true"], "cwd": "/", "log": "/l", "stop_timeout": 10, "executable": {"path": "/bin/true"}}`))
	f.Add([]byte(`{"name": "../s", "command": ["x"], "log": "/l"}`))
	f.Add([]byte(`{"name": "s", "command": [], "log": "/l", "stop_timeout": -1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := decodeDefinition(text)
		if err != nil {
			return
		}
		again, err := d.encode()
		if err != nil {
			t.Fatal(err)
		}
		same, err := decodeDefinition(again)
		if err != nil || len(same.changes(d)) > 0 {
			t.Errorf("%q became %q: %v, %v", text, again, same.changes(d), err)
		}
	})
}

func TestChanges(t *testing.T) {
	base := definition{
		Name: "s", Command: []string{"/a"}, Cwd: "/", Env: map[string]string{"A": "1", "B": "2"}, EnvFile: "/e", Log: "/l", Ports: []int{1},
		StopTimeout: 1, User: "u", Executable: stamp{"/a", 1, 2}, Directory: "/",
	}
	if got := base.changes(base); len(got) > 0 {
		t.Errorf("of itself: %v", got)
	}
	// A field that is forgotten in changes would be a change without a restart.
	for i := range reflect.TypeFor[definition]().NumField() {
		name := reflect.TypeFor[definition]().Field(i).Name
		if name == "Name" {
			continue // names the files, too: there is nothing to compare with
		}
		other := base
		field := reflect.ValueOf(&other).Elem().Field(i)
		field.Set(reflect.Zero(field.Type()))
		if got := other.changes(base); len(got) != 1 {
			t.Errorf("without %s: %v", name, got)
		}
	}
	if got := fmt.Sprint(definition{Name: "s"}.changes(base)); got != "[command executable cwd env env_file log ports stop_timeout user]" {
		t.Errorf("everything: %v", got)
	}
}
