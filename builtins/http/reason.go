package http

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/reach"
)

// reason says in words why there was no answer.
func reason(err error, timeout time.Duration) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return "it answers without TLS; ask for http:// instead of https://"
	case errors.As(err, &name):
		return fmt.Sprintf("the certificate is not for %s but for %s", name.Host, names(name.Certificate))
	case errors.As(err, &unknown):
		return "the certificate is signed by an authority that is not trusted; name a file with its certificate as ca_file"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("the certificate is valid from %s to %s only", day(invalid.Cert.NotBefore), day(invalid.Cert.NotAfter))
	case errors.As(err, &invalid):
		return "the certificate is not valid: " + invalid.Error()
	}
	return reach.Reason(err, timeout)
}

// names lists what a certificate is for.
func names(cert *x509.Certificate) string {
	list := append([]string{}, cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		list = append(list, ip.String())
	}
	if len(list) == 0 {
		return "no host"
	}
	return strings.Join(list, ", ")
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
