// Package token makes and checks the tokens that allow writing: JSON Web Tokens (RFC 7519) signed with HS256,
// the one algorithm that is accepted, whatever a token's header claims.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// claims are the registered claims that are used: when it ends, in seconds since 1970.
type claims struct {
	Expires int64 `json:"exp"`
}

// header is fixed: {"alg":"HS256","typ":"JWT"}.
const header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"

var enc = base64.RawURLEncoding

// New returns a token that is valid until expires, to whole seconds.
func New(secret string, expires time.Time) (string, error) {
	if secret == "" {
		return "", errors.New("make a token: the secret is empty: set INFRA_CORE_JWT_SECRET")
	}
	body, err := json.Marshal(claims{expires.Unix()})
	if err != nil {
		return "", fmt.Errorf("make a token: %w", err)
	}
	signed := header + "." + enc.EncodeToString(body)
	return signed + "." + sign(secret, signed), nil
}

// Verify returns nil when token was made with secret and has not expired at now.
func Verify(secret, token string, now time.Time) error {
	if secret == "" {
		return errors.New("no token can be checked without a secret")
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("the token does not have three parts")
	}
	// Comparing the header to the one that New writes leaves an attacker no algorithm to choose.
	if parts[0] != header {
		return errors.New("the token is not signed with HS256")
	}
	// The encoded forms are compared: decoding accepts several spellings of the same bytes.
	if !hmac.Equal([]byte(parts[2]), []byte(sign(secret, parts[0]+"."+parts[1]))) {
		return errors.New("the token's signature is wrong")
	}
	body, err := enc.DecodeString(parts[1])
	if err != nil {
		return errors.New("the token's claims are not base64")
	}
	var c claims
	if err := json.Unmarshal(body, &c); err != nil {
		return errors.New("the token's claims are not JSON")
	}
	if now.Unix() >= c.Expires {
		return errors.New("the token has expired")
	}
	return nil
}

// sign returns the signature of text, encoded.
func sign(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return enc.EncodeToString(mac.Sum(nil))
}
