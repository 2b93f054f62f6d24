package git

import (
	"crypto/ed25519"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/infrarun/infrarun/runtime/events"
)

// sshServer lets whoever has the key fetch, over ssh on the loopback.
type sshServer struct {
	t       *testing.T
	host    ssh.PublicKey
	address string
	config  *ssh.ServerConfig
	wg      sync.WaitGroup
}

// newKey makes a key, and the signer that has it.
func newKey(t *testing.T) (ed25519.PrivateKey, ssh.Signer) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, signer
}

func serveSSH(t *testing.T, client ssh.PublicKey) *sshServer {
	t.Helper()
	_, host := newKey(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sshServer{t: t, host: host.PublicKey(), address: l.Addr().String()}
	s.config = &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(client.Marshal()) {
			return nil, fmt.Errorf("not this key")
		}
		return nil, nil
	}}
	s.config.AddHostKey(host)
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); s.wg.Wait() })
	return s
}

func (s *sshServer) serve(conn net.Conn) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		return // refused, which is what some tests want
	}
	go ssh.DiscardRequests(requests)
	for c := range channels {
		channel, requests, err := c.Accept()
		if err != nil {
			return
		}
		for r := range requests {
			if r.Type == "exec" {
				r.Reply(true, nil)
				s.exec(channel, string(r.Payload[4:]))
				channel.Close()
			}
		}
	}
}

// exec runs what a client asks for, if it is git-upload-pack.
func (s *sshServer) exec(channel ssh.Channel, command string) {
	dir, ok := strings.CutPrefix(command, "git-upload-pack '")
	if !ok {
		s.t.Errorf("the client wanted to run %q", command)
		return
	}
	c := exec.Command("git", "upload-pack", strings.TrimSuffix(dir, "'"))
	c.Stdout, c.Stderr = channel, channel.Stderr()
	stdin, err := c.StdinPipe() // so that Run does not wait for a client that says nothing more
	if err != nil {
		s.t.Error(err)
		return
	}
	s.wg.Go(func() {
		io.Copy(stdin, channel)
		stdin.Close()
	})
	status := byte(0)
	if c.Run() != nil {
		status = 1
	}
	channel.SendRequest("exit-status", false, []byte{0, 0, 0, status})
}

func TestSSH(t *testing.T) {
	w, _, second := sample(t)
	key, signer := newKey(t)
	s := serveSSH(t, signer.PublicKey())
	url := "ssh://git@" + s.address + w.dir
	known := filepath.Join(t.TempDir(), "known_hosts")
	t.Setenv("SSH_KNOWN_HOSTS", known)
	recipe := resolveRecipe(url, "main", second)
	f := fixture(t, nil).Grant("net", s.address)

	f.Run(recipe).Want(events.Refused).WantError("the host "+s.address+" is not known", "ssh-keyscan -p")
	know := func(host ssh.PublicKey) {
		if err := os.WriteFile(known, []byte(knownhosts.Line([]string{s.address}, host)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	know(s.host)
	f.Run(recipe).Want(events.Refused).WantError("no key to log in to", "ssh-add")
	addKey := func(key ed25519.PrivateKey) {
		block, err := ssh.MarshalPrivateKey(key, "")
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(os.Getenv("HOME"), ".ssh")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "id_ed25519"), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
	}
	stranger, other := newKey(t)
	addKey(stranger)
	f.Run(recipe).Want(events.Refused).WantError("accepts none of our ssh keys")
	addKey(key)
	know(other.PublicKey())
	f.Run(recipe).Want(events.Refused).WantError("the key of "+s.address+" is not the one in "+known, ssh.FingerprintSHA256(s.host))
	know(s.host)
	f.Run(recipe).Want(events.Succeeded)
	third := w.commit("third")
	f.Run(resolveRecipe(url, "main", third)).Want(events.Succeeded)
	f.Run(resolveRecipe(url, third, third)).Want(events.Succeeded)
	f.Run(fmt.Sprintf(`git.resolve(%q)`, url+"-nope")).Want(events.Refused).WantError("there is no such repository")
}
