package user

import (
	"slices"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/journal"
)

const (
	passwdText = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/usr/sbin/nologin\n+::::::\n\nsome:x:998:998::/nonexistent:/usr/sbin/nologin\nann:x:1000:1000:Ann,,,:/home/ann:/bin/bash\n"
	groupText  = "root:x:0:\nsudo:x:27:ann,bob\nsome:x:998:\nann:x:1000:\nempty:x:999:,,\n"
)

func TestParse(t *testing.T) {
	all := accounts{parsePasswd(passwdText), parseGroups(groupText)}
	if len(all.users) != 4 || len(all.groups) != 5 {
		t.Fatalf("got %+v", all)
	}
	ann, ok := all.user("ann")
	if !ok || ann != (account{"ann", "Ann,,,", "/home/ann", "/bin/bash", 1000, 1000}) || all.groupName(ann.gid) != "ann" {
		t.Errorf("got %+v", ann)
	}
	if got := all.memberships("ann"); !slices.Equal(got, []string{"sudo"}) {
		t.Errorf("ann is in %q", got)
	}
	if _, ok := all.user("+"); ok {
		t.Error("a line of another kind was taken for a user")
	}
	if g, _ := all.group("empty"); len(g.members) != 0 {
		t.Errorf("got the members %q", g.members)
	}
}

func TestFreeNumbers(t *testing.T) {
	all := accounts{parsePasswd(passwdText), parseGroups(groupText)}
	tests := []struct {
		r      idRange
		system bool
		want   int
	}{
		{idRange{101, 999}, true, 997},
		{idRange{1000, 60000}, false, 1001},
		{idRange{1000, 1000}, false, 0},
		{idRange{999, 1001}, false, 1001},
		{idRange{998, 1000}, true, 0},
		{idRange{5000, 5001}, false, 5000},
	}
	for _, test := range tests {
		got, err := all.free(test.r, test.system)
		if got != test.want || (err != nil) != (test.want == 0) {
			t.Errorf("free(%v, %v) = %d, %v; want %d", test.r, test.system, got, err, test.want)
		}
	}
}

func TestLoginDefs(t *testing.T) {
	got := parseLoginDefs("# UID_MIN 7\nUID_MIN\t\t 500\nUMASK 022\n\nSYS_UID_MAX 0x10 # comment\nMAIL_DIR /var/mail\nBAD\n")
	if len(got) != 3 || got["UID_MIN"] != 500 || got["SYS_UID_MAX"] != 16 || got["UMASK"] != 18 {
		t.Errorf("got %v", got)
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"", "-x", "Upper", "with space", "a:b", "a\nb", "ä", strings.Repeat("a", 33), "1st"} {
		if checkName("name", name) == nil {
			t.Errorf("%q was taken for a name", name)
		}
	}
	for _, name := range []string{"a", "_apt", "systemd-network", "infracore", "a1"} {
		if err := checkName("name", name); err != nil {
			t.Error(err)
		}
	}
}

