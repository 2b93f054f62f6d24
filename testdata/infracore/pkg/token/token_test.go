package token

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"infracore/pkg/config"
)

const secret = "0123456789abcdef0123456789abcdef"

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func newToken(t testing.TB, expires time.Time) string {
	t.Helper()
	tok, err := New(secret, expires)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestVerify(t *testing.T) {
	good := newToken(t, noon)
	parts := strings.Split(good, ".")
	later := strings.Split(newToken(t, noon.Add(time.Hour)), ".")
	none := enc.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	tests := []struct {
		name, secret, token string
		now                 time.Time
		want                string // in the error; empty: none
	}{
		{"valid", secret, good, noon.Add(-time.Second), ""},
		{"expired", secret, good, noon, "expired"},
		{"another secret", secret + "x", good, noon.Add(-time.Second), "signature"},
		{"no secret", "", good, noon.Add(-time.Second), "secret"},
		{"another's claims", secret, parts[0] + "." + later[1] + "." + parts[2], noon, "signature"},
		{"no algorithm", secret, none + "." + parts[1] + ".", noon.Add(-time.Second), "HS256"},
		{"no signature", secret, parts[0] + "." + parts[1] + ".", noon.Add(-time.Second), "signature"},
		{"two parts", secret, parts[0] + "." + parts[1], noon, "three parts"},
		{"empty", secret, "", noon, "three parts"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Verify(tt.secret, tt.token, tt.now)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestGuard(t *testing.T) {
	valid := "Bearer " + newToken(t, time.Now().Add(time.Hour))
	tests := []struct {
		name, method, auth string
		require            bool
		want               int
	}{
		{"reading needs none", http.MethodGet, "", true, http.StatusOK},
		{"writing needs one", http.MethodPost, "", true, http.StatusUnauthorized},
		{"writing with one", http.MethodPost, valid, true, http.StatusOK},
		{"writing with a bad one", http.MethodDelete, valid + "x", true, http.StatusUnauthorized},
		{"the bare token", http.MethodPost, strings.TrimPrefix(valid, "Bearer "), true, http.StatusUnauthorized},
		{"not required", http.MethodPost, "", false, http.StatusOK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := Guard(config.Config{RequireToken: tt.require, JWTSecret: secret},
				http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			req := httptest.NewRequest(tt.method, "/", nil)
			req.Header.Set("Authorization", tt.auth)
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, req)
			if rec.Code != tt.want {
				t.Errorf("status %d, want %d", rec.Code, tt.want)
			}
		})
	}
}

// Whatever bytes come, the only token that passes is one that carries our signature over exactly these bytes.
func FuzzVerify(f *testing.F) {
	good := newToken(f, noon)
	for _, seed := range []string{good, "", "..", good + "\n", good + ".", header + "..", strings.ToUpper(good)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, tok string) {
		if Verify(secret, tok, noon.Add(-time.Second)) == nil && tok != good {
			t.Errorf("%q passes", tok)
		}
	})
}
