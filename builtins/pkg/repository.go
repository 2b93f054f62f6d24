package pkg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type repositoryArgs struct {
	Name       string          `arg:"name" doc:"what the repository is called on this machine"`
	URI        string          `arg:"uri" doc:"where it is"`
	Key        string          `arg:"key" doc:"the public key that it is signed with: the content of the file, armored or not"`
	Suite      string          `arg:"suite" default:"" doc:"for apt: the suite, such as bookworm, or a path that ends in a slash"`
	Components runtime.Strings `arg:"components" default:"" doc:"for apt: the components, such as stable; none if suite is a path"`
}

func repositoryBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "pkg.add_repository", Undo: runtime.Exact, Permission: "`pkg` on repository:name", Returns: "struct(changed)",
		Doc: "Adds a repository that packages are installed from, with the key that it is signed with; a repository without one " +
			"is not added. The key counts for this repository alone. pkg.install and pkg.update notice that the lists of packages " +
			"must be fetched then.",
		Example: `pkg.add_repository("docker", "https://download.docker.com/linux/debian", key = fs.read("docker.asc"),` + "\n" +
			`    suite = "bookworm", components = ["stable"])`,
	}, func(c *runtime.Call, a repositoryArgs) (starlark.Value, error) {
		if err := a.check(); err != nil {
			return nil, err
		}
		return c.Do(&adding{args: a, view: filesys.Read(c.Reader())})
	})
}

