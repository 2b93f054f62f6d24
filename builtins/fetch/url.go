package fetch

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/infrarun/infrarun/builtins/internal/reach"
)

// parseURL accepts what can be downloaded. Its errors do not quote the URL, or what net/url says about it: parts of a
// password may be in either.
func parseURL(text string) (*url.URL, reach.Address, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, reach.Address{}, errors.New("for parameter url: it is no URL; a special character in it may have to be written as %XX")
	}
	at, err := addressOf(u)
	if err != nil {
		return nil, at, fmt.Errorf("for parameter url: %w", err)
	}
	return u, at, nil
}

// addressOf returns where a URL leads.
func addressOf(u *url.URL) (reach.Address, error) {
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if port == "" {
		return reach.Address{}, errors.New("it does not begin with http:// or https://")
	}
	if u.Hostname() == "" {
		return reach.Address{}, errors.New("there is no host in it")
	}
	if p := u.Port(); p != "" {
		port = p
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return reach.Address{}, errors.New("the port is no number")
	}
	return reach.NewAddress(u.Hostname(), n)
}

// shown is a URL without what may be secret: user, password and query.
func shown(u *url.URL) string {
	text := u.Scheme + "://"
	if u.User != nil {
		text += "***@"
	}
	text += u.Host + u.EscapedPath()
	if u.RawQuery != "" {
		text += "?***"
	}
	return text
}
