package git

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/transport"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"

	"github.com/infrarun/infrarun/runtime/policy"
)

// source is where a repository is. It never holds a credential, so it may stand in an error, an event
// and the marker of a release.
type source struct {
	text string // as shown, and what names the mirror
	path string // of a local repository, absolute; "" for a remote one
	// endpoint is what the transport connects to; nil for a local repository.
	endpoint *transport.Endpoint
}

// scpLike is user@host:path, as git reads it when no slash comes before the first colon.
var scpLike = regexp.MustCompile(`^(?:([^@/:]+)@)?(\[[^\]]+\]|[^:/@]+):(.+)$`)

// parseSource reads a URL, an scp-like address or a path, which is relative to dir. Its errors do not repeat
// a credential that stands in a URL.
func parseSource(text, dir string) (source, error) {
	switch {
	case text == "":
		return source{}, errors.New("the repository's URL is empty")
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return source{}, fmt.Errorf("repository %q: a URL has no control characters", text)
	case strings.Contains(text, "://"):
		return parseURL(text)
	}
	if m := scpLike.FindStringSubmatch(text); m != nil {
		return sshSource(text, m[1], m[2], 0, m[3])
	}
	return localSource(text, dir), nil
}

func localSource(name, dir string) source {
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	name = filepath.Clean(name)
	return source{text: name, path: name}
}

func parseURL(text string) (source, error) {
	u, err := url.Parse(text)
	if err != nil {
		// The error would repeat the URL, which may hold a password.
		return source{}, errors.New("the repository's URL cannot be parsed; write https://host/path, ssh://user@host/path or a path")
	}
	port, err := portOf(u)
	if err != nil {
		return source{}, err
	}
	switch u.Scheme {
	case "file":
		if u.Host != "" && u.Host != "localhost" {
			return source{}, fmt.Errorf("repository %s: a file URL names no other host", u.Redacted())
		}
		if !path.IsAbs(u.Path) {
			return source{}, fmt.Errorf("repository %s: a file URL needs an absolute path", u.Redacted())
		}
		return localSource(filepath.FromSlash(u.Path), ""), nil
	case "http", "https":
		return webSource(u, port)
	case "ssh":
		if _, ok := u.User.Password(); ok {
			return source{}, fmt.Errorf("repository on %s: an ssh URL takes no password; add the key to the ssh agent", u.Host)
		}
		return sshSource(text, u.User.Username(), u.Hostname(), port, u.Path)
	}
	return source{}, fmt.Errorf("repository on %s: the scheme %q is not supported; use https, ssh or a path", u.Host, u.Scheme)
}

func portOf(u *url.URL) (int, error) {
	if u.Port() == "" {
		return 0, nil
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("repository on %s: %q is no port", u.Hostname(), u.Port())
	}
	return int(port), nil
}

func webSource(u *url.URL, port int) (source, error) {
	switch {
	case u.User != nil:
		return source{}, fmt.Errorf("repository on %s: a URL is shown in logs and must hold no user or password; "+
			"write it without, and pass token = secret.env(\"…\")", u.Host)
	case u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") == "":
		return source{}, fmt.Errorf("repository %s: want https://host/path", u.Redacted())
	}
	ep := &transport.Endpoint{Protocol: u.Scheme, Host: bracketed(u.Hostname()), Port: port, Path: u.EscapedPath()}
	return source{text: strings.TrimRight(u.String(), "/"), endpoint: ep}, nil
}

func sshSource(text, user, host string, port int, name string) (source, error) {
	host = strings.Trim(host, "[]")
	// A host or path that begins with a dash would be an option to the programs at the other end.
	// Git takes x::y for the name of a program.
	if host == "" || host[0] == '-' || strings.Trim(name, "/") == "" || name[0] == '-' || name[0] == ':' {
		return source{}, fmt.Errorf("repository %s: want ssh://user@host/path or user@host:path", text)
	}
	ep := &transport.Endpoint{Protocol: "ssh", User: user, Host: bracketed(host), Port: port, Path: name}
	return source{text: strings.TrimRight(text, "/"), endpoint: ep}, nil
}

func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func (s source) local() bool { return s.endpoint == nil }

// address returns host:port of a remote repository, where an alias of the ssh configuration leads.
func (s source) address() string {
	host, port := strings.Trim(s.endpoint.Host, "[]"), s.endpoint.Port
	switch s.endpoint.Protocol {
	case "http":
		port = cmpOr(port, 80)
	case "https":
		port = cmpOr(port, 443)
	case "ssh":
		if real := gitssh.DefaultSSHConfig.Get(host, "Hostname"); real != "" {
			if p, err := strconv.Atoi(gitssh.DefaultSSHConfig.Get(host, "Port")); err == nil {
				port = p
			}
			host = real
		}
		port = cmpOr(port, gitssh.DefaultPort)
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

func cmpOr(port, byDefault int) int {
	if port == 0 {
		return byDefault
	}
	return port
}

// needs are the permissions for reading the repository.
func (s source) needs() policy.Need {
	if s.local() {
		return policy.Need{Kind: "fs.read", Target: s.path}
	}
	return policy.Need{Kind: "net", Target: s.address()}
}

// beside resolves the URL of a submodule: one that begins with ./ or ../ is relative to the repository that
// names it. A repository from the network must not name a path of this machine.
func (s source) beside(text string) (source, error) {
	relative := strings.HasPrefix(text, "./") || strings.HasPrefix(text, "../")
	switch {
	case !relative:
		sub, err := parseSource(text, "")
		if err == nil && sub.local() && (!s.local() || !filepath.IsAbs(text) && !strings.HasPrefix(text, "file:")) {
			return source{}, fmt.Errorf("%s is a path on this machine, which %s must not name", text, s.text)
		}
		return sub, err
	case s.local():
		return localSource(filepath.FromSlash(text), s.path), nil
	}
	joined := path.Join(s.endpoint.Path, text)
	if joined == "." || joined == "/" || strings.HasPrefix(joined, "..") || climbs(s.endpoint.Path, text) {
		return source{}, fmt.Errorf("%s leads out of the host of %s", text, s.text)
	}
	base, ok := strings.CutSuffix(s.text, strings.TrimRight(s.endpoint.Path, "/"))
	if !ok {
		return source{}, fmt.Errorf("%s cannot be resolved against %s", text, s.text)
	}
	return parseSource(base+joined, "")
}

// climbs reports whether rel has more ../ than base has components.
func climbs(base, rel string) bool {
	depth := len(strings.FieldsFunc(base, func(r rune) bool { return r == '/' }))
	for _, c := range strings.Split(rel, "/") {
		switch c {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return false
}
