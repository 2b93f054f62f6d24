package text

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"text/template"
)

// functions are those of a template: our own, and text/template's own that make texts, behind the guard's limits.
func (g *guard) functions() template.FuncMap {
	return template.FuncMap{
		stepName: g.step, writtenName: g.written,
		"quote": g.quote, "json": g.json, "indent": g.indent, "join": g.join, "default": orDefault,
		"upper": g.mapped(strings.ToUpper), "lower": g.mapped(strings.ToLower),
		"print": g.printed(fmt.Sprint), "println": g.printed(fmt.Sprintln), "printf": g.printf,
		"html": g.printed(template.HTMLEscaper), "js": g.printed(template.JSEscaper),
		"urlquery": g.printed(template.URLQueryEscaper),
	}
}

// orDefault is `.x | default "y"`.
func orDefault(byDefault, v any) any {
	if v == nil || v == "" {
		return byDefault
	}
	return v
}

// textOf is a value as a function that takes a text sees it: numbers and booleans have one too.
func textOf(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	return fmt.Sprint(v), unprintable(v)
}

// quote is a text in double quotes with JSON's escapes, which YAML and most other formats read too.
func (g *guard) quote(v any) (string, error) {
	s, err := textOf(v)
	if err != nil {
		return "", err
	}
	return g.json(s)
}

func (g *guard) json(v any) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	s := strings.TrimSuffix(b.String(), "\n")
	return s, g.spend(len(s))
}

// indent is `.lines | indent 4`.
func (g *guard) indent(spaces int, v any) (string, error) {
	const most = 1000
	s, err := textOf(v)
	if err != nil {
		return "", err
	}
	if spaces < 0 || spaces > most {
		return "", fmt.Errorf("indent by %d: want 0 to %d", spaces, most)
	}
	if err := g.spend(len(s) + spaces*(1+strings.Count(s, "\n"))); err != nil {
		return "", err
	}
	return indent(s, strings.Repeat(" ", spaces)), nil
}

// join is `.list | join ", "`.
func (g *guard) join(separator string, list []any) (string, error) {
	size, err := sizeOf(list)
	if err != nil {
		return "", err
	}
	if err := g.spend(size + len(list)*len(separator)); err != nil {
		return "", err
	}
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, separator), nil
}

func (g *guard) mapped(fn func(string) string) func(any) (string, error) {
	return func(v any) (string, error) {
		s, err := textOf(v)
		if err != nil {
			return "", err
		}
		s = fn(s)
		return s, g.spend(len(s))
	}
}

func (g *guard) printed(fn func(...any) string) func(...any) (string, error) {
	return func(args ...any) (string, error) {
		size, err := sizeOf(args)
		if err != nil {
			return "", err
		}
		if err := g.spend(size); err != nil {
			return "", err
		}
		s := fn(args...)
		return s, g.spend(len(s))
	}
}

// wide matches what lets a few bytes of a format make a text of any length.
var wide = regexp.MustCompile(`[0-9]{4}|\*`)

func (g *guard) printf(format string, args ...any) (string, error) {
	size, err := sizeOf(args)
	if err != nil {
		return "", err
	}
	if wide.MatchString(format) {
		return "", fmt.Errorf("printf %q: a width or precision of more than three digits, or of *", format)
	}
	// Each verb may name any argument.
	if err := g.spend(len(format) + strings.Count(format, "%")*size); err != nil {
		return "", err
	}
	s := fmt.Sprintf(format, args...)
	return s, g.spend(len(s))
}

// sizeOf is about how long values are when they are printed, all together. What cannot be printed is an error.
func sizeOf(values []any) (int, error) {
	const number = 32
	size := 0
	for _, v := range values {
		switch v := v.(type) {
		case nil, map[string]any, []any:
			return 0, unprintable(v)
		case string:
			size += len(v)
		default:
			size += number
		}
	}
	return size, nil
}
