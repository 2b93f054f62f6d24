package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/client"
)

// Explain turns an error of the engine's API into one for the operator: what the engine said, or that it does not
// answer. An interrupted call ends with the cause of its context.
func Explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case client.IsErrConnectionFailed(err):
		return fmt.Errorf("the Docker engine does not answer any more: %w", err)
	}
	const prefix = "Error response from daemon: "
	if text := err.Error(); strings.HasPrefix(text, prefix) {
		return &saidError{strings.TrimSpace(strings.TrimPrefix(text, prefix)), err}
	}
	return err
}

// saidError is an error with what the engine said.
type saidError struct {
	text string
	err  error
}

func (e *saidError) Error() string { return "the Docker engine said: " + e.text }
func (e *saidError) Unwrap() error { return e.err }

// Said reports whether an error of Explain is what the engine has said: then the call has come to an end, whereas the
// engine may go on with one of which it has said nothing.
func Said(err error) bool { return errors.As(err, new(*saidError)) }

// unreachable says that there is no engine, and what to do.
func unreachable(ctx context.Context, address string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if misunderstood(err) {
		return fmt.Errorf("the Docker engine at %s cannot be spoken to: %w; see DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, "+
			"or the Docker context", address, err)
	}
	what := "start it (systemctl start docker), or name another with DOCKER_HOST"
	if errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "permission denied") {
		what = "only root and the group docker may use it"
	}
	return &UnavailableError{Address: address, hint: what, err: err}
}

// misunderstood reports whether somebody answers, but one of the two does not speak TLS, or does not trust the other's
// certificate: waiting does not help. The library tells these by their texts only.
func misunderstood(err error) bool {
	return slices.ContainsFunc([]string{"x509: ", "tls: ", "certificate", "HTTPS", "TLS"}, func(text string) bool {
		return strings.Contains(err.Error(), text)
	})
}

// UnavailableError says that no engine answers.
type UnavailableError struct {
	Address string
	hint    string
	err     error
}

func (e *UnavailableError) Error() string {
	why := ""
	if !strings.Contains(e.err.Error(), "Is the docker daemon running") { // which says no more than this error
		why = ": " + e.err.Error()
	}
	return fmt.Sprintf("the Docker engine at %s does not answer%s; %s", e.Address, why, e.hint)
}

// Unwrap returns why.
func (e *UnavailableError) Unwrap() error { return e.err }

// Gone returns the error of a call that failed, and says so if the engine has ended meanwhile: what ends with it has many
// words for that, and containers look as if they had crashed.
func Gone(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	c, asked := Open(ctx) // over a new connection: one that there is may work until the engine is through with ending
	if asked == nil {
		c.Close()
		return err
	}
	if !errors.As(asked, new(*UnavailableError)) {
		return err
	}
	return fmt.Errorf("%w\nit ended in the middle of the work: %w", asked, err)
}

// absent reports whether an error says that there is no such thing.
func absent(err error) bool { return errdefs.IsNotFound(err) }
