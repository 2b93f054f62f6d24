package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// setOf returns a set of the given secrets.
func setOf(t testing.TB, secrets ...string) *Set {
	t.Helper()
	s := New()
	for _, secret := range secrets {
		if err := s.Add(secret); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestString(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	const odd = `p"a<s>s'w/o r\d+é😀`
	tests := []struct {
		name    string
		secrets []string
		text    string
		want    string
	}{
		{"plain", []string{"hunter22"}, "password hunter22, again hunter22.", "password [secret], again [secret]."},
		{"none", []string{"hunter22"}, "hunter2 is shorter", "hunter2 is shorter"},
		{"empty text", []string{"hunter22"}, "", ""},
		{"whole text", []string{"hunter22"}, "hunter22", "[secret]"},
		{"side by side", []string{"hunter22"}, "hunter22hunter22", "[secret][secret]"},
		{"longest wins", []string{"hunter", "hunter22"}, "hunter22 hunter2", "[secret] [secret]2"},
		{"overlap is hidden together", []string{"abcdefgh", "efghijkl"}, "-abcdefghijkl-", "-[secret]-"},
		{"one inside of another", []string{"abcdefghijkl", "cdefgh"}, "-abcdefghijkl-cdefgh-", "-[secret]-[secret]-"},
		{"overlap with itself", []string{"aaaaaa"}, "baaaaaaaab", "b[secret]b"},
		{"not UTF-8", []string{"\xff\xfe\xfd\x00\x01\x02"}, "x\xff\xfe\xfd\x00\x01\x02y", "x[secret]y"},
		{"newline of a secret file", []string{"hunter22\n"}, "hunter22 hunter22\n", "[secret] [secret]"},
		{"short with newline", []string{"s3cr3t\n"}, "is s3cr3t.", "is [secret]."},
		{"lines", []string{"line-number-one\nshort\n  line-number-two\n"}, "a line-number-two b short line-number-one", "a [secret] b short [secret]"},
		{"mark in a line", []string{"first-line\n[secret]\n"}, "[secret] first-line", "[secret] [secret]"},
		{"basic auth", []string{"hunter22"}, "Authorization: Basic " + b64([]byte("me:hunter22")), "Authorization: Basic bWU6[secret]"},
		{"basic auth, not aligned", []string{"hunter22"}, "Basic " + b64([]byte("user:hunter22@h")), "Basic dXNlcjp[secret]kBo"},
		{"base64 by itself", []string{"hunter2"}, "<" + b64([]byte("hunter2")) + ">", "<[secret]>"},
		{"base64 unpadded", []string{"hunter2"}, "<" + base64.RawURLEncoding.EncodeToString([]byte("hunter2")) + ">", "<[secret]>"},
		{"base64 in a query", []string{"a>>b??c~"}, url.QueryEscape(b64([]byte("a>>b??c~"))), "[secret]"},
		{"hex", []string{"hunter22"}, fmt.Sprintf("%x %X", "hunter22", "hunter22"), "[secret] [secret]"},
		{"JSON", []string{odd}, jsonOf(t, odd), `"[secret]"`},
		{"JSON ASCII", []string{odd}, `"p\"a<s>s'w/o r\\d+\u00e9\ud83d\ude00"`, `"[secret]"`},
		{"Go", []string{odd}, fmt.Sprintf("%q %+q", odd, odd), `"[secret]" "[secret]"`},
		{"shell", []string{odd}, `'p"a<s>s'\''w/o r\d+é😀'`, `'[secret]'`},
		{"query", []string{odd}, "?t=" + url.QueryEscape(odd), "?t=[secret]"},
		{"path", []string{odd}, "/t/" + url.PathEscape(odd), "/t/[secret]"},
		{"user", []string{odd}, (&url.URL{Scheme: "https", User: url.UserPassword("me", odd), Host: "h"}).String(), "https://me:[secret]@h"},
		{"JavaScript", []string{odd}, "p%22a%3Cs%3Es'w%2Fo%20r%5Cd%2B%C3%A9%F0%9F%98%80", "[secret]"},
		{"lower case percent", []string{odd}, strings.ToLower(url.QueryEscape(odd)), "[secret]"},
		{"base64 of JSON", []string{odd}, b64([]byte(jsonOf(t, odd) + `}`)), "In[secret]AifQ=="},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := setOf(t, tt.secrets...)
			got := s.String(tt.text)
			if got != tt.want {
				t.Errorf("String(%q)\n got %q\nwant %q", tt.text, got, tt.want)
			}
			if again := s.String(got); again != got {
				t.Errorf("String of its own result %q is %q", got, again)
			}
			if found, want := s.Contains([]byte(tt.text)), got != tt.text; found != want && !strings.Contains(tt.text, Mark) {
				t.Errorf("Contains(%q) = %v", tt.text, found)
			}
			if s.Contains([]byte(got)) {
				t.Errorf("Contains finds a secret in the result %q", got)
			}
		})
	}
}

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAddRefuses(t *testing.T) {
	for _, tt := range []struct{ value, want string }{
		{"", "0 bytes is too short"},
		{"zq9x1", "5 bytes is too short"},
		{"\n\n zq9x1 \n\n", "5 bytes is too short"},
		{"secret", "part of [secret]"},
		{"[secret]", "part of [secret]"},
	} {
		s := New()
		err := s.Add(tt.value)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Add(%q) = %v, want an error with %q", tt.value, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "zq9x1") {
			t.Errorf("the error %q gives the secret away", err)
		}
		if got := s.String("x " + tt.value); got != "x "+tt.value {
			t.Errorf("the refused %q is hidden all the same: %q", tt.value, got)
		}
	}
}

