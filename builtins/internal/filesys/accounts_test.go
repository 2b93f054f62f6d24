package filesys

import (
	"errors"
	"os/user"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime"
)

const passwd = `root:x:0:0:root:/root:/bin/bash
broken line
nonum:x:a:b::/:/bin/sh
keep:x:4294967295:1::/:/bin/sh
app:x:999:998:the app:/var/lib/app:/usr/sbin/nologin
app:x:1:1:second of the name:/:/bin/sh
noshell:x:5:5::/:
`

func named(name string) func(Account) bool { return func(a Account) bool { return a.Name == name } }

func TestFindAccount(t *testing.T) {
	for name, want := range map[string]Account{
		"root":    {"root", 0, 0, "/root", "/bin/bash"},
		"app":     {"app", 999, 998, "/var/lib/app", "/usr/sbin/nologin"},
		"noshell": {"noshell", 5, 5, "/", ""},
	} {
		if got, ok := findAccount(passwd, named(name)); !ok || got != want {
			t.Errorf("%s = %+v, %v, want %+v", name, got, ok, want)
		}
	}
	for _, name := range []string{"", "nobody", "nonum", "keep", "broken line", "x"} {
		if got, ok := findAccount(passwd, named(name)); ok {
			t.Errorf("%q = %+v, want none", name, got)
		}
	}
}

func FuzzFindAccount(f *testing.F) {
	f.Add(passwd, "app")
	f.Add("a:x:1:1:::", "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		if a, ok := findAccount(text, named(name)); ok && (a.Name != name || a.UID < 0 || a.GID < 0) {
			t.Errorf("asked for %q, got %+v", name, a)
		}
		is := func(g accountGroup) bool { return g.name == name }
		if g, ok := findGroup(text, is); ok && (g.name != name || g.gid < 0) {
			t.Errorf("asked for the group %q, got %+v", name, g)
		}
	})
}

// A preview knows the users and groups that the run would make, and those of the machine.
func TestPredictedOwners(t *testing.T) {
	v, o, _ := preview(t)
	add := func(file, line string) {
		t.Helper()
		old, err := Machine().ReadFile(file, maxAccounts)
		must(t, err)
		must(t, o.WriteFile(file, append(old, line...), 0o644, Keep, Keep))
	}
	const missing = "infrarun-test"
	if _, _, err := v.LookupOwner(missing, ""); err == nil || !strings.Contains(err.Error(), "there is no user") {
		t.Errorf("a user that nobody predicted: %v", err)
	}
	add(passwdFile, missing+":x:64999:64998::/srv/x:/bin/sh\n")
	add(groupFile, missing+"-group:x:64998:\n")
	root, err := user.LookupId("0")
	must(t, err)
	for _, tt := range []struct {
		owner, group string
		uid, gid     int
	}{
		{missing, missing + "-group", 64999, 64998},
		{root.Username, "", 0, Keep},
		{"", "7", Keep, 7},
	} {
		uid, gid, err := v.LookupOwner(tt.owner, tt.group)
		if err != nil || uid != tt.uid || gid != tt.gid {
			t.Errorf("%q:%q = %d:%d, %v; want %d:%d", tt.owner, tt.group, uid, gid, err, tt.uid, tt.gid)
		}
	}
	if got := v.UserName(64999) + ":" + v.GroupName(64998); got != missing+":"+missing+"-group" {
		t.Errorf("the numbers are called %s", got)
	}
	if _, _, err := LookupOwner(missing, missing+"-group"); err == nil {
		t.Error("what is only predicted is found on the machine")
	}
}

// Where a preview cannot know the files any more, those whom the machine knows are still found.
func TestOwnersInUnknownFiles(t *testing.T) {
	v, o, _ := preview(t)
	must(t, o.Opaque(passwdFile, "the output of vipw"))
	if uid, _, err := v.LookupOwner("root", ""); err != nil || uid != 0 {
		t.Errorf("root is %d, %v", uid, err)
	}
	var unknown *runtime.UnknownError
	if _, _, err := v.LookupOwner("infrarun-test", ""); !errors.As(err, &unknown) {
		t.Errorf("a user that may be there or not: %v", err)
	}
}
