package server

import (
	"bufio"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// proxyVariables are handed on to servers.
var proxyVariables = []string{"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}

// aptSetup is how this machine reaches Debian's packages, for a server to do it in the same way.
type aptSetup struct {
	mirror string            // of bookworm
	proxy  string            // for http; "" is none
	files  map[string]string // path to content, to be put where the server does not have them
}

// certificates are where this machine has the certificates that it trusts.
const certificates = "/etc/ssl/certs/ca-certificates.crt"

// hostApt reads the settings of this machine's apt.
func hostApt() (*aptSetup, error) {
	list, err := output("apt-get", "indextargets", "--format", "$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT)")
	if err != nil {
		return nil, err
	}
	config, err := output("apt-config", "dump")
	if err != nil {
		return nil, err
	}
	proxy, err := output("apt-config", "shell", "proxy", "Acquire::http::Proxy")
	if err != nil {
		return nil, err
	}
	a := &aptSetup{proxy: strings.Trim(strings.TrimPrefix(strings.TrimSpace(proxy), "proxy="), "'"), files: map[string]string{}}
	var sources string
	if a.mirror, sources = sourcesOf(list); a.mirror == "" {
		return nil, Unavailable("a server is made from a Debian mirror, and this machine's apt has none for the component main")
	}
	a.files["/etc/apt/sources.list.d/debian.sources"] = sources
	settings, named := acquireOf(config)
	a.files["/etc/apt/apt.conf.d/90machine"] = settings
	for _, pattern := range []string{"/etc/apt/auth.conf", "/etc/apt/auth.conf.d/*", "/etc/apt/trusted.gpg.d/*", "/etc/apt/keyrings/*"} {
		found, _ := filepath.Glob(pattern) // the patterns are well formed
		named = append(named, found...)
	}
	for _, path := range named {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		a.files[path] = string(content)
	}
	return a, a.addCertificates()
}

// sourcesOf returns the mirror that this machine's apt uses, and sources of bookworm on it and on its mirror of security
// updates. The lines are "Packages URI RELEASE COMPONENT".
func sourcesOf(targets string) (mirror, sources string) {
	var security string
	for line := range strings.Lines(targets) {
		f := strings.Fields(line)
		if len(f) != 4 || f[0] != "Packages" || f[3] != "main" || !strings.HasPrefix(f[1], "http") {
			continue
		}
		switch uri, release := strings.TrimSuffix(f[1], "/"), f[2]; {
		case strings.HasSuffix(release, "-security"):
			security = uri
		case mirror == "" && !strings.ContainsAny(release, "-/"):
			mirror = uri
		}
	}
	if mirror == "" {
		return "", ""
	}
	const entry = "Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
	sources = fmt.Sprintf(entry, mirror, "bookworm bookworm-updates")
	if security != "" {
		sources += "\n" + fmt.Sprintf(entry, security, "bookworm-security")
	}
	return mirror, sources
}

// acquireOf returns the settings that say how packages are fetched, such as proxies, from the output of apt-config dump,
// and the files that they name. What would be fetched beside packages is left out.
func acquireOf(dump string) (settings string, files []string) {
	for line := range strings.Lines(dump) {
		if !strings.HasPrefix(line, "Acquire::") || strings.HasPrefix(line, "Acquire::IndexTargets") {
			continue
		}
		settings += line
		if _, value, ok := strings.Cut(strings.TrimSpace(line), ` "`); ok {
			value = strings.TrimSuffix(value, `";`)
			if info, err := os.Stat(value); filepath.IsAbs(value) && err == nil && info.Mode().IsRegular() {
				files = append(files, value)
			}
		}
	}
	return settings, files
}

// addCertificates hands on the certificates that this machine trusts beside Debian's own, one a file as
// update-ca-certificates wants them.
func (a *aptSetup) addCertificates() error {
	trusted, err := certificatesIn(certificates)
	if err != nil {
		return err
	}
	usual := map[string]bool{}
	err = filepath.WalkDir("/usr/share/ca-certificates", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return ignoreNotExist(err)
		}
		certs, err := certificatesIn(path)
		for _, c := range certs {
			usual[c] = true
		}
		return err
	})
	for i, c := range trusted {
		if !usual[c] {
			a.files[fmt.Sprintf("/usr/local/share/ca-certificates/machine-%03d.crt", i)] = c
		}
	}
	return err
}

// certificatesIn returns the certificates in a file, each as PEM.
func certificatesIn(file string) (certs []string, err error) {
	rest, err := os.ReadFile(file)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return certs, ignoreNotExist(err)
		}
		certs = append(certs, string(pem.EncodeToMemory(block)))
	}
}

func ignoreNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// write puts the files below a directory.
func (a *aptSetup) write(dir string) error {
	for path, content := range a.files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func output(argv ...string) (string, error) {
	out, err := exec.Command(argv[0], argv[1:]...).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
	}
	return string(out), nil
}

// releaseOf returns the value of a name in the text of /etc/os-release.
func releaseOf(text, name string) string {
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+"="); ok {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}
