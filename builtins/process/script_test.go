package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime/events"
)

// odd are texts with which a careless shell script does something else.
var odd = []string{
	"", " ", "a b", "  a  ", "it's", `"`, `\`, `\\`, `a\nb`, "$HOME", "`id`", "$(id)", "*", "~", "-n", "#x", "a=b", "'", "''", `'\''`, `\'`,
	"tab\there", "ümläut", "\xff\xfe", "%s %d", "!", "[a-z]", "{a,b}", "a;b", "a&b", "a|b", "<a>", "trailing\\", "\r",
}

// rendered writes the files of a service without starting it.
func rendered(t *testing.T, f *familytest.Fixture, d definition) service {
	t.Helper()
	s := service{f.Dir, d.Name}
	o, err := ownerOf(filesys.Machine(), d)
	if err != nil {
		t.Fatal(err)
	}
	write(t, f, d.Name+".sh", string(d.render(s, o)), 0o755)
	return s
}

func TestScriptIsClean(t *testing.T) {
	shellcheck, err := exec.LookPath("shellcheck")
	familytest.Need(t, err == nil, "there is no shellcheck")
	f := fixture(t)
	d := definition{Name: "s", Command: append([]string{"/bin/true"}, odd...), Cwd: "/a b", Log: "/it's", Env: map[string]string{}, User: "nobody"}
	for i, text := range odd {
		d.Env[fmt.Sprintf("V%d", i)] = strings.ToValidUTF8(text, "") // shellcheck reads text only
		d.Command[i+1] = strings.ToValidUTF8(text, "")
	}
	if os.Geteuid() != 0 {
		d.User = ""
	}
	s := rendered(t, f, d)
	if out, err := exec.Command(shellcheck, "--shell=sh", "--severity=style", s.script()).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// Whatever stands in arguments, variables and the environment file arrives as it is, whichever shell runs the
// script.
func TestNothingIsInterpreted(t *testing.T) {
	for _, shell := range shells(t) {
		t.Run(shell[0], func(t *testing.T) {
			f := fixture(t)
			dir := filepath.Join(f.Dir, "an odd $dir's")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			d := definition{
				Name: "s", Cwd: dir, Log: filepath.Join(dir, "s.log"), EnvFile: filepath.Join(dir, "it's env"), StopTimeout: 5,
				Command: append([]string{"/bin/sh", "-c", `printf '%s\0' "$@" >args; env -0 >env; pwd >dir; exec sleep 600`, "arg0"}, odd...),
				Env:     map[string]string{"name": "x", "dir": "y", "env_file": "/no", "IFS": "x", "PATH": "/bin:/usr/bin:/x y"},
			}
			var file strings.Builder
			want := map[string]string{"name": "x", "dir": "y", "PATH": "/bin:/usr/bin:/x y"}
			for i, text := range odd {
				d.Env[fmt.Sprintf("E%d", i)] = text + "\nline"
				want[fmt.Sprintf("E%d", i)] = text + "\nline"
				fmt.Fprintf(&file, "F%d=%s\n# a comment\n\n", i, quote(text))
				want[fmt.Sprintf("F%d", i)] = text
			}
			file.WriteString("BARE=a/b:c@d%e+f,g=h-i.j\nE0=wins\nlast=1")
			want["BARE"], want["E0"], want["last"] = "a/b:c@d%e+f,g=h-i.j", "wins", "1"
			if err := os.WriteFile(d.EnvFile, []byte(file.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			s := service{dir, "s"}
			o, err := ownerOf(filesys.Machine(), d)
			if err != nil {
				t.Fatal(err)
			}
			// The script runs itself with /bin/sh: let that be the shell under test.
			script := strings.ReplaceAll(string(d.render(s, o)), "/bin/sh \"$script\"", strings.Join(shell, " ")+" \"$script\"")
			if err := os.WriteFile(s.script(), []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
			if out, code := byHand(t, shell, s, "start"); code != 0 {
				t.Fatalf("start = %d\n%s\n%s", code, out, read(t, d.Log))
			}
			eventually(t, "the command has begun", func() bool { _, err := os.Stat(filepath.Join(dir, "dir")); return err == nil })
			if got := strings.Split(strings.TrimSuffix(read(t, filepath.Join(dir, "args")), "\x00"), "\x00"); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", odd) {
				t.Errorf("arguments = %q\nwant %q", got, odd)
			}
			got := map[string]string{}
			for entry := range strings.SplitSeq(read(t, filepath.Join(dir, "env")), "\x00") {
				name, value, _ := strings.Cut(entry, "=")
				got[name] = value
			}
			for name, value := range want {
				if got[name] != value {
					t.Errorf("%s = %q, want %q", name, got[name], value)
				}
			}
			if out, code := byHand(t, shell, s, "stop"); code != 0 {
				t.Errorf("stop = %d\n%s", code, out)
			}
			wantGone(t, s)
		})
	}
}

// A person needs nothing but the script.
func TestScriptByHand(t *testing.T) {
	for _, shell := range shells(t) {
		t.Run(shell[0], func(t *testing.T) {
			f := fixture(t)
			s := service{f.Dir, "s"}
			f.Run(`process.start("s", ["sleep", "600"], dir = DIR, stop_timeout = 5)`).Want(events.Succeeded)
			first := wantRunning(t, s)
			want := func(verb string, wantCode int, wantOut string) {
				t.Helper()
				out, code := byHand(t, shell, s, verb)
				if code != wantCode || !strings.Contains(out, wantOut) {
					t.Errorf("%s = %d, %q, want %d, %q", verb, code, out, wantCode, wantOut)
				}
			}
			want("status", 0, fmt.Sprintf("s: runs as process %d, started again 0 times", first.command.PID))
			want("start", 0, "runs already")
			want("restart", 0, "s: stopped\ns: runs as process")
			second := wantRunning(t, s)
			if second.command == first.command || first.command.Alive() {
				t.Error("restart did not start it again")
			}
			// What a person has started is what a recipe would have.
			r := f.Run(`process.start("s", ["sleep", "600"], dir = DIR, stop_timeout = 5)`).Want(events.Succeeded)
			if got := r.Changes()[0]; got.Status != events.Unchanged {
				t.Errorf("a recipe finds it %s: %s", got.Status, got.Summary)
			}
			want("stop", 0, "s: stopped")
			wantGone(t, s)
			want("stop", 0, "does not run")
			want("status", 3, "does not run, its last exit status is 143")
			want("start", 0, "s: runs as process")
			wantRunning(t, s)
			want("stop", 0, "s: stopped")
			want("", 2, "usage:")
			want("nonsense", 2, "usage:")
		})
	}
}
