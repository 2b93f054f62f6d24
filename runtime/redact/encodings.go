package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// encodings returns all forms in which value is looked for, itself included:
//
//   - escaped for JSON (with and without HTML escaping, in ASCII only), as a Go string (%q, %+q), for a shell in
//     single quotes, and for a URL (query, path, user information, as in JavaScript; %2f and %2F);
//   - base64, standard and URL alphabet, padded or not, also inside of a longer text that was encoded as a whole
//     (a Basic authorization header is base64 of user:password), and that escaped for a URL;
//   - hexadecimal, lower and upper case.
//
// What is put into JSON is often encoded a second time, so base64 and hexadecimal are looked for of JSON too.
func encodings(value string) []string {
	escapedJSON := []string{jsonText(value, true), jsonText(value, false), jsonASCII(value)}
	all := append([]string{
		value,
		unquoted(strconv.Quote(value)),
		unquoted(strconv.QuoteToASCII(value)),
		strings.ReplaceAll(value, `'`, `'\''`),
		strings.ReplaceAll(value, `'`, `'"'"'`),
	}, escapedJSON...)
	for _, escaped := range urlForms(value) {
		all = append(all, escaped, lowerPercent(escaped))
	}
	for _, text := range append(escapedJSON, value) {
		encoded := hex.EncodeToString([]byte(text))
		all = append(all, encoded, strings.ToUpper(encoded))
		for _, b64 := range base64Forms(text) {
			escaped := url.QueryEscape(b64)
			all = append(all, b64, escaped, lowerPercent(escaped))
		}
	}
	return all
}

// unquoted takes the quotes off, since they may be far away where the secret is a part of a longer text.
func unquoted(quoted string) string { return quoted[1 : len(quoted)-1] }

// jsonText returns text as it stands between the quotes of a JSON string.
func jsonText(text string, escapeHTML bool) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(escapeHTML)
	// A string is always encodable, and a strings.Builder takes everything.
	_ = enc.Encode(text)
	return unquoted(strings.TrimSuffix(b.String(), "\n"))
}

// jsonASCII is jsonText as encoders write it that keep to ASCII (Python's does by default).
func jsonASCII(text string) string {
	var b strings.Builder
	for _, r := range jsonText(text, false) {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			b.WriteString(`\u` + strconv.FormatUint(0x10000|uint64(unit), 16)[1:])
		}
	}
	return b.String()
}

// urlForms returns text escaped for the places of a URL. encodeURIComponent of JavaScript leaves five characters
// alone that Go escapes in a query.
func urlForms(text string) []string {
	query := url.QueryEscape(text)
	component := strings.NewReplacer("+", "%20", "%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*").Replace(query)
	user := url.UserPassword("", text).String()[1:]
	return []string{query, strings.ReplaceAll(query, "+", "%20"), component, url.PathEscape(text), user}
}

// lowerPercent writes the digits of %2F in lower case, as some encoders do.
func lowerPercent(escaped string) string {
	b := []byte(escaped)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:], strings.ToLower(string(b[i+1:i+3])))
		}
	}
	return string(b)
}

// base64Forms returns the base64 of text by itself, and for each of the three ways in which it can lie on the
// groups of three bytes in a longer text, the characters that depend on nothing but text. (The character before
// and the one after may hold some bits of it.)
func base64Forms(text string) []string {
	var forms []string
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		raw := enc.WithPadding(base64.NoPadding)
		forms = append(forms, enc.EncodeToString([]byte(text)), raw.EncodeToString([]byte(text)))
		for before := range 3 {
			encoded := raw.EncodeToString([]byte("\x00\x00"[:before] + text))
			first := (8*before + 5) / 6
			end := 8 * (before + len(text)) / 6
			forms = append(forms, encoded[first:end])
		}
	}
	return forms
}
