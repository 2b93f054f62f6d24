// Package text is the family of builtins that make texts and take them apart.
//
//	text.template(template, data)                  a Go text/template filled with data
//	text.indent(text, prefix)                      a prefix before every line
//	text.regex_match(pattern, text)                whether a regular expression matches
//	text.regex_find(pattern, text)                 the first match and its groups
//	text.regex_replace(pattern, text, replacement) every match replaced
//	text.dotenv(values)                            KEY=value lines, safely quoted
//	text.parse_dotenv(text)                        the dict that such lines stand for
//	text.base64_encode(text), text.base64_decode(text)
//	text.sha256(text)                              a hash in hex
//
// All of them only compute.
//
//	template.go guard.go  templates, and what keeps them from running for ever
//	dotenv.go             the grammar of environment files
//	regex.go convert.go   the rest
package text

import (
	"github.com/infrarun/infrarun/runtime"
)

// Family returns the builtins.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "text",
		Doc: "Making texts and taking them apart: templates, regular expressions, environment files, hashes. Strings are " +
			"bytes; regular expressions are RE2 (Go's regexp/syntax).",
		Builtins: []*runtime.Builtin{
			templateBuiltin, indentBuiltin, regexMatchBuiltin, regexFindBuiltin, regexReplaceBuiltin,
			dotenvBuiltin, parseDotenvBuiltin, base64EncodeBuiltin, base64DecodeBuiltin, sha256Builtin,
		},
	}
}
