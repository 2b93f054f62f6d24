package git

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/go-git/go-git/v5/config"
)

// submodule is an entry of .gitmodules, and the repository whose it is.
type submodule struct {
	config.Submodule
	parent source
}

const (
	maxModules   = 256 << 10 // bytes of a .gitmodules
	maxSubmodule = 20        // submodules within each other
)

// submodules reads the .gitmodules of a tree: what is where, by path. An entry that could lead out of the
// repository is left out, and its use an error.
func (r *repo) submodules(tree hash, src source) (map[string]submodule, error) {
	entries, err := r.tree(tree)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.name != ".gitmodules" || e.mode&modeKind != modeFile {
			continue
		}
		data, err := r.readBlob(e.hash, maxModules)
		if err != nil {
			return nil, err
		}
		return parseModules(data, src)
	}
	return nil, nil
}

func parseModules(data []byte, src source) (map[string]submodule, error) {
	modules := config.NewModules()
	if err := modules.Unmarshal(data); err != nil {
		return nil, fmt.Errorf("%s: .gitmodules cannot be read: %w", src.text, err)
	}
	found := map[string]submodule{}
	for _, m := range modules.Submodules {
		if m.Validate() == nil && filepath.IsLocal(m.Name) {
			found[m.Path] = submodule{*m, src}
		}
	}
	return found, nil
}

// readBlob reads a small file whole.
func (r *repo) readBlob(h hash, limit int64) ([]byte, error) {
	content, size, err := r.blob(h)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	if size > limit {
		return nil, fmt.Errorf("it has %d bytes; the limit is %d", size, limit)
	}
	data, err := io.ReadAll(content)
	if err != nil {
		return nil, &damage{r.where, fmt.Errorf("object %s: %w", h, err)}
	}
	return data, nil
}

// submodule opens the repository of a submodule at a commit. If the one that it is in is on this machine and has the
// submodule fetched, that is used; else the URL is, which may be relative.
func (o *opener) submodule(parent *repo, m submodule, h hash) (*repo, source, error) {
	src, srcErr := m.parent.beside(m.URL)
	for _, dir := range []string{parent.at.gitDir, parent.at.commonDir} {
		sub := o.absorbed(dir, m.Name, h)
		switch {
		case sub != nil && srcErr != nil:
			return sub, localSource(sub.where, ""), nil
		case sub != nil:
			return sub, src, nil
		}
	}
	if srcErr != nil {
		return nil, src, srcErr
	}
	sub, _, err := o.at(src, []string{h.String()})
	var unknown *unknownRef
	if errors.As(err, &unknown) {
		err = fmt.Errorf("%s has no commit %s, which the commit that contains it asks for; was it pushed?", src.text, h)
	}
	return sub, src, err
}

// absorbed opens what git keeps of a submodule in .git/modules, nil if the commit is not there.
func (o *opener) absorbed(gitDir, name string, h hash) *repo {
	dir := filepath.Join(gitDir, "modules", name)
	if !isGitDir(dir) {
		return nil
	}
	r, err := o.openAt(source{text: dir, path: gitDir}, bare(dir))
	if err != nil {
		return nil
	}
	if there, err := r.has(h); err != nil || !there {
		r.Close()
		return nil
	}
	return r
}
