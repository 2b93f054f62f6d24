package engine

import (
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/docker/client"
)

// place is where an engine is, and how it is spoken to.
type place struct {
	address       string // unix:///var/run/docker.sock, tcp://host:2376
	tls           bool
	verify        bool   // whether its certificate must be good
	ca, cert, key string // files for TLS, "" for none
}

// speakTLS has the files of a directory be those for TLS. A socket of this machine never speaks it.
func (p *place) speakTLS(e environ, certs string, verify bool) {
	if strings.HasPrefix(p.address, "unix:") {
		return
	}
	there := func(name string) string {
		file := filepath.Join(certs, name)
		if _, err := e.readFile(file); errors.Is(err, fs.ErrNotExist) {
			return ""
		}
		return file
	}
	p.tls, p.verify = true, verify
	p.ca, p.cert, p.key = there("ca.pem"), there("cert.pem"), there("key.pem")
}

// environ is what tells where the engine is.
type environ struct {
	getenv   func(string) string
	home     func() (string, error)
	readFile func(string) ([]byte, error)
}

var realEnviron = environ{os.Getenv, os.UserHomeDir, os.ReadFile}

// find returns where the engine is, in the order in which the docker command looks.
func find(e environ) (place, error) {
	dir := configDir(e)
	if host := e.getenv(client.EnvOverrideHost); host != "" {
		p := place{address: host}
		certs, verify := e.getenv(client.EnvOverrideCertPath), e.getenv(client.EnvTLSVerify) != ""
		if certs != "" || verify || e.getenv("DOCKER_TLS") != "" {
			p.speakTLS(e, cmp.Or(certs, dir), verify)
		}
		return p, usable(p.address, client.EnvOverrideHost)
	}
	if dir == "" {
		return place{address: client.DefaultDockerHost}, nil // nowhere to have a context
	}
	name, err := currentContext(e, dir)
	if err != nil || name == "" || name == "default" {
		return place{address: client.DefaultDockerHost}, err
	}
	return contextPlace(e, dir, name)
}

// configDir is where the docker command has its settings, "" for nowhere.
func configDir(e environ) string {
	if dir := e.getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	home, err := e.home()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".docker")
}

// usable refuses an address that only the docker command understands.
func usable(address, from string) error {
	if strings.HasPrefix(address, "ssh://") {
		return fmt.Errorf("%s is %s: an engine that is reached over ssh cannot be used; run infrarun on that machine, "+
			"or unset it", from, address)
	}
	if _, err := client.ParseHostURL(address); err != nil {
		return fmt.Errorf("%s is %q, which is no address such as unix:///var/run/docker.sock: %w", from, address, err)
	}
	return nil
}

// currentContext returns the name of the context that the docker command would use.
func currentContext(e environ, dir string) (string, error) {
	if name := e.getenv("DOCKER_CONTEXT"); name != "" {
		return name, nil
	}
	file := filepath.Join(dir, "config.json")
	text, err := e.readFile(file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("find the Docker engine: %w", err)
	}
	var config struct {
		CurrentContext string `json:"currentContext"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		return "", fmt.Errorf("find the Docker engine: %s: %w", file, err)
	}
	return config.CurrentContext, nil
}

// contextPlace reads where the engine of a context is.
func contextPlace(e environ, dir, name string) (place, error) {
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	file := filepath.Join(dir, "contexts", "meta", id, "meta.json")
	text, err := e.readFile(file)
	if err != nil {
		return place{}, fmt.Errorf("find the Docker engine of the context %q: %w; docker context ls lists those that there are", name, err)
	}
	var meta struct {
		Endpoints map[string]struct {
			Host          string
			SkipTLSVerify bool
		}
	}
	if err := json.Unmarshal(text, &meta); err != nil {
		return place{}, fmt.Errorf("find the Docker engine of the context %q: %s: %w", name, file, err)
	}
	docker := meta.Endpoints["docker"]
	if docker.Host == "" {
		return place{}, fmt.Errorf("the Docker context %q has no engine; name one with DOCKER_HOST", name)
	}
	p := place{address: docker.Host}
	p.speakTLS(e, filepath.Join(dir, "contexts", "tls", id, "docker"), !docker.SkipTLSVerify)
	if p.ca+p.cert+p.key == "" && p.verify {
		p.tls, p.verify = false, false // nothing is said of TLS
	}
	return p, usable(p.address, fmt.Sprintf("the address of the Docker context %q", name))
}

// withTLS has a client speak TLS, and show a certificate if there is one.
func withTLS(p place) client.Opt {
	return func(c *client.Client) error {
		if p.verify && p.ca == "" {
			return errors.New("DOCKER_TLS_VERIFY is set, and there is no ca.pem to verify with; name its directory with DOCKER_CERT_PATH")
		}
		if p.verify {
			return client.WithTLSClientConfig(p.ca, p.cert, p.key)(c)
		}
		transport, err := insecure(p)
		if err != nil {
			return err
		}
		return client.WithHTTPClient(&http.Client{Transport: transport, CheckRedirect: client.CheckRedirect})(c)
	}
}

// insecure is a transport that does not look at the engine's certificate, as DOCKER_TLS_VERIFY= asks for.
func insecure(p place) (*http.Transport, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true} //nolint:gosec // the operator asked for it
	if p.cert+p.key != "" {
		cert, err := tls.LoadX509KeyPair(p.cert, p.key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{cert}
	}
	return &http.Transport{TLSClientConfig: config}, nil
}

// HoldsSocket reports whether who sees a path of this machine, with all below it, sees the engine's socket: then it can
// do what root can.
func HoldsSocket(path string) bool {
	sockets := []string{"/run/docker.sock", "/var/run/docker.sock"}
	if p, err := find(realEnviron); err == nil {
		if socket, ok := strings.CutPrefix(p.address, "unix://"); ok {
			sockets = append(sockets, socket)
		}
	}
	holds := func(path, socket string) bool {
		return path == socket || path == "/" || strings.HasPrefix(socket, path+"/")
	}
	path = filepath.Clean(path)
	for _, socket := range sockets {
		if holds(path, socket) || holds(really(path), really(socket)) {
			return true
		}
	}
	return false
}

// really is where a path leads, as far as it is there.
func really(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if dir := filepath.Dir(path); dir != path {
		return filepath.Join(really(dir), filepath.Base(path))
	}
	return path
}
