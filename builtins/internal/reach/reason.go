package reach

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"syscall"
	"time"
)

// reasons are the usual errors of the network in the words that operators know them by.
var reasons = []struct {
	err  error
	text string
}{
	{syscall.ECONNREFUSED, "connection refused"},
	{syscall.ECONNRESET, "connection reset"},
	{syscall.EPIPE, "connection closed"},
	{syscall.EHOSTUNREACH, "no route to the host"},
	{syscall.ENETUNREACH, "network unreachable"},
	{syscall.EACCES, "not permitted, perhaps by a firewall"},
	{io.ErrUnexpectedEOF, "connection closed in the middle of the answer"},
	{io.EOF, "connection closed without an answer"},
}

// Reason says in words why an address did not answer. Timeout is how long it was given.
func Reason(err error, timeout time.Duration) string {
	var dns *net.DNSError
	if errors.As(err, &dns) && !dns.IsTimeout {
		if dns.IsNotFound {
			return fmt.Sprintf("there is no host %s", dns.Name)
		}
		return fmt.Sprintf("host %s cannot be looked up: %s", dns.Name, dns.Err)
	}
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.text
		}
	}
	var slow net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &slow) && slow.Timeout() {
		return fmt.Sprintf("no answer within %v", timeout)
	}
	return innermost(err).Error()
}

// innermost takes off what net/http and net put around an error: the address, which the operator sees anyway.
func innermost(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return err
}