var (
	repositoryName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)
	wordPattern    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9./_+~-]*$`)
)

const armor = "-----BEGIN PGP PUBLIC KEY BLOCK-----"

// check refuses what would break the files that it is written to.
func (a repositoryArgs) check() error {
	if !repositoryName.MatchString(a.Name) {
		return fmt.Errorf("for parameter name: %q is no name of a-z, 0-9, - and _", a.Name)
	}
	if err := checkURI("uri", a.URI); err != nil {
		return err
	}
	if !strings.Contains(a.Key, armor) && !isBinaryKey(a.Key) {
		return errors.New("for parameter key: it is no public key of OpenPGP, armored or not; give the content of the key's file")
	}
	for _, word := range append([]string{a.Suite}, a.Components...) {
		if word != "" && !wordPattern.MatchString(word) {
			return fmt.Errorf("%q is no suite or component", word)
		}
	}
	return nil
}

func checkURI(parameter, uri string) error {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(uri, " \t\r\n") {
		return fmt.Errorf("for parameter %s: %q is no address that begins with http:// or https://", parameter, uri)
	}
	return nil
}

// isBinaryKey reports whether a text begins like a public key of OpenPGP, packet tag 6 in the old or the new form.
func isBinaryKey(text string) bool {
	return len(text) > 100 && (text[0]&0xfc == 0x98 || text[0] == 0xc6)
}

// adding is the change that pkg.add_repository makes.
type adding struct {
	args repositoryArgs
	view *filesys.View

	dirs  []string // that are missing
	files []filesys.NewFile
}

var _ runtime.Change = (*adding)(nil)

// Describe implements runtime.Change.
func (ad *adding) Describe() runtime.Description {
	return runtime.Description{
		Call: "pkg.add_repository", Target: ad.args.Name, Undo: runtime.Exact, UndoNote: "removes it",
		Needs: []policy.Need{{Kind: permissionKind, Target: "repository:" + ad.args.Name}},
	}
}

// Probe implements runtime.Change.
func (ad *adding) Probe(_ context.Context, _ *runtime.Reader) (runtime.Finding, error) {
	m, err := managerOf(ad.view)
	if err != nil {
		return runtime.Finding{}, err
	}
	wanted, err := ad.args.filesFor(m)
	if err != nil {
		return runtime.Finding{}, err
	}
	var diff string
	for _, f := range wanted {
		now, err := ad.view.ReadFile(f.Path, maxSource)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return runtime.Finding{}, err
		}
		if err == nil && bytes.Equal(now, f.Content) {
			continue
		}
		missing, err := ad.view.MissingDirs(filepath.Dir(f.Path))
		if err != nil {
			return runtime.Finding{}, err
		}
		ad.dirs = append(ad.dirs, missing...)
		ad.files = append(ad.files, f)
		diff += lineDiff(f.Path, string(now), string(f.Content))
	}
	if len(ad.files) == 0 {
		return runtime.Finding{Summary: "is there", Value: changed(false)}, nil
	}
	return runtime.Finding{Needed: true, Summary: "add " + ad.args.URI, Diff: diff}, needRoot()
}

// filesFor returns the files that make a repository known to a manager: the key, and what names it.
func (a repositoryArgs) filesFor(m *manager) ([]filesys.NewFile, error) {
	var key, source, text string
	switch m {
	case &apt:
		if a.Suite == "" || len(a.Components) == 0 && !strings.HasSuffix(a.Suite, "/") {
			return nil, errors.New("apt needs the suite of a repository, and its components unless the suite is a path that ends in a slash")
		}
		key = "/etc/apt/keyrings/" + a.Name + keySuffix(a.Key)
		source = "/etc/apt/sources.list.d/" + a.Name + ".sources"
		text = fmt.Sprintf("Types: deb\nURIs: %s\nSuites: %s\n", a.URI, a.Suite)
		if len(a.Components) > 0 {
			text += "Components: " + strings.Join(a.Components, " ") + "\n"
		}
		text += "Signed-By: " + key + "\n"
	case &dnf, &yum, &zypper:
		if a.Suite != "" || len(a.Components) > 0 {
			return nil, fmt.Errorf("%s has neither suites nor components; name the whole address", m.name)
		}
		key = "/etc/pki/rpm-gpg/RPM-GPG-KEY-" + a.Name
		source = strings.Replace(m.sources[0], "*", a.Name, 1)
		text = fmt.Sprintf("[%s]\nname=%s\nbaseurl=%s\nenabled=1\ngpgcheck=1\ngpgkey=file://%s\n", a.Name, a.Name, a.URI, key)
	default:
		return nil, fmt.Errorf("%s keeps its repositories in one file, %s: add the line with fs.write, and the key to /etc/apk/keys", m.name, m.sources[0])
	}
	return []filesys.NewFile{newFile(key, a.Key), newFile(source, text)}, nil
}

func keySuffix(key string) string {
	if strings.Contains(key, armor) {
		return ".asc"
	}
	return ".gpg"
}

func newFile(path, content string) filesys.NewFile {
	return filesys.NewFile{Path: path, Content: []byte(content), Mode: 0o644, UID: filesys.Keep, GID: filesys.Keep}
}

func (ad *adding) paths() []string {
	paths := append([]string{}, ad.dirs...)
	for _, f := range ad.files {
		paths = append(paths, f.Path)
	}
	return paths
}

// Undo implements runtime.Change.
func (ad *adding) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	return filesys.KeepFiles(ctx, k, ad.paths())
}

// Apply implements runtime.Change.
func (ad *adding) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x := filesys.Writable(w)
	for _, dir := range ad.dirs {
		if err := x.Mkdir(dir, 0o755, filesys.Keep, filesys.Keep); err != nil {
			return runtime.Applied{}, err
		}
	}
	if err := x.WriteFiles(ctx, ad.files); err != nil {
		return runtime.Applied{}, err
	}
	after, err := filesys.LeftAt(ad.paths()...)
	return runtime.Applied{Value: changed(true), After: after}, err
}

// Predict implements runtime.Change.
func (ad *adding) Predict(w *runtime.World) (starlark.Value, error) {
	over := filesys.Predicted(w)
	for _, dir := range ad.dirs {
		if err := over.Mkdir(dir, 0o755, filesys.Keep, filesys.Keep); err != nil {
			return nil, err
		}
	}
	return changed(true), predictFiles(over, ad.files)
}

func predictFiles(over *filesys.Overlay, files []filesys.NewFile) error {
	for _, f := range files {
		if err := over.WriteFile(f.Path, f.Content, f.Mode, f.UID, f.GID); err != nil {
			return err
		}
	}
	return nil
}
