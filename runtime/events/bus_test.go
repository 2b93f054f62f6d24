package events

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// starred is a Redactor for tests.
type starred struct{ secret string }

func (r starred) String(s string) string { return strings.ReplaceAll(s, r.secret, "***") }

func TestBusNumbersAndDates(t *testing.T) {
	now := time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC)
	var first, second Collector
	b := NewBus(nil, func() time.Time { return now }, &first)
	b.Emit(Event{Kind: Log, Text: "one"})
	b.Add(&second)
	b.Emit(Event{Kind: Log, Text: "two", Seq: 99})
	if got := first.Events(); len(got) != 2 || got[0].Seq != 1 || got[1].Seq != 2 || !got[1].Time.Equal(now) {
		t.Errorf("first sink got %+v", got)
	}
	if got := second.Events(); len(got) != 1 || got[0].Text != "two" {
		t.Errorf("a sink added later got %+v", got)
	}
}

// Whatever emits at once, every sink sees one order without gaps.
func TestBusSerialises(t *testing.T) {
	var all Collector
	b := NewBus(nil, nil, &all)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				b.Emit(Event{Kind: Log})
			}
		})
	}
	wg.Wait()
	for i, e := range all.Events() {
		if e.Seq != uint64(i+1) {
			t.Fatalf("event %d has number %d", i+1, e.Seq)
		}
	}
}

// failing is a sink that cannot be closed.
type failing struct {
	Collector
	err error
}

func (f *failing) Close() error { return f.err }

func TestBusClosesEverySink(t *testing.T) {
	full, gone := errors.New("disk full"), errors.New("pipe gone")
	var p page
	b := NewBus(nil, nil, &failing{err: full}, NewReport(p.open), &failing{err: gone})
	if err := b.Close(); !errors.Is(err, full) || !errors.Is(err, gone) {
		t.Errorf("close: %v, want both errors", err)
	}
	if p.closed != 1 {
		t.Error("a sink after the failing one was not closed")
	}
	b.Emit(Event{Kind: Log}) // must not reach a closed sink, nor panic
	if err := b.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

// fill sets every string of a value to text, and every other field to something that is not zero, so
// that a field added later is covered.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint64:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(7)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), text)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, text)
		fill(value, text)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(7, 7)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), text)
		}
	default:
		panic("fill: no example of a " + v.Kind().String())
	}
}

// strings of a value, by the path of their field.
func stringsOf(v reflect.Value, path string, found map[string]string) {
	switch v.Kind() {
	case reflect.String:
		found[path] = v.String()
	case reflect.Pointer:
		if !v.IsNil() {
			stringsOf(v.Elem(), path, found)
		}
	case reflect.Slice:
		for i := range v.Len() {
			stringsOf(v.Index(i), path, found)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			stringsOf(it.Key(), path+".key", found)
			stringsOf(it.Value(), path+".value", found)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				stringsOf(v.Field(i), path+"."+v.Type().Field(i).Name, found)
			}
		}
	}
}

// No string of any field leaves the bus unredacted, save this package's own words; the emitter's
// values, which other goroutines may hold, stay as they are.
func TestBusRedactsEveryField(t *testing.T) {
	var e Event
	fill(reflect.ValueOf(&e).Elem(), "hunter2")
	var got Collector
	NewBus(starred{"hunter2"}, nil, &got).Emit(e)
	found := map[string]string{}
	stringsOf(reflect.ValueOf(got.Events()[0]), "", found)
	words := map[string]bool{
		".Kind": true, ".Run.Mode": true, ".Change.Status": true, ".Outcome.Result": true, ".Outcome.Mode": true,
	}
	for path, text := range found {
		if words[path] != (text == "hunter2") {
			t.Errorf("%s is %q after redaction", path, text)
		}
	}
	if len(found) < 40 {
		t.Errorf("only %d strings were looked at", len(found))
	}
	stringsOf(reflect.ValueOf(e), "", found)
	for path, text := range found {
		if text != "hunter2" {
			t.Errorf("%s of the emitter's event became %q", path, text)
		}
	}
}

// What is not a string survives redaction: numbers, and the time with all that it keeps to itself.
func TestRedactionKeepsTheRest(t *testing.T) {
	now := time.Now() // with a monotonic reading and a location
	var got Collector
	b := NewBus(starred{"x"}, func() time.Time { return now }, &got)
	b.Emit(Event{Kind: RunFinished, Duration: time.Second, Outcome: &Outcome{ExitCode: 3, Left: []Left{}, Next: nil}})
	e := got.Events()[0]
	if e.Time != now {
		t.Errorf("time became %v, want %v", e.Time, now)
	}
	if e.Duration != time.Second || e.Outcome.ExitCode != 3 || e.Outcome.Left == nil || e.Outcome.Next != nil || e.Run != nil {
		t.Errorf("event became %+v %+v", e, e.Outcome)
	}
}

func TestCollector(t *testing.T) {
	var c Collector
	if _, ok := c.Outcome(); ok {
		t.Error("an outcome before any event")
	}
	play(t, &c, wouldChangeStream().events)
	if got := len(c.Events(StepStarted, StepFinished)); got != 4 {
		t.Errorf("%d events of steps, want 4", got)
	}
	if all, would, done := len(c.Changes()), len(c.Changes(Would)), len(c.Changes(Done)); all != 5 || would != 4 || done != 0 {
		t.Errorf("changes: %d, would %d, done %d; want 5, 4, 0", all, would, done)
	}
	if o, ok := c.Outcome(); !ok || o.Result != WouldChange {
		t.Errorf("outcome %+v, %v", o, ok)
	}
}
