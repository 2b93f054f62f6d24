package git

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	sshagent "github.com/xanzy/ssh-agent"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// sshTimeout is how long connecting to a host may take.
const sshTimeout = 30 * time.Second

// sshAuth logs in with the keys of the ssh agent, or of the files that ssh itself would use, and accepts only hosts
// whose key is known.
type sshAuth struct {
	user       string
	signers    func() ([]ssh.Signer, error)
	checkHost  ssh.HostKeyCallback
	algorithms []string
}

func (*sshAuth) Name() string     { return "ssh-keys" }
func (a *sshAuth) String() string { return "user: " + a.user + ", name: " + a.Name() }

// ClientConfig implements gitssh.AuthMethod.
func (a *sshAuth) ClientConfig() (*ssh.ClientConfig, error) {
	return &ssh.ClientConfig{
		User: a.user, Auth: []ssh.AuthMethod{ssh.PublicKeysCallback(a.signers)},
		HostKeyCallback: a.checkHost, HostKeyAlgorithms: a.algorithms, Timeout: sshTimeout,
	}, nil
}

// sshSession connects to address, host:port.
func sshSession(ep *transport.Endpoint, address string) (transport.UploadPackSession, error) {
	auth := &sshAuth{user: ep.User}
	if auth.user == "" {
		me, err := user.Current()
		if err != nil {
			return nil, fmt.Errorf("whom to log in as is not said, and cannot be found out: %w", err)
		}
		auth.user = me.Username
	}
	known, err := gitssh.NewKnownHostsDb()
	if err != nil {
		return nil, unknownHost(address, err)
	}
	check := known.HostKeyCallback()
	auth.algorithms = known.HostKeyAlgorithms(address)
	auth.checkHost = func(host string, at net.Addr, key ssh.PublicKey) error {
		return explainHostKey(address, key, check(host, at, key))
	}
	if auth.signers, err = signers(strings.Trim(ep.Host, "[]")); err != nil {
		return nil, err
	}
	return gitssh.NewClient(nil).NewUploadPackSession(ep, auth)
}

// signers returns the keys to log in with.
func signers(host string) (func() ([]ssh.Signer, error), error) {
	if agent, _, err := sshagent.New(); err == nil {
		return agent.Signers, nil
	}
	var found []ssh.Signer
	for _, name := range keyFiles(host) {
		pem, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if key, err := ssh.ParsePrivateKey(pem); err == nil {
			found = append(found, key)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no key to log in to %s with: there is no ssh agent (SSH_AUTH_SOCK), and no key without a "+
			"passphrase in ~/.ssh; run ssh-add, or use https with a token", host)
	}
	return func() ([]ssh.Signer, error) { return found, nil }, nil
}

// keyFiles returns where ssh would look for keys.
func keyFiles(host string) []string {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	if name := gitssh.DefaultSSHConfig.Get(host, "IdentityFile"); name != "" && name != "~/.ssh/identity" {
		if rest, ok := strings.CutPrefix(name, "~/"); ok {
			name = filepath.Join(home, rest)
		}
		return []string{name}
	}
	var names []string
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		names = append(names, filepath.Join(home, ".ssh", name))
	}
	return names
}

// explainHostKey makes of a refused host what an operator can act on.
func explainHostKey(address string, key ssh.PublicKey, err error) error {
	var keyErr *knownhosts.KeyError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &keyErr) && len(keyErr.Want) > 0:
		return fmt.Errorf("the key of %s is not the one in %s: it has changed, or this is another host; it shows %s. "+
			"Ask its operator, then remove the old line", address, keyErr.Want[0].Filename, ssh.FingerprintSHA256(key))
	case errors.As(err, &keyErr):
		return unknownHost(address, errors.New("it shows "+ssh.FingerprintSHA256(key)))
	}
	return err
}

func unknownHost(address string, err error) error {
	host, port, splitErr := net.SplitHostPort(address)
	if splitErr != nil {
		return splitErr
	}
	scan := "ssh-keyscan " + host
	if port != "22" {
		scan = "ssh-keyscan -p " + port + " " + host
	}
	return fmt.Errorf("the host %s is not known (%w); compare its fingerprint with what its operator says, then run: "+
		"%s >> ~/.ssh/known_hosts", address, err, scan)
}
