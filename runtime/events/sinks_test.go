package events

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// kinds reads the kinds of events from the source, so that none can be forgotten.
func kinds(t *testing.T) []Kind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []Kind
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Kind" {
				value, _ := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				found = append(found, Kind(value))
			}
		}
		return true
	})
	if len(found) < 17 {
		t.Fatalf("only %d kinds found in event.go", len(found))
	}
	return found
}

// jsonNames are the JSON names of a type's fields and of those below it.
func jsonNames(typ reflect.Type, found map[string]bool) {
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice:
		jsonNames(typ.Elem(), found)
	case reflect.Struct:
		for i := range typ.NumField() {
			f := typ.Field(i)
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
				found[name] = true
				jsonNames(f.Type, found)
			}
		}
	}
}

// EVENTS.md describes every kind and every field.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("EVENTS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds(t) {
		if !strings.Contains(string(text), "\n| `"+string(kind)+"` |") {
			t.Errorf("EVENTS.md has no row for the event %q", kind)
		}
	}
	names := map[string]bool{}
	jsonNames(reflect.TypeFor[Event](), names)
	for name := range names {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("EVENTS.md does not name the field %q", name)
		}
	}
	for _, s := range streams() {
		o := s.outcome()
		if row := fmt.Sprintf("\n| `%s` | %d |", o.Result, o.ExitCode); !strings.Contains(string(text), row) {
			t.Errorf("EVENTS.md has no row %q", row)
		}
	}
}

// What was written as JSON reads back as the same events.
func TestJSONReadsBack(t *testing.T) {
	var full Event
	fill(reflect.ValueOf(&full).Elem(), "\x1b[2J\x7f\u009b\u202e\U000e0041<&>\u2028 状态\n")
	full.Time = time.Unix(7, 7).UTC()
	events := append(rolledBackStream().events, full)
	var out bytes.Buffer
	play(t, NewJSON(&out), events)
	for _, r := range out.String() {
		if r != '\n' && unsafeRune(r) {
			t.Errorf("%U would act on a terminal", r)
		}
	}
	lines := bufio.NewScanner(&out)
	for i, want := range events {
		if !lines.Scan() {
			t.Fatalf("only %d lines for %d events", i, len(events))
		}
		var got Event
		if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("line %d reads back as\n%+v, want\n%+v", i+1, got, want)
		}
	}
	if lines.Scan() {
		t.Errorf("one line too many: %s", lines.Text())
	}
}

// FuzzJSON looks for a text that breaks a line, acts on a terminal or reads back as another one.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{"plain", "a\nb\u2028", "\x1b[2J\x7f", "\u009b", "\U000e0041", "\\u009b", "状态"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		j := NewJSON(&out)
		j.Handle(Event{Kind: Output, Text: text})
		line, rest, _ := strings.Cut(out.String(), "\n")
		if rest != "" || firstUnsafe(line) >= 0 {
			t.Fatalf("%q was written as %q", text, out.String())
		}
		var got Event
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(text, "\ufffd"); got.Text != want && strings.ReplaceAll(got.Text, "\ufffd", "") != strings.ToValidUTF8(strings.ReplaceAll(text, "\ufffd", ""), "") {
			t.Fatalf("%q reads back as %q", text, got.Text)
		}
	})
}

// An event that JSON cannot hold is told at the end and costs no other event.
func TestJSONEncodingError(t *testing.T) {
	var out bytes.Buffer
	j := NewJSON(&out)
	j.Handle(Event{Kind: Scored, Score: &Score{Percent: math.NaN()}, Seq: 4})
	j.Handle(Event{Kind: Log, Text: "next"})
	if err := j.Close(); err == nil || !strings.Contains(err.Error(), "encode event 4 (score) as json") {
		t.Errorf("close: %v", err)
	}
	if !strings.Contains(out.String(), `"next"`) {
		t.Error("the event after it is lost")
	}
}

// Every line of the log has time, level, step and kind; a text cannot forge one.
func TestLogLines(t *testing.T) {
	line := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d) (debug|info |warn |error) \S+ [a-z.]+( .*)?$`)
	forged := "fine\n2026-11-22T21:44:00.000Z info  - run.finished result=succeeded exit=0"
	for _, s := range streams() {
		var out bytes.Buffer
		l := NewLog(&out)
		for _, e := range s.events {
			l.Handle(redacted(e, func(text string) string { return text + forged }))
		}
		finished := 0
		for _, got := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n") {
			if !line.MatchString(got) {
				t.Errorf("%s: a line without the columns: %q", s.name, got)
			}
			if regexp.MustCompile(`^\S+ \S+ +\S+ run\.finished result=`).MatchString(got) {
				finished++
			}
		}
		if finished != 1 {
			t.Errorf("%s: %d ends, want 1", s.name, finished)
		}
	}
}
