package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/builtins/internal/reach"
)

const (
	maxDownload  = 4 << 30 // bytes
	maxHeader    = 1 << 20
	maxRedirects = 10
)

// stallTime is how long a server may send nothing before the attempt is given up.
var stallTime = time.Minute

var errStalled = errors.New("nothing more came")

// newTransport returns the client's side of HTTP. It sees every redirect itself, and the bytes as they are sent: the sum is
// theirs, so nothing may unpack them on the way.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: stallTime}).DialContext,
		TLSHandshakeTimeout:    stallTime,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: maxHeader,
	}
}

// attempt downloads once, from the beginning.
func (d *download) attempt(ctx context.Context, transport *http.Transport, f *os.File, tell teller) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(stallTime, func() { cancel(errStalled) })
	defer watch.Stop()
	response, err := d.follow(ctx, transport)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.ContentLength > maxDownload {
		return tooLong()
	}
	if err := filesys.CheckRoom(d.dst, response.ContentLength); err != nil {
		return err
	}
	progress := newBar(tell.Progress, "download "+d.shown, response.ContentLength)
	if err := d.receive(ctx, f, response.Body, progress, watch); err != nil {
		return err
	}
	progress.done()
	return nil
}

func tooLong() error {
	return fmt.Errorf("it is longer than %s, which is more than is downloaded", filesys.Bytes(maxDownload))
}

// receive writes a body to a file. What is wrong with the connection may pass, what is wrong with the file does not.
func (d *download) receive(ctx context.Context, f *os.File, body io.Reader, progress *bar, watch *time.Timer) error {
	buffer := make([]byte, 256<<10)
	for total := int64(0); ; {
		n, err := body.Read(buffer)
		watch.Reset(stallTime)
		if total += int64(n); total > maxDownload {
			return tooLong()
		}
		if _, err := f.Write(buffer[:n]); err != nil {
			return explain(d.dst, err)
		}
		progress.advance(int64(n))
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return broken(ctx, err)
		}
	}
}

// follow asks for the URL, and for what it redirects to.
func (d *download) follow(ctx context.Context, transport *http.Transport) (*http.Response, error) {
	u, way := d.url, ""
	for range maxRedirects + 1 {
		at, err := addressOf(u)
		if err != nil {
			return nil, fmt.Errorf("%sthat is no URL to download from: %w", way, err)
		}
		if err := d.need(at.Need()); err != nil {
			return nil, err
		}
		response, err := ask(ctx, transport, u)
		if err != nil {
			return nil, wrap(way, err)
		}
		if response.StatusCode == http.StatusOK {
			return response, nil
		}
		response.Body.Close()
		to, err := response.Location()
		if err != nil || response.StatusCode/100 != 3 {
			return nil, wrap(way, status(response))
		}
		u, way = to, fmt.Sprintf("redirected to %s: ", shown(to))
	}
	return nil, fmt.Errorf("%sthat is redirect number %d, and no more are followed", way, maxRedirects+1)
}

// ask sends one request. It sends nothing of an earlier one, neither as a referer nor as credentials.
func ask(ctx context.Context, transport *http.Transport, u *url.URL) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("that is no URL to download from")
	}
	request.Header.Set("User-Agent", "infrarun")
	if u.User != nil {
		password, _ := u.User.Password()
		request.SetBasicAuth(u.User.Username(), password)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, broken(ctx, err)
	}
	return response, nil
}

// broken says why a connection failed. That may pass, unless it is the certificate, or no TLS at all.
func broken(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStalled):
		return &passingError{err: fmt.Errorf("%w for %v", errStalled, stallTime)}
	case cause != nil:
		return cause
	}
	said := errors.New(reach.Reason(err, stallTime))
	if errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(tls.RecordHeaderError)) {
		return said
	}
	return &passingError{err: said}
}

// status says what a server answered instead of the file.
func status(r *http.Response) error {
	code := r.StatusCode
	err := fmt.Errorf("status %d %s", code, http.StatusText(code))
	switch {
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code >= 500:
		seconds, _ := strconv.ParseUint(r.Header.Get("Retry-After"), 10, 16)
		return &passingError{err: err, after: time.Duration(seconds) * time.Second}
	case code == http.StatusNotFound || code == http.StatusGone:
		return fmt.Errorf("%w; is the address right?", err)
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fmt.Errorf("%w; the server wants other credentials, or none help", err)
	}
	return err
}

// wrap puts the way before an error, which stays what it is.
func wrap(way string, err error) error {
	var passing *passingError
	if errors.As(err, &passing) {
		return &passingError{err: fmt.Errorf("%s%w", way, passing.err), after: passing.after}
	}
	return fmt.Errorf("%s%w", way, err)
}
