package text

import (
	"fmt"
	"regexp"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

type regexArgs struct {
	Pattern string `arg:"pattern" doc:"the regular expression (RE2); (?i) at its start ignores case, (?m) lets ^ and $ match at lines"`
	Text    string `arg:"text" doc:"the text to look in"`
}

// maxPattern bounds a regular expression: a person writes one. Matching takes time in proportion to its length.
const maxPattern = 16 << 10

func compile(pattern string) (*regexp.Regexp, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("the pattern has %d bytes; the limit is %d", len(pattern), maxPattern)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("pattern: %w", err)
	}
	return re, nil
}

var regexMatchBuiltin = runtime.Define(runtime.Builtin{
	Name: "text.regex_match", Pure: true, Returns: "bool",
	Doc: "Reports whether a regular expression matches anywhere in a text. Write ^ and $ to match the whole.",
}, func(_ *runtime.Call, a regexArgs) (starlark.Value, error) {
	re, err := compile(a.Pattern)
	if err != nil {
		return nil, err
	}
	return starlark.Bool(re.MatchString(a.Text)), nil
})

var regexFindBuiltin = runtime.Define(runtime.Builtin{
	Name: "text.regex_find", Pure: true, Returns: "list of string",
	Doc: "Returns the first match of a regular expression and then what its groups matched; an empty list if there is no " +
		"match. A group that took no part is an empty string.",
	Example: `text.regex_find("go([0-9]+)\\.([0-9]+)", "go1.26.1")  # ["go1.26", "1", "26"]`,
}, func(_ *runtime.Call, a regexArgs) (starlark.Value, error) {
	re, err := compile(a.Pattern)
	if err != nil {
		return nil, err
	}
	found := starlark.NewList(nil)
	for _, s := range re.FindStringSubmatch(a.Text) {
		if err := found.Append(starlark.String(s)); err != nil {
			return nil, err
		}
	}
	return found, nil
})

type replaceArgs struct {
	regexArgs
	Replacement string `arg:"replacement" doc:"what to put there; $1 or ${1} is the first group, $$ a dollar sign"`
}

var regexReplaceBuiltin = runtime.Define(runtime.Builtin{
	Name: "text.regex_replace", Pure: true, Returns: "string",
	Doc:     "Replaces every match of a regular expression in a text. The result has at most 32 MiB.",
	Example: `text.regex_replace("(?m)^port = .*$", config, "port = 8082")`,
}, func(_ *runtime.Call, a replaceArgs) (starlark.Value, error) {
	re, err := compile(a.Pattern)
	if err != nil {
		return nil, err
	}
	text, err := replace(re, a.Text, a.Replacement)
	return starlark.String(text), err
})

// maxPlaces bounds in how many places the matches in a text and their groups may begin and end.
const maxPlaces = 8 << 20

// replace is Regexp.ReplaceAllString, bounded.
func replace(re *regexp.Regexp, text, replacement string) (string, error) {
	most := maxPlaces / (2 * (1 + re.NumSubexp()))
	matches := re.FindAllStringSubmatchIndex(text, most+1)
	if len(matches) > most {
		return "", fmt.Errorf("there are more than %d matches; let the pattern match more at once", most)
	}
	var result []byte
	groups := strings.Count(replacement, "$")
	end := 0 // of the last match
	for _, m := range matches {
		if groups*(m[1]-m[0]) > 4*maxResult { // before it is made; most groups are shorter than the match
			return "", errResult
		}
		result = append(result, text[end:m[0]]...)
		result = re.ExpandString(result, replacement, text, m)
		end = m[1]
		if len(result) > maxResult {
			return "", errResult
		}
	}
	if len(result)+len(text)-end > maxResult {
		return "", errResult
	}
	return string(append(result, text[end:]...)), nil
}
