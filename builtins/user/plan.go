package user

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/infrarun/infrarun/runtime"
)

// plan finds out what there is to do for user.ensure.
func (m *making) plan(preview bool) (doubt string, err error) {
	for _, name := range m.args.Groups {
		g, ok := m.all.group(name)
		switch {
		case !ok && !preview:
			return "", fmt.Errorf("there is no group %s; make it first with user.group, or install what brings it", name)
		case !ok:
			doubt = fmt.Sprintf("there is a group %s by then", name)
			fallthrough
		case !slices.Contains(g.members, m.args.Name):
			m.join = append(m.join, name)
		}
	}
	var there bool
	if m.was, there = m.all.user(m.args.Name); there {
		return doubt, m.planChange()
	}
	return doubt, m.planNew()
}

// planChange is for a user that exists.
func (m *making) planChange() error {
	if m.args.UID.set && m.args.UID.n != m.was.uid {
		return fmt.Errorf("it has the number %d, not %d; its files would no longer be its own, so it is not changed", m.was.uid, m.args.UID.n)
	}
	m.user = m.was
	if m.args.Home != "" {
		m.user.home = m.args.Home
	}
	if m.args.Shell != "" {
		m.user.shell = m.args.Shell
	}
	if m.user.shell != m.was.shell {
		return m.checkShell()
	}
	return nil
}

// planNew is for a user that does not exist.
func (m *making) planNew() error {
	m.makeUser = true
	var there bool
	if m.group, there = m.all.group(m.args.Name); !there {
		// One number for both, as people expect.
		taken := slices.Concat(m.all.uids(), m.all.gids())
		id, err := m.number(m.args.UID, taken)
		if err != nil {
			return err
		}
		m.group, m.makeGroup = group{name: m.args.Name, gid: id}, true
		m.user.uid = id
	} else {
		id, err := m.number(m.args.UID, m.all.uids())
		if err != nil {
			return err
		}
		m.user.uid = id
	}
	m.user.name, m.user.gid, m.user.home, m.user.shell = m.args.Name, m.group.gid, m.args.Home, m.args.Shell
	if m.user.home == "" && m.args.System {
		m.user.home = "/nonexistent"
	} else if m.user.home == "" {
		m.user.home = "/home/" + m.args.Name
	}
	if m.user.shell == "" {
		m.user.shell = m.noLogin()
	}
	return m.checkShell()
}

// noLogin returns the shell that lets nobody in.
func (m *making) noLogin() string {
	for _, path := range []string{"/usr/sbin/nologin", "/sbin/nologin"} {
		if m.exists(path) {
			return path
		}
	}
	return "/bin/false"
}

func (m *making) checkShell() error {
	if !m.exists(m.user.shell) {
		return fmt.Errorf("there is no shell %s", m.user.shell)
	}
	return nil
}

func (m *making) exists(path string) bool {
	ok, err := m.view.Exists(path)
	return ok && err == nil
}

// number returns the number for what is made: the one that is wanted, or a free one.
func (m *making) number(want number, taken []int) (int, error) {
	if want.set {
		if slices.Contains(taken, want.n) {
			return 0, fmt.Errorf("the number %d is taken", want.n)
		}
		return want.n, nil
	}
	system, people, err := ranges(m.view)
	if err != nil {
		return 0, err
	}
	if m.args.System {
		return m.all.free(system, true)
	}
	return m.all.free(people, false)
}

// needed describes what there is to do, and fails if it cannot be done.
func (m *making) needed() (runtime.Finding, error) {
	if os.Geteuid() != 0 {
		return runtime.Finding{}, errors.New("only root can make or change users and groups; run infrarun as root")
	}
	var err error
	if m.tools, err = findTools(m.exists); err != nil {
		return runtime.Finding{}, err
	}
	if m.changesUser() {
		if _, err := m.tools.modify(m.user, "", ""); err != nil {
			return runtime.Finding{}, err
		}
	}
	diff, err := m.diff()
	return runtime.Finding{Needed: true, Summary: m.summary(), Diff: diff}, err
}

// changesUser reports whether home or shell of a user that exists are changed.
func (m *making) changesUser() bool { return m.call == "user.ensure" && !m.makeUser && m.user != m.was }

func (m *making) summary() string {
	var parts []string
	if m.makeUser {
		parts = append(parts, fmt.Sprintf("create user %d, home %s, shell %s", m.user.uid, m.user.home, m.user.shell))
	}
	if m.makeGroup {
		parts = append(parts, fmt.Sprintf("create group %d", m.group.gid))
	}
	if m.changesUser() {
		parts = append(parts, fmt.Sprintf("change home to %s, shell to %s", m.user.home, m.user.shell))
	}
	if len(m.join) > 0 {
		parts = append(parts, "add to "+strings.Join(m.join, ", "))
	}
	return strings.Join(parts, "; ")
}
