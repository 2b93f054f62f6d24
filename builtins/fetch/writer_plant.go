package fetch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// planter makes the entries of an archive below a directory. The directory is held open, and nothing is made in it by
// another way, so that no entry gets out of it. Links come last: no file can be made through one.
type planter struct {
	layout
	root  *os.Root
	links []entry
}

// The modes of what is unpacked. What else an archive says, such as setuid, is not taken over.
const (
	plainMode   fs.FileMode = 0o644
	programMode fs.FileMode = 0o755
)

// plant makes an entry, or notes a link.
func (p *planter) plant(e entry, content io.Reader) error {
	e, dirs, skip, err := p.place(e)
	if err != nil || skip {
		return err
	}
	for _, dir := range dirs {
		if err := p.root.Mkdir(dir, programMode); err != nil {
			return err
		}
		if err := p.root.Chmod(dir, programMode); err != nil { // whatever the umask
			return err
		}
	}
	switch e.kind {
	case aFile:
		return p.file(e, content)
	case aHardLink:
		return p.root.Link(e.target, e.name)
	case aLink:
		p.links = append(p.links, e)
	}
	return nil
}

// file makes a file, which must be as long as the archive says.
func (p *planter) file(e entry, content io.Reader) (err error) {
	f, err := p.root.OpenFile(e.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	n, err := io.Copy(f, io.LimitReader(content, e.size+1))
	if err == nil && n != e.size {
		err = fmt.Errorf("it has %d bytes or more, and should have %d", n, e.size)
	}
	if err != nil {
		return fmt.Errorf("%.200q: %w", e.name, err)
	}
	mode := plainMode
	if e.executable {
		mode = programMode
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if plausible(e.time) {
		return p.root.Chtimes(e.name, time.Time{}, e.time)
	}
	return nil
}

// finish makes the links, and looks whether everything is there.
func (p *planter) finish(provides []string) error {
	if p.files == 0 {
		return fmt.Errorf("there is no file in it%s", p.afterStrip())
	}
	for _, e := range p.links {
		if err := p.root.Symlink(e.target, e.name); err != nil {
			return err
		}
	}
	// Each link by itself stays in the tree, but one that leads through another one may not.
	for _, e := range p.links {
		if _, err := p.root.Stat(e.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("the link %.200q, to %.200q, leads through others out of the tree, or in a circle: %w", e.name, e.target, err)
		}
	}
	for _, name := range provides {
		if err := p.provided(name); err != nil {
			return err
		}
	}
	return nil
}

func (p *planter) afterStrip() string {
	if p.strip == 0 {
		return ""
	}
	return fmt.Sprintf(" that has more than strip = %d elements in its name", p.strip)
}

// provided fails unless a program is there that the recipe says is in the archive.
func (p *planter) provided(name string) error {
	info, err := p.root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("provides names %s, which is not in it (at its top there is %s); is strip = %d right?", name, p.top(), p.strip)
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("provides names %s, which is no file", name)
	case info.Mode()&0o111 == 0:
		return fmt.Errorf("provides names %s, which the archive does not say is executable; name it in executable as well", name)
	}
	return nil
}

// top lists some of what is at the top of the tree.
func (p *planter) top() string {
	dir, err := p.root.Open(".")
	if err != nil {
		return "nothing to be read"
	}
	defer dir.Close()
	names, err := dir.Readdirnames(6)
	if err != nil {
		return "nothing"
	}
	return strings.Join(names, ", ")
}
