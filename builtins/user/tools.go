package user

import (
	"errors"
	"strconv"
	"strings"
)

// tools are what makes users and groups on a machine: for each thing to do, the command that does it.
type tools struct {
	name     string
	needs    []string // the programs; where they all are, these tools are taken
	addGroup func(g group, system bool) []string
	addUser  func(u account, group string, system bool) []string
	join     func(user string, groups []string) [][]string
	modify   func(u account, home, shell string) ([]string, error)
}

// knownTools are tried in this order.
var knownTools = []tools{shadow, busybox}

// programDirs are where programs of the administrator are. PATH may lack them.
var programDirs = []string{"/usr/sbin", "/sbin", "/usr/bin", "/bin"}

var shadow = tools{
	name:  "useradd",
	needs: []string{"useradd", "groupadd", "usermod"},
	addGroup: func(g group, system bool) []string {
		return append(flag([]string{"groupadd"}, system, "--system"), "--gid", strconv.Itoa(g.gid), "--", g.name)
	},
	addUser: func(u account, group string, system bool) []string {
		return append(flag([]string{"useradd"}, system, "--system"),
			"--uid", strconv.Itoa(u.uid), "--gid", group, "--home-dir", u.home, "--shell", u.shell,
			"--no-create-home", "--no-log-init", "--", u.name)
	},
	join: func(user string, groups []string) [][]string {
		return [][]string{{"usermod", "--append", "--groups", strings.Join(groups, ","), "--", user}}
	},
	modify: func(u account, home, shell string) ([]string, error) {
		argv := flag([]string{"usermod"}, home != "", "--home", home)
		return append(flag(argv, shell != "", "--shell", shell), "--", u.name), nil
	},
}

var busybox = tools{
	name:  "busybox adduser",
	needs: []string{"adduser", "addgroup"},
	addGroup: func(g group, system bool) []string {
		return append(flag([]string{"addgroup"}, system, "-S"), "-g", strconv.Itoa(g.gid), g.name)
	},
	addUser: func(u account, group string, system bool) []string {
		return append(flag([]string{"adduser"}, system, "-S"),
			"-D", "-H", "-h", u.home, "-s", u.shell, "-G", group, "-u", strconv.Itoa(u.uid), u.name)
	},
	join: func(user string, groups []string) [][]string {
		var commands [][]string
		for _, g := range groups {
			commands = append(commands, []string{"addgroup", user, g})
		}
		return commands
	},
	modify: func(account, string, string) ([]string, error) {
		return nil, errors.New("home and shell of a user that exists can be changed with usermod only, which is not installed")
	},
}

// flag appends arguments if they are wanted.
func flag(argv []string, wanted bool, args ...string) []string {
	if wanted {
		return append(argv, args...)
	}
	return argv
}

// errNoTools says that nothing on the machine can make users.
var errNoTools = errors.New("this machine has neither useradd nor adduser; install the package passwd or shadow-utils")

// findTools returns the tools that a machine has, given what tells whether a file is there.
func findTools(exists func(path string) bool) (tools, error) {
	for _, t := range knownTools {
		missing := false
		for _, program := range t.needs {
			missing = missing || programAt(program, exists) == ""
		}
		if !missing {
			return t, nil
		}
	}
	return tools{}, errNoTools
}

// programAt returns the path of a program, "" if it is not there.
func programAt(program string, exists func(path string) bool) string {
	for _, dir := range programDirs {
		if path := dir + "/" + program; exists(path) {
			return path
		}
	}
	return ""
}