func TestEmptySetCostsNothing(t *testing.T) {
	for name, s := range map[string]*Set{"new": New(), "nil": nil} {
		data := map[string]any{"k": "v"}
		allocs := testing.AllocsPerRun(10, func() {
			_ = s.String("some text")
			_ = s.Contains([]byte("some text"))
			_ = s.Any(data)
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations without a secret", name, allocs)
		}
	}
}

func TestPrintedSetShowsNothing(t *testing.T) {
	s := setOf(t, "hunter22")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(verb, s); s.Contains([]byte(text)) {
			t.Errorf("%s of a set shows its secret: %s", verb, text)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	s := New()
	var wg sync.WaitGroup
	for i := range 8 {
		secret := "secret-number-" + strconv.Itoa(i)
		wg.Go(func() {
			if err := s.Add(secret); err != nil {
				t.Error(err)
			}
			if got := s.String("is " + secret); got != "is [secret]" {
				t.Errorf("after Add(%q): %q", secret, got)
			}
		})
	}
	wg.Wait()
	for i := range 8 {
		if got := s.String("secret-number-" + strconv.Itoa(i)); got != Mark {
			t.Errorf("secret %d was lost: %q", i, got)
		}
	}
}

// embeddings are the ways a secret gets into a text. leak returns the part of the result that would give the
// secret away; it is worked out apart from the code under test.
var embeddings = map[string]struct {
	embed func(before, secret, after string) string
	leak  func(before, secret string) string
}{
	"plain": {func(b, s, a string) string { return b + s + a }, func(_, s string) string { return s }},
	"hex": {func(b, s, a string) string { return hex.EncodeToString([]byte(b + s + a)) },
		func(_, s string) string { return hex.EncodeToString([]byte(s)) }},
	"HEX": {func(b, s, a string) string { return strings.ToUpper(hex.EncodeToString([]byte(b + s + a))) },
		func(_, s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }},
	"query":     {func(b, s, a string) string { return url.QueryEscape(b + s + a) }, func(_, s string) string { return url.QueryEscape(s) }},
	"path":      {func(b, s, a string) string { return url.PathEscape(b + s + a) }, func(_, s string) string { return url.PathEscape(s) }},
	"go":        {func(b, s, a string) string { return strconv.Quote(b + s + a) }, func(_, s string) string { return strings.Trim(strconv.Quote("|"+s+"|"), `"`)[1:] }},
	"base64":    base64Embedding(base64.StdEncoding),
	"base64raw": base64Embedding(base64.RawStdEncoding),
	"base64url": base64Embedding(base64.URLEncoding),
	"shell": {func(b, s, a string) string { return "'" + strings.ReplaceAll(b+s+a, "'", `'\''`) + "'" },
		func(_, s string) string { return strings.ReplaceAll(s, "'", `'\''`) }},
	"json": {func(b, s, a string) string { j, _ := json.Marshal(b + s + a); return string(j) },
		func(_, s string) string { j, _ := json.Marshal(s); return string(j[1 : len(j)-1]) }},
}

func base64Embedding(enc *base64.Encoding) struct {
	embed func(before, secret, after string) string
	leak  func(before, secret string) string
} {
	return struct {
		embed func(before, secret, after string) string
		leak  func(before, secret string) string
	}{
		func(b, s, a string) string { return enc.EncodeToString([]byte(b + s + a)) },
		func(b, s string) string {
			// Characters of which all six bits come from the secret.
			text := enc.EncodeToString([]byte(b + s))
			from, to := len(b)*8, (len(b)+len(s))*8
			for from%6 != 0 {
				from++
			}
			return text[from/6 : to/6]
		},
	}
}
