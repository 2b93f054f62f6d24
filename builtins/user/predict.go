package user

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// predict enters the accounts as they will be into a preview's view of the file system.
func (m *making) predict(over *filesys.Overlay) error {
	for _, path := range []string{passwdFile, groupFile} {
		before, after, err := m.texts(path)
		if err != nil {
			return err
		}
		if before == after {
			continue
		}
		info, err := m.view.Stat(path)
		if err != nil {
			return err
		}
		if err := over.WriteFile(path, []byte(after), info.Mode, filesys.Keep, filesys.Keep); err != nil {
			return err
		}
	}
	return nil
}

// texts returns a file of accounts as it is and as it will be.
func (m *making) texts(path string) (before, after string, err error) {
	data, err := m.view.ReadFile(path, maxFile)
	if err != nil {
		return "", "", err
	}
	if path == passwdFile {
		return string(data), m.nextPasswd(string(data)), nil
	}
	return string(data), m.nextGroups(string(data)), nil
}

func (m *making) nextPasswd(text string) string {
	if m.makeUser {
		return appendLine(text, m.user.line())
	}
	if !m.changesUser() {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(f) == 7 && f[0] == m.user.name {
			f[5], f[6] = m.user.home, m.user.shell
			line = strings.Join(f, ":") + "\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

func (m *making) nextGroups(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		g := parseGroups(line)
		if len(g) == 1 && slices.Contains(m.join, g[0].name) {
			g[0].members = append(g[0].members, m.args.Name)
			line = g[0].line() + "\n"
		}
		b.WriteString(line)
	}
	if m.makeGroup {
		return appendLine(b.String(), m.group.line())
	}
	return b.String()
}

func appendLine(text, line string) string {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + line + "\n"
}

// diff shows the lines that differ.
func (m *making) diff() (string, error) {
	var b strings.Builder
	for _, path := range []string{passwdFile, groupFile} {
		before, after, err := m.texts(path)
		if err != nil {
			return "", err
		}
		if before == after {
			continue
		}
		fmt.Fprintf(&b, "--- %s\n+++ %s\n", path, path)
		old, now := slices.Collect(strings.Lines(before)), slices.Collect(strings.Lines(after))
		for _, line := range old {
			if !slices.Contains(now, line) {
				b.WriteString("-" + line)
			}
		}
		for _, line := range now {
			if !slices.Contains(old, line) {
				b.WriteString("+" + line)
			}
		}
	}
	return b.String(), nil
}
