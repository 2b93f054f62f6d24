package http

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/data"
)

// compare says in words how an answer is not as wanted, "" if it is.
func (ck *checker) compare(status int, body string) string {
	if !slices.Contains(ck.Status, status) {
		return fmt.Sprintf("status %d, want %s", status, ck.Status)
	}
	if len(body) > maxBody && (ck.Contains != "" || ck.matches != nil || ck.JSON != nil) {
		return fmt.Sprintf("the body is longer than %d MiB", maxBody>>20)
	}
	if !strings.Contains(body, ck.Contains) {
		return fmt.Sprintf("body lacks %q", ck.Contains)
	}
	if ck.matches != nil && !ck.matches.MatchString(body) {
		return fmt.Sprintf("body does not match %q", ck.Matches)
	}
	if ck.JSON == nil || ck.JSON.Len() == 0 {
		return ""
	}
	v, err := data.DecodeJSON(body)
	if err != nil {
		return fmt.Sprintf("body is no JSON: %v", err)
	}
	return compareFields(v, ck.JSON)
}

// compareFields says how the first field that is not as wanted is, "" if all are.
func compareFields(v starlark.Value, want *starlark.Dict) string {
	for k, wanted := range starlark.Entries(want) {
		path, ok := starlark.AsString(k)
		if !ok {
			return fmt.Sprintf("json field %s is no string", k)
		}
		got, ok := field(v, path)
		if !ok {
			return fmt.Sprintf("json field %s is missing, want %s", path, short(wanted))
		}
		if equal, err := starlark.Equal(got, wanted); err != nil || !equal {
			return fmt.Sprintf("json field %s is %s, want %s", path, short(got), short(wanted))
		}
	}
	return ""
}

// field follows a path such as a.b.0 into a decoded JSON value.
func field(v starlark.Value, path string) (starlark.Value, bool) {
	for name := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case *starlark.Dict:
			item, ok, err := in.Get(starlark.String(name))
			if err != nil || !ok {
				return nil, false
			}
			v = item
		case *starlark.List:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= in.Len() {
				return nil, false
			}
			v = in.Index(i)
		default:
			return nil, false
		}
	}
	return v, true
}

// short is a value as Starlark writes it, cut to what fits into a message.
func short(v starlark.Value) string {
	const most = 100
	if text := v.String(); len(text) > most {
		return cut(text, most) + "…"
	}
	return v.String()
}
