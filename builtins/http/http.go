// Package http is the builtin that asks a URL whether it answers as it should.
//
//	http_check(url, status = 200, contains = "", matches = "", json = {}, headers = {}, method = "GET", body = "",
//	           timeout = 5, retries = 0, interval = 2, deadline = 0, insecure = False, ca_file = "", follow = True)
//
// It never fails because of the answer: what was wrong, at each attempt, is in what it returns. A preview asks only what
// changes nothing, and at most once; an address of this machine at which a process of the run will listen is assumed to
// answer.
//
//	http.go     the declaration, and the call from beginning to end
//	args.go     the URL and the statuses that it takes
//	attempt.go  one request and its redirects
//	expect.go   what the answer must be like
//	reason.go   errors in words
package http

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/builtins/internal/reach"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// Family returns the builtin.
func Family() *runtime.Family {
	return &runtime.Family{
		Name:        "",
		Doc:         "http_check asks whether a URL answers as it should.",
		Builtins:    []*runtime.Builtin{checkBuiltin},
		Permissions: map[string]policy.Matcher{"net": policy.Hosts{}},
	}
}

type args struct {
	URL      string            `arg:"url" doc:"what to ask, http or https"`
	Status   statuses          `arg:"status" default:"200" doc:"the status wanted, or a list of those that will do"`
	Contains string            `arg:"contains" default:"" doc:"a text that the body must have in it"`
	Matches  string            `arg:"matches" default:"" doc:"a regular expression (RE2) that must match in the body"`
	JSON     *starlark.Dict    `arg:"json" default:"" doc:"fields of the body, which must be JSON, and their values; a.b.0 is the first item of b in a"`
	Headers  runtime.StringMap `arg:"headers" default:"" doc:"headers to send; they go to the address of the URL only, not on to where it redirects"`
	Method   string            `arg:"method" default:"GET" doc:"the method; a preview sends GET, HEAD and OPTIONS only, and a recipe that only looks may send no other"`
	Body     string            `arg:"body" default:"" doc:"what to send"`
	Timeout  runtime.Seconds   `arg:"timeout" default:"5s" doc:"how long an attempt may take"`
	Retries  int               `arg:"retries" default:"0" doc:"how often to try again"`
	Interval runtime.Seconds   `arg:"interval" default:"2s" doc:"how long to wait between attempts"`
	Deadline runtime.Seconds   `arg:"deadline" default:"0s" doc:"try again until this much time is over; 0: go by retries alone"`
	Insecure bool              `arg:"insecure" default:"false" doc:"accept any certificate"`
	CAFile   string            `arg:"ca_file" default:"" doc:"a file of certificates (PEM) to trust besides the system's; takes fs.read"`
	Follow   bool              `arg:"follow" default:"true" doc:"follow redirects, at most 10, each to where the recipe may reach"`
}

var checkBuiltin = runtime.Define(runtime.Builtin{
	Name: "http_check", Permission: "net on the URL's host:port, and on that of every redirect",
	Returns: "struct(ok, status, body, error, seconds, attempts), attempts being a list of struct(n, ok, status, error, seconds)",
	Doc: "Asks a URL and compares the answer, again and again if it is told to. It never fails because of the answer: ok says " +
		"whether the last attempt was as wanted, and error why not, such as: connection refused; status 500, want 200; json " +
		"field status is \"starting\", want \"healthy\". body is the first 64 KiB; status is 0 without an answer; of many " +
		"attempts the last 100 are kept. In a preview an address of this machine at which a process of the run will listen is " +
		"assumed to answer, with an empty body, and everything else is asked once.",
	Example: `up = http_check("http://localhost:8082/api/v1/health", json = {"status": "healthy"}, deadline = 60)` +
		"\nif not up.ok:\n    fail(\"the console is not healthy: \" + up.error)",
}, check)

// check is http_check.
func check(c *runtime.Call, a args) (starlark.Value, error) {
	ck, err := newChecker(c, a)
	if err != nil {
		return nil, err
	}
	if err := c.Need(ck.at.Need()); err != nil {
		return nil, err
	}
	if v := ck.predicted(); v != nil {
		return v, nil
	}
	if err := ck.open(); err != nil {
		return nil, err
	}
	defer ck.transport.CloseIdleConnections()
	err = ck.plan().Repeat(c, ck.shown, func(ctx context.Context, n int) (bool, string, error) {
		body := ck.body
		got, err := ck.attempt(ctx)
		if reach.Cut(ctx, n, got.ok) {
			ck.body = body
			return false, "", err
		}
		got.n = n
		ck.keep(got)
		return got.ok, got.reason, err
	})
	if err != nil {
		return nil, err
	}
	return ck.result(), nil
}

// checker is one call.
type checker struct {
	args
	call    *runtime.Call
	url     *url.URL
	at      reach.Address
	shown   string         // the URL without a password
	matches *regexp.Regexp // nil: none
	begin   time.Time

	transport *http.Transport
	attempts  []outcome // the last keptAttempts
	body      string    // of the last
}

const keptAttempts = 100

// outcome is what came of an attempt.
type outcome struct {
	n      int
	ok     bool
	status int // 0: no answer
	reason string
	took   time.Duration
}

func newChecker(c *runtime.Call, a args) (*checker, error) {
	ck := &checker{args: a, call: c, begin: time.Now()}
	var err error
	if ck.url, ck.at, err = parseURL(a.URL); err != nil {
		return nil, err
	}
	ck.shown = ck.url.Redacted()
	if a.Matches != "" {
		if ck.matches, err = regexp.Compile(a.Matches); err != nil {
			return nil, fmt.Errorf("for parameter matches: %w", err)
		}
	}
	switch {
	case a.Retries < 0:
		return nil, fmt.Errorf("for parameter retries: %d is negative", a.Retries)
	case a.Timeout.Duration == 0:
		return nil, errors.New("for parameter timeout: it is 0; an attempt needs some time")
	case a.Insecure && a.CAFile != "":
		return nil, errors.New("insecure accepts any certificate, so ca_file would mean nothing; give one of them")
	}
	if !harmless(ck.Method) {
		if err := c.Acts(); err != nil {
			return nil, err
		}
	}
	return ck, nil
}

// plan says how often to try. A preview does not wait for anything.
func (ck *checker) plan() reach.Plan {
	p := reach.Plan{Attempts: ck.Retries + 1, Interval: ck.Interval.Duration, Deadline: ck.Deadline.Duration}
	switch {
	case ck.call.Preview():
		return reach.Plan{Attempts: 1}
	case ck.Deadline.Duration > 0 && ck.Retries == 0:
		p.Attempts = 0
	}
	return p
}

// predicted is the result that a preview predicts, nil if it asks.
func (ck *checker) predicted() starlark.Value {
	if !ck.call.Preview() {
		return nil
	}
	switch state, by := ck.at.Predicted(ck.call.Reader()); {
	case state == ports.Free:
		ck.keep(outcome{n: 1, reason: "nothing will listen on " + ck.at.String()})
	case state == ports.Taken:
		ck.call.Assume("%s answers %s as wanted", by, ck.shown)
		ck.keep(outcome{n: 1, ok: true, status: ck.Status[0]})
	case !harmless(ck.Method):
		ck.call.Assume("%s %s is answered as wanted", ck.Method, ck.shown)
		ck.keep(outcome{n: 1, ok: true, status: ck.Status[0]})
	default:
		return nil
	}
	return ck.result()
}

// harmless reports whether a method is meant to change nothing (RFC 9110, 9.2.1).
func harmless(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}
