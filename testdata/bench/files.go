package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// count is how many files are managed.
const count = 500

const recipe = `
PARAMS = {"dir": param.path(required = True)}

PERMISSIONS = {"fs.write": ["{dir}"]}

def main(ctx):
    fs.write_all({ctx.params.dir + "/app-%%d.conf" %% i: "port = %%d\nhost = localhost\n" %% (8000 + i) for i in range(%d)})
`

// loop is the same in bash, as durable: a temporary file, sync, rename, and nothing where nothing differs.
const loop = `set -eu
dir=$1
for ((i = 0; i < %d; i++)); do
	printf -v name '%%s/app-%%d.conf' "$dir" "$i"
	printf -v text 'port = %%d\nhost = localhost' $((8000 + i))
	if [ -f "$name" ] && [ "$(<"$name")" = "$text" ]; then continue; fi
	printf '%%s\n' "$text" >"$name.tmp"
	sync "$name.tmp"
	mv "$name.tmp" "$name"
done
sync "$dir"
`

const playbook = `- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - copy:
        content: "port = {{ 8000 + item }}\nhost = localhost\n"
        dest: "%s/app-{{ item }}.conf"
      loop: "{{ range(%d) | list }}"
`

// files measures managing many files: infrarun, which journals and can undo it, a loop in bash, which
// cannot, and Ansible where it is installed.
func (b *bench) files() ([]row, error) {
	dir := filepath.Join(b.dir, "files")
	star, sh, yml := filepath.Join(b.dir, "files.star"), filepath.Join(b.dir, "files.sh"), filepath.Join(b.dir, "files.yml")
	for name, text := range map[string]string{
		star: fmt.Sprintf(recipe, count), sh: fmt.Sprintf(loop, count), yml: fmt.Sprintf(playbook, dir, count),
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	fresh := func() error {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		return os.Mkdir(dir, 0o755)
	}
	first := row{what: fmt.Sprintf("%d managed files, first time", count), goal: "600 ms"}
	again := row{what: fmt.Sprintf("%d managed files, unchanged", count), goal: "60 ms"}
	for _, way := range []struct {
		name string
		n    int
		argv []string
	}{
		{"", 5, []string{b.infrarun, star, "--dir", dir, "--quiet"}},
		{"bash", 3, []string{"bash", sh, dir}},
		{"ansible", 1, []string{"ansible-playbook", yml}},
	} {
		if _, err := exec.LookPath(way.argv[0]); err != nil {
			first.instead += ", " + way.name + ": not installed"
			again.instead += ", " + way.name + ": not installed"
			continue
		}
		one, err := b.median(way.n, []int{0}, fresh, way.argv...)
		if err != nil {
			return nil, err
		}
		two, err := b.median(way.n, []int{0}, nil, way.argv...)
		if err != nil {
			return nil, err
		}
		if way.name == "" {
			first.value, again.value = ms(one.wall), ms(two.wall)
			continue
		}
		first.instead += ", " + way.name + ": " + ms(one.wall)
		again.instead += ", " + way.name + ": " + ms(two.wall)
	}
	first.instead, again.instead = first.instead[2:], again.instead[2:]
	return []row{first, again}, nil
}
