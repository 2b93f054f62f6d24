package text

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

type indentArgs struct {
	Text   string `arg:"text" doc:"the lines"`
	Prefix string `arg:"prefix" doc:"what to put before each"`
}

var indentBuiltin = runtime.Define(runtime.Builtin{
	Name: "text.indent", Pure: true, Returns: "string",
	Doc:     "Puts a prefix before every line of a text, except empty ones. The result has at most 32 MiB.",
	Example: `text.indent(log, "    ")`,
}, func(_ *runtime.Call, a indentArgs) (starlark.Value, error) {
	if len(a.Prefix) > (maxResult-len(a.Text))/(1+strings.Count(a.Text, "\n")) {
		return nil, errResult
	}
	return starlark.String(indent(a.Text, a.Prefix)), nil
})

// maxResult bounds a text that is made of a text, in bytes: twice what other builtins read.
const maxResult = 32 << 20

var errResult = fmt.Errorf("the result would have more than %d MiB", maxResult>>20)

func indent(text, prefix string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line != "\n" {
			b.WriteString(prefix)
		}
		b.WriteString(line)
	}
	return b.String()
}

type textArgs struct {
	Text string `arg:"text" doc:"the text"`
}

var base64EncodeBuiltin = runtime.Define(runtime.Builtin{
	Name: "text.base64_encode", Pure: true, Returns: "string", Doc: "Encodes a text in base64 (RFC 4648, with padding).",
}, func(_ *runtime.Call, a textArgs) (starlark.Value, error) {
	return starlark.String(base64.StdEncoding.EncodeToString([]byte(a.Text))), nil
})

var base64DecodeBuiltin = runtime.Define(runtime.Builtin{
	Name: "text.base64_decode", Pure: true, Returns: "string, whose bytes need not be UTF-8",
	Doc: "Decodes a text in base64 (RFC 4648, with padding). Ends of lines in it do not count.",
}, func(_ *runtime.Call, a textArgs) (starlark.Value, error) {
	data, err := base64.StdEncoding.DecodeString(a.Text)
	if err != nil {
		return nil, fmt.Errorf("the text is no base64: %w", err)
	}
	return starlark.String(data), nil
})

var sha256Builtin = runtime.Define(runtime.Builtin{
	Name: "text.sha256", Pure: true, Returns: "string of 64 hexadecimal digits", Doc: "Returns the SHA-256 of a text.",
}, func(_ *runtime.Call, a textArgs) (starlark.Value, error) {
	sum := sha256.Sum256([]byte(a.Text))
	return starlark.String(hex.EncodeToString(sum[:])), nil
})
