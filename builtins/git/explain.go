package git

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/infrarun/infrarun/runtime/policy"
)

// explain turns the failure of talking to a remote repository into what was tried, why it failed and what to do.
// What the server said is left out: it is not ours to repeat, and may quote what was sent to it.
func (r remote) explain(ctx context.Context, err error) error {
	err = uncovered(err)
	var denied *policy.Denied
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &denied):
		return fmt.Errorf("fetch %s: it redirects: %w", r.src.text, denied)
	}
	return fmt.Errorf("fetch %s: %w", r.src.text, r.reason(err))
}

// uncovered returns what go-git's own errors hold, which they do not let errors.As see.
func uncovered(err error) error {
	var unexpected *plumbing.UnexpectedError
	var permanent *plumbing.PermanentError
	switch {
	case errors.As(err, &unexpected):
		return uncovered(unexpected.Err)
	case errors.As(err, &permanent):
		return uncovered(permanent.Err)
	}
	return err
}

func (r remote) reason(err error) error {
	var certificate *tls.CertificateVerificationError
	var status *githttp.Err
	var failed *url.Error
	var network *net.OpError
	switch {
	case errors.Is(err, transport.ErrRepositoryNotFound) && r.token == "" && r.src.endpoint.Protocol != "ssh":
		return errors.New("there is no such repository, or it is private; if it is, pass token = secret.env(\"…\")")
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return errors.New("there is no such repository, or this login may not see it")
	case errors.Is(err, transport.ErrAuthenticationRequired) && r.token == "":
		return errors.New("it wants a login; pass token = secret.env(\"…\")")
	case errors.Is(err, transport.ErrAuthenticationRequired), errors.Is(err, transport.ErrAuthorizationFailed):
		return errors.New("it refused the login; the token may have expired, or may not read this repository")
	case errors.Is(err, transport.ErrEmptyRemoteRepository):
		return errors.New("the repository has no commits (yet)")
	case errors.As(err, &certificate):
		return fmt.Errorf("its certificate is not trusted: %w", certificate.Err)
	case errors.As(err, &network):
		return fmt.Errorf("cannot reach %s: %w", r.src.address(), network)
	case errors.As(err, &status):
		return fmt.Errorf("the server answered %s", status.Response.Status)
	case errors.Is(err, pktline.ErrInvalidPktLen):
		return errors.New("what answers is not a git server")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection was closed before everything had come")
	case errors.As(err, &failed):
		return r.hide(failed.Err)
	case strings.Contains(err.Error(), "unable to authenticate"):
		return errors.New("it accepts none of our ssh keys; add the right one with ssh-add, or add it on the host")
	}
	return r.hide(err)
}

// hide takes the token out of an error, should a library have put it there.
func (r remote) hide(err error) error {
	text := err.Error()
	if r.token == "" || !strings.Contains(text, r.token) {
		return err
	}
	return errors.New(strings.ReplaceAll(text, r.token, "***"))
}
