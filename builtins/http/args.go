package http

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/reach"
)

// statuses is a parameter that takes a status or a list of them.
type statuses []int

// TypeName names the type in documentation.
func (*statuses) TypeName() string { return "int or list of int" }

// Unpack implements starlark.Unpacker.
func (s *statuses) Unpack(v starlark.Value) error {
	var items []starlark.Value
	switch v := v.(type) {
	case starlark.String: // the default, as it is written in the declaration
		n, err := strconv.Atoi(string(v))
		*s = statuses{n}
		return err
	case starlark.Sequence:
		for item := range starlark.Elements(v) {
			items = append(items, item)
		}
	default:
		items = append(items, v)
	}
	*s = nil
	for _, item := range items {
		n, err := starlark.AsInt32(item)
		if err != nil || n < 100 || n > 999 {
			return fmt.Errorf("%s is no HTTP status", item)
		}
		*s = append(*s, n)
	}
	if len(*s) == 0 {
		return errors.New("the list is empty")
	}
	return nil
}

// String lists the statuses as a person would.
func (s statuses) String() string {
	texts := make([]string, len(s))
	for i, n := range s {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, " or ")
}

// parseURL accepts what is asked over TCP by HTTP.
func parseURL(text string) (*url.URL, reach.Address, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, reach.Address{}, fmt.Errorf("for parameter url: %w", errors.Unwrap(err))
	}
	at, err := addressOf(u)
	if err != nil {
		return nil, at, fmt.Errorf("for parameter url: %q: %w", u.Redacted(), err)
	}
	return u, at, nil
}

// addressOf returns where a URL leads.
func addressOf(u *url.URL) (reach.Address, error) {
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if port == "" {
		return reach.Address{}, errors.New("it does not begin with http:// or https://")
	}
	if p := u.Port(); p != "" {
		port = p
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return reach.Address{}, fmt.Errorf("port %s is no number", port)
	}
	if u.Hostname() == "" {
		return reach.Address{}, errors.New("there is no host in it")
	}
	return reach.NewAddress(u.Hostname(), n)
}
