package http

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime/policy"
)

const (
	maxBody      = 1 << 20  // what is read of a body, to compare it
	shownBody    = 64 << 10 // what a recipe sees of it
	maxHeader    = 1 << 20
	maxCAFile    = 4 << 20
	maxRedirects = 10
)

// open makes the transport. Each call has its own, so that nothing is left open behind it and no answer comes from a
// connection that was made before the service was restarted.
func (ck *checker) open() error {
	config, err := ck.tlsConfig()
	if err != nil {
		return err
	}
	ck.transport = &http.Transport{
		Proxy:                  http.ProxyFromEnvironment, // which never takes one for localhost
		TLSClientConfig:        config,
		DisableKeepAlives:      true,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: maxHeader,
	}
	return nil
}

func (ck *checker) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{InsecureSkipVerify: ck.Insecure} // the recipe asked for it
	if ck.CAFile == "" {
		return config, nil
	}
	path := filesys.Abs(ck.call.BaseDir(), ck.CAFile)
	if err := ck.call.Need(policy.Need{Kind: "fs.read", Target: path}); err != nil {
		return nil, err
	}
	pem, err := filesys.Read(ck.call.Reader()).ReadFile(path, maxCAFile)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	if config.RootCAs, err = x509.SystemCertPool(); err != nil {
		config.RootCAs = x509.NewCertPool()
	}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file: %s has no certificate in it; it must be PEM", path)
	}
	return config, nil
}

// attempt asks once. Its error ends the call: the recipe may not reach where it was sent.
func (ck *checker) attempt(ctx context.Context) (outcome, error) {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, ck.Timeout.Duration)
	defer cancel()
	got, err := ck.ask(ctx)
	var denied *policy.Denied
	switch {
	case errors.As(err, &denied):
		return got, denied
	case err != nil:
		limit := ck.Timeout.Duration
		if ck.Deadline.Duration > 0 {
			limit = min(limit, ck.Deadline.Duration)
		}
		got.reason = reason(err, limit)
	}
	got.ok = got.reason == ""
	got.took = time.Since(begin)
	return got, nil
}

// ask sends the request and compares the answer.
func (ck *checker) ask(ctx context.Context) (got outcome, err error) {
	ck.body = ""
	request, err := http.NewRequestWithContext(ctx, ck.Method, ck.url.String(), strings.NewReader(ck.Body))
	if err != nil {
		return got, err
	}
	request.Header.Set("User-Agent", "infrarun")
	for name, value := range ck.Headers {
		request.Header.Set(name, value)
		if strings.EqualFold(name, "Host") {
			request.Host = value
		}
	}
	client := &http.Client{Transport: ck.transport, CheckRedirect: ck.redirect}
	response, err := client.Do(request)
	if err != nil {
		return got, err
	}
	defer response.Body.Close()
	got.status = response.StatusCode
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	ck.body = string(body)
	if err != nil {
		return got, fmt.Errorf("the body: %w", err)
	}
	got.reason = ck.compare(got.status, ck.body)
	return got, nil
}

// redirect decides about one. Where it leads is checked against the permissions like the URL itself, and the headers of
// the recipe, which may be tokens, go to no other place than the one they were given for.
func (ck *checker) redirect(to *http.Request, via []*http.Request) error {
	if !ck.Follow {
		return http.ErrUseLastResponse
	}
	if len(via) >= maxRedirects {
		return fmt.Errorf("more than %d redirects, the last to %s", maxRedirects, to.URL.Redacted())
	}
	at, err := addressOf(to.URL)
	if err != nil {
		return fmt.Errorf("redirect to %q: %w", to.URL.Redacted(), err)
	}
	if err := ck.call.Need(at.Need()); err != nil {
		return err
	}
	if !sameOrigin(to.URL, ck.url) {
		for name := range ck.Headers {
			to.Header.Del(name)
		}
	}
	return nil
}

func sameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host) }

// keep remembers an attempt.
func (ck *checker) keep(o outcome) {
	if len(ck.attempts) == keptAttempts {
		ck.attempts = ck.attempts[1:]
	}
	ck.attempts = append(ck.attempts, o)
}

// result is what the recipe gets.
func (ck *checker) result() starlark.Value {
	list := make([]starlark.Value, len(ck.attempts))
	for i, o := range ck.attempts {
		fields := o.fields()
		fields["n"] = starlark.MakeInt(o.n)
		fields["seconds"] = starlark.Float(o.took.Seconds())
		list[i] = starlarkstruct.FromStringDict(starlarkstruct.Default, fields)
	}
	fields := ck.attempts[len(ck.attempts)-1].fields()
	fields["body"] = starlark.String(cut(ck.body, shownBody))
	fields["seconds"] = starlark.Float(time.Since(ck.begin).Seconds())
	fields["attempts"] = starlark.NewList(list)
	return starlarkstruct.FromStringDict(starlarkstruct.Default, fields)
}

func (o outcome) fields() starlark.StringDict {
	return starlark.StringDict{
		"ok":     starlark.Bool(o.ok),
		"status": starlark.MakeInt(o.status),
		"error":  starlark.String(o.reason),
	}
}

// cut is the start of a text, at most n bytes, without a part of a character at its end.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
