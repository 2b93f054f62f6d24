package git

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/infrarun/infrarun/runtime/policy"
)

// remote is what is needed to talk to a repository on the network.
type remote struct {
	src   source
	token string
	need  func(...policy.Need) error // fails for what the recipe did not declare
}

// session connects. It does not import go-git's own choice of transports, so that no program is ever started.
func (r remote) session(ctx context.Context) (transport.UploadPackSession, error) {
	ep := *r.src.endpoint // the session changes it when it is redirected
	if ep.Protocol == "ssh" {
		return await(ctx, func() (transport.UploadPackSession, error) { return sshSession(&ep, r.src.address()) })
	}
	auth, err := r.basicAuth()
	if err != nil {
		return nil, err
	}
	client := githttp.NewClient(&http.Client{Transport: http.DefaultTransport, CheckRedirect: r.checkRedirect})
	return client.NewUploadPackSession(&ep, auth)
}

// basicAuth returns how a token is sent. The hosts that issue tokens take them as the password of any user, or want
// a certain one, which is then written before a colon.
func (r remote) basicAuth() (transport.AuthMethod, error) {
	if r.token == "" {
		return nil, nil
	}
	if r.src.endpoint.Protocol != "https" {
		return nil, errors.New("a token would travel unencrypted over http; use https")
	}
	user, password, ok := strings.Cut(r.token, ":")
	if !ok {
		user, password = "x-access-token", r.token
	}
	return &githttp.BasicAuth{Username: user, Password: password}, nil
}

// checkRedirect lets a server send us only where the recipe may go. The token stays behind when the host changes.
func (r remote) checkRedirect(req *http.Request, _ []*http.Request) error {
	return r.need(policy.Need{Kind: "net", Target: hostPort(req.URL)})
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// await calls f and stops waiting for it when the context ends: connecting by ssh cannot be stopped. What comes
// back too late is closed.
func await(ctx context.Context, f func() (transport.UploadPackSession, error)) (transport.UploadPackSession, error) {
	type answer struct {
		s   transport.UploadPackSession
		err error
	}
	done := make(chan answer, 1)
	go func() {
		s, err := f()
		done <- answer{s, err}
	}()
	select {
	case a := <-done:
		return a.s, a.err
	case <-ctx.Done():
		go func() {
			if a := <-done; a.err == nil {
				a.s.Close()
			}
		}()
		return nil, context.Cause(ctx)
	}
}
