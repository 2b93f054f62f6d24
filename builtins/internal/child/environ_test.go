package child

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

func TestEnvironment(t *testing.T) {
	t.Setenv("INFRARUN_GITHUB_TOKEN", "hunter2hunter2")
	t.Setenv("PLAIN", "inherited")
	r := runner(t)
	s := sh("env")
	s.Env = map[string]string{"GIVEN": "a b\nc", "PLAIN": "changed"}
	got, err := r.Run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"GIVEN=a b\nc\n", "PLAIN=changed\n", "PATH=" + os.Getenv("PATH") + "\n", r.marker + "\n"} {
		if !strings.Contains(got.Stdout, want) {
			t.Errorf("environment lacks %q:\n%s", want, got.Stdout)
		}
	}
	if strings.Contains(got.Stdout, "TOKEN") {
		t.Error("a variable of infrarun's own is inherited")
	}
}

func TestSameUser(t *testing.T) {
	s := sh(`id -u; echo "$USER"`)
	s.User = fmt.Sprint(os.Geteuid())
	u, err := FindUser(filesys.Machine(), s.User)
	familytest.Need(t, err == nil, fmt.Sprintf("the user is not known here: %v", err))
	got, err := runner(t).Run(t.Context(), s)
	if want := fmt.Sprintf("%d\n%s\n", os.Geteuid(), u.Username); err != nil || got.Stdout != want {
		t.Errorf("= %q, %v, want %q", got.Stdout, err, want)
	}
}

func TestOtherUser(t *testing.T) {
	u, err := FindUser(filesys.Machine(), "nobody")
	familytest.Need(t, err == nil, fmt.Sprintf("the user is not known here: %v", err))
	s := sh(`id -u; id -g; id -G; echo "$HOME $USER $LOGNAME"`)
	s.User, s.Dir = "nobody", "/"
	got, err := runner(t).Run(t.Context(), s)
	if os.Geteuid() != 0 {
		if err == nil || !strings.Contains(err.Error(), "only root") {
			t.Errorf("error = %v, want that only root can", err)
		}
		return
	}
	want := fmt.Sprintf("%s\n%s\n%s\n%s nobody nobody\n", u.Uid, u.Gid, u.Gid, u.HomeDir)
	if err != nil || got.Stdout != want {
		t.Errorf("= %q, %v, want %q", got.Stdout, err, want)
	}
	private := t.TempDir()
	if err := os.Chmod(private, 0o700); err != nil {
		t.Fatal(err)
	}
	s.Dir = private
	if _, err := runner(t).Run(t.Context(), s); err == nil || !strings.Contains(err.Error(), "user nobody may not") {
		t.Errorf("in a directory it may not enter: %v", err)
	}
}
