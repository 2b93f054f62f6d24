package git

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/policy"
)

// repositoryArgs is the first parameter of every builtin of the family.
type repositoryArgs struct {
	URL string `arg:"url" doc:"https://host/path, ssh://user@host/path, user@host:path, or a path of a repository on this machine"`
}

// tokenArg is the last one.
type tokenArg struct {
	Token string `arg:"token" default:"" doc:"what to log in with over https: a token, or user:token where the server wants a certain user; from secret.env"`
}

const readPermission = "net on host:port of the URL; fs.read on a path"

// opener opens repositories for one call of a builtin.
type opener struct {
	call  *runtime.Call
	token string
	host  string // the only host:port that gets the token
}

// newOpener registers the token as a secret.
func newOpener(c *runtime.Call, token string) (*opener, error) {
	for _, secret := range []string{token, token[strings.Index(token, ":")+1:]} {
		if secret == "" {
			continue
		}
		if err := c.AddSecret(secret); err != nil {
			return nil, err
		}
	}
	return &opener{call: c, token: token}, nil
}

// source reads the URL that a recipe gave. Its host is the one that the token is for.
func (o *opener) source(text string) (source, error) {
	src, err := parseSource(text, o.call.BaseDir())
	if err == nil && !src.local() {
		o.host = src.address()
	}
	return src, err
}

// use opens a repository, resolves some names in it and calls fn. The repository is closed afterwards.
func (o *opener) use(url string, names []string, fn func(*repo, []resolved) error) error {
	src, err := o.source(url)
	if err != nil {
		return err
	}
	return o.repairing(src, func() error {
		r, at, err := o.at(src, names)
		if err != nil {
			return err
		}
		defer r.Close()
		return fn(r, at)
	})
}

// repairing calls fn. If it finds the mirror damaged, the mirror is fetched anew and fn called once more.
func (o *opener) repairing(src source, fn func() error) error {
	err := fn()
	var damaged *damage
	if src.local() || !errors.As(err, &damaged) || damaged.where != src.text {
		return err
	}
	o.warn(damaged.Error() + "; it is fetched anew")
	if err := o.fetcher(src).rebuild(o.call.Context(), ""); err != nil {
		return err
	}
	return fn()
}

// at opens a repository and resolves names. A mirror is brought up to date first, unless each of the names is a
// commit that it has.
func (o *opener) at(src source, names []string) (*repo, []resolved, error) {
	if err := o.call.Need(src.needs()); err != nil {
		return nil, nil, err
	}
	if src.local() {
		r, err := o.local(src)
		if err != nil {
			return nil, nil, err
		}
		return resolveAll(r, names)
	}
	r, err := o.mirrored(src, names)
	if err != nil {
		return nil, nil, err
	}
	r, at, err := resolveAll(r, names)
	var unknown *unknownRef
	if !errors.As(err, &unknown) || !isHash(unknown.name) {
		return r, at, err
	}
	// The commit came with none of the branches and tags. The server may still give it if asked for it alone.
	if o.fetcher(src).update(o.call.Context(), unknown.name) != nil {
		return nil, nil, err
	}
	if r, err := newMirror(o.call.Reader().Cache(), src).open(); err == nil && r != nil {
		return resolveAll(r, names)
	}
	return nil, nil, err
}

// resolveAll closes the repository if it fails.
func resolveAll(r *repo, names []string) (*repo, []resolved, error) {
	at := make([]resolved, len(names))
	for i, name := range names {
		var err error
		if at[i], err = r.resolve(name); err != nil {
			r.Close()
			return nil, nil, err
		}
	}
	return r, at, nil
}

// mirrored opens the mirror of a remote repository, fetching what is needed for the names.
func (o *opener) mirrored(src source, names []string) (*repo, error) {
	m := newMirror(o.call.Reader().Cache(), src)
	if r, err := m.open(); err == nil && r != nil {
		if r.hasAll(names) {
			return r, nil
		}
		r.Close()
	}
	want := ""
	for _, name := range names {
		if strings.HasPrefix(name, "refs/") {
			want = name
		}
	}
	if err := o.fetcher(src).update(o.call.Context(), want); err != nil {
		return nil, err
	}
	return m.open()
}

// hasAll reports whether each name is a full hash of an object that is there.
func (r *repo) hasAll(names []string) bool {
	for _, name := range names {
		if !isHash(name) {
			return false
		}
		if there, err := r.has(hashOf(name)); err != nil || !there {
			return false
		}
	}
	return true
}

// local opens a repository on this machine, where it is.
func (o *opener) local(src source) (*repo, error) {
	at, err := locate(src.path)
	if err != nil {
		return nil, err
	}
	return o.openAt(src, at)
}

// openAt opens the repository at a location after checking that the recipe may reach all parts of it.
func (o *opener) openAt(src source, at location) (*repo, error) {
	allowed, err := filepath.EvalSymlinks(src.path)
	if err != nil {
		return nil, err
	}
	for _, dir := range at.reaches() {
		if dir == allowed || strings.HasPrefix(dir, allowed+string(filepath.Separator)) {
			continue
		}
		if err := o.call.Need(policy.Need{Kind: "fs.read", Target: dir}); err != nil {
			return nil, err
		}
	}
	return openRepo(src.text, at)
}

// fetcher returns what fetches a remote repository. Another host does not get the token.
func (o *opener) fetcher(src source) fetcher {
	f := fetcher{
		remote: remote{src: src, need: o.call.Need},
		mirror: newMirror(o.call.Reader().Cache(), src),
		show:   o.call.Reader().Progress,
		warn:   o.warn,
	}
	if src.address() == o.host {
		f.token = o.token
	}
	return f
}

func (o *opener) warn(text string) {
	o.call.Emit(events.Event{Kind: events.Log, Level: "warn", Text: text})
}

// distrust makes the next use of a mirror fetch it anew, if that is what an error says is damaged.
func (o *opener) distrust(err error) error {
	var damaged *damage
	if !errors.As(err, &damaged) {
		return err
	}
	src, parseErr := parseSource(damaged.where, o.call.BaseDir())
	if parseErr != nil || src.local() {
		return err
	}
	newMirror(o.call.Reader().Cache(), src).distrust()
	return fmt.Errorf("%w; try again: its mirror will be fetched anew", err)
}