func TestTools(t *testing.T) {
	has := func(paths ...string) func(string) bool {
		return func(path string) bool { return slices.Contains(paths, path) }
	}
	if _, err := findTools(has("/usr/sbin/useradd", "/usr/sbin/groupadd")); err == nil {
		t.Error("useradd without usermod was taken")
	}
	sh, err := findTools(has("/usr/sbin/useradd", "/usr/sbin/groupadd", "/usr/sbin/usermod", "/usr/sbin/adduser", "/usr/sbin/addgroup"))
	if err != nil || sh.name != "useradd" {
		t.Errorf("got %s, %v", sh.name, err)
	}
	bb, err := findTools(has("/usr/sbin/adduser", "/usr/sbin/addgroup"))
	if err != nil || bb.name != "busybox adduser" {
		t.Errorf("got %s, %v", bb.name, err)
	}
	u := account{name: "app", uid: 990, gid: 991, home: "/opt/app", shell: "/sbin/nologin"}
	g := group{name: "app", gid: 991}
	tests := []struct {
		argv []string
		want string
	}{
		{sh.addGroup(g, true), "groupadd --system --gid 991 -- app"},
		{sh.addUser(u, "app", true), "useradd --system --uid 990 --gid app --home-dir /opt/app --shell /sbin/nologin --no-create-home --no-log-init -- app"},
		{sh.addUser(u, "app", false), "useradd --uid 990 --gid app --home-dir /opt/app --shell /sbin/nologin --no-create-home --no-log-init -- app"},
		{sh.join("app", []string{"a", "b"})[0], "usermod --append --groups a,b -- app"},
		{bb.addGroup(g, true), "addgroup -S -g 991 app"},
		{bb.addUser(u, "app", true), "adduser -S -D -H -h /opt/app -s /sbin/nologin -G app -u 990 app"},
		{bb.join("app", []string{"a", "b"})[1], "addgroup app b"},
	}
	for _, test := range tests {
		if got := strings.Join(test.argv, " "); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	if argv, err := sh.modify(u, "", "/bin/sh"); err != nil || strings.Join(argv, " ") != "usermod --shell /bin/sh -- app" {
		t.Errorf("got %q, %v", argv, err)
	}
	if _, err := bb.modify(u, "/x", ""); err == nil {
		t.Error("busybox can change a home directory")
	}
}

// made is the record of a user with its group that was added to two groups.
var made = undoArgs{User: "app", UID: 997, MadeUser: true, Group: "app", GID: 997, MadeGroup: true, Joined: []string{"adm", "sudo"}, Before: journal.Blob{}}

func TestRevert(t *testing.T) {
	joined := undoArgs{User: "ann", UID: 1000, Joined: []string{"sudo"}}
	changed := undoArgs{User: "ann", UID: 1000, Was: &profile{"/home/ann", "/bin/bash"}, Set: &profile{"/srv/ann", "/bin/sh"}}
	tests := []struct {
		name, path   string
		args         undoArgs
		text, before string
		want         string
	}{
		{"user", passwdFile, made, passwdText + "app:x:997:997::/:/bin/sh\nlater:x:996:996::/:/bin/sh\n", "", passwdText + "later:x:996:996::/:/bin/sh\n"},
		{"password", "/etc/shadow", made, "root:*:1\napp:!:2\napple:!:3\n", "", "root:*:1\napple:!:3\n"},
		{"group", groupFile, made, "adm:x:4:ann,app,bob\napp:x:997:\nsudo:x:27:app\nother:x:9:app\n", "", "adm:x:4:ann,bob\nsudo:x:27:\nother:x:9:\n"},
		{"group's password", "/etc/gshadow", made, "adm:*::ann,app\napp:!::\n", "", "adm:*::ann\n"},
		{"new ids", "/etc/subuid", made, "ann:1:2\napp:3:4\n", "", "ann:1:2\n"},
		{"old ids", "/etc/subuid", made, "app:1:2\napp:3:4\n", "app:1:2\n", "app:1:2\n"},
		{"only joined", groupFile, joined, "sudo:x:27:bob,ann\nother:x:9:ann\n", "", "sudo:x:27:bob\nother:x:9:ann\n"},
		{"only joined, user stays", passwdFile, joined, passwdText, "", passwdText},
		{"profile", passwdFile, changed, "ann:x:1000:1000:Ann:/srv/ann:/bin/sh", "", "ann:x:1000:1000:Ann:/home/ann:/bin/bash"},
		{"profile changed by others", passwdFile, changed, "ann:x:1000:1000:Ann:/mnt/ann:/bin/sh\n", "", "ann:x:1000:1000:Ann:/mnt/ann:/bin/bash\n"},
		{"no longer ours", passwdFile, made, "app:x:555:555::/:/bin/sh\n", "", "app:x:555:555::/:/bin/sh\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			passwd, groups := "", ""
			switch test.path {
			case passwdFile:
				passwd = test.text
			case groupFile:
				groups = test.text
			}
			own := test.args.owned(passwd, groups)
			got := test.args.revert(test.path, test.text, test.before, own)
			if got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
			if again := test.args.revert(test.path, got, test.before, own); again != got {
				t.Errorf("the second time it becomes\n%s", again)
			}
		})
	}
}

func TestRunsAs(t *testing.T) {
	const status = "Name:\tx\nUid:\t0\t997\t0\t0\nGid:\t5\t5\t5\t5\n"
	for uid, want := range map[int]bool{0: true, 997: true, 5: false, 99: false} {
		if got := runsAs(status, uid); got != want {
			t.Errorf("runsAs %d = %v", uid, got)
		}
	}
}

// FuzzRevert reads files of accounts. Nothing of the user may be left, nothing of others may be lost, and the second time
// nothing may change.
func FuzzRevert(f *testing.F) {
	f.Add(passwdText+"app:x:997:997::/:/bin/sh\n", groupText+"app:x:997:\nadm:x:4:app,ann\n")
	f.Add("app:x:997:997::/:", "app:x:5:app")
	f.Fuzz(func(t *testing.T, passwd, groups string) {
		own := made.owned(passwd, groups)
		for path, text := range map[string]string{passwdFile: passwd, groupFile: groups, "/etc/shadow": passwd, "/etc/subuid": passwd} {
			got := made.revert(path, text, "", own)
			if again := made.revert(path, got, "", own); again != got {
				t.Errorf("%s: %q became %q, then %q", path, text, got, again)
			}
			for line := range strings.Lines(text) {
				if !strings.Contains(line, "app") && !strings.Contains(got, line) {
					t.Errorf("%s: the line %q is lost", path, line)
				}
			}
		}
		left := accounts{parsePasswd(made.revert(passwdFile, passwd, "", own)), parseGroups(made.revert(groupFile, groups, "", own))}
		if _, there := left.user("app"); there && own.user {
			t.Error("the user is left")
		}
		if own.user && len(left.memberships("app")) > 0 {
			t.Error("the user is left in a group")
		}
	})
}

// FuzzLoginDefs reads settings.
func FuzzLoginDefs(f *testing.F) {
	f.Add("UID_MIN 1000\n#X\nY 0x\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name := range parseLoginDefs(text) {
			if name == "" || strings.HasPrefix(name, "#") {
				t.Errorf("got a setting %q", name)
			}
		}
	})
}
