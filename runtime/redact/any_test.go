package redact

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"
)

func TestAny(t *testing.T) {
	type login struct {
		User string `json:"user"`
		Pass string `json:"pass"`
	}
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name     string
		in, want any
	}{
		{"nil", nil, nil},
		{"bool", true, true},
		{"string", "pw hunter22", "pw [secret]"},
		{"strings", []string{"a", "hunter22"}, []string{"a", "[secret]"}},
		{"nil strings", []string(nil), []string(nil)},
		{"deep", map[string]any{"a": []any{"hunter22", 1, map[string]any{"b": "x hunter22"}}},
			map[string]any{"a": []any{"[secret]", 1, map[string]any{"b": "x [secret]"}}}},
		{"map of strings", map[string]string{"pw": "hunter22"}, map[string]string{"pw": "[secret]"}},
		{"keys", map[string]any{"hunter22": 1, "HUNTER": 2}, map[string]any{"[secret]": 1, "HUNTER": 2}},
		{"keys that become equal", map[string]any{"hunter22": 1, "other-pw": 2, "[secret]#2": 3},
			map[string]any{"[secret]#2": 3, "[secret]": 1, "[secret]#3": 2}},
		{"raw", json.RawMessage(`{"pw": "hunter22", "n": 10000000000000001}`), json.RawMessage(`{"n":10000000000000001,"pw":"[secret]"}`)},
		{"raw without", json.RawMessage(`{"b": 1,"a":2}`), json.RawMessage(`{"b": 1,"a":2}`)},
		{"raw number", json.RawMessage(`[12345678]`), json.RawMessage(`["[secret]"]`)},
		{"raw broken", json.RawMessage(`{"pw": "hunter22`), json.RawMessage(`"{\"pw\": \"[secret]"`)},
		{"raw across values", json.RawMessage(`[1,{"x":"y"},2]`), json.RawMessage(`"[secret]"`)},
		{"int", 12345678, Mark},
		{"other int", 1234567, 1234567},
		{"float", float64(12345678), Mark},
		{"number", json.Number("12345678"), Mark},
		{"struct", login{"me", "hunter22"}, map[string]any{"user": "me", "pass": "[secret]"}},
		{"struct without", login{"me", "x"}, login{"me", "x"}},
		{"bytes", []byte("hunter22"), Mark},
		{"time", now, now},
		{"error", errors.New("bad hunter22"), "bad [secret]"},
		{"not JSON", []any{complex(1, 2)}, []any{"(1+2i)"}},
	}
	s := setOf(t, "hunter22", "12345678", "other-pw", `{"x":"y"}`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := s.Any(tt.in); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("Any(%#v)\n got %#v\nwant %#v", tt.in, got, tt.want)
			}
		})
	}
}

func TestAnyCopies(t *testing.T) {
	s := setOf(t, "hunter22")
	in := map[string]any{"list": []any{"x"}, "raw": json.RawMessage(`1`)}
	out := s.Any(in).(map[string]any)
	out["list"].([]any)[0] = "changed"
	out["raw"].(json.RawMessage)[0] = '2'
	if in["list"].([]any)[0] != "x" || in["raw"].(json.RawMessage)[0] != '1' {
		t.Errorf("the argument was changed: %v", in)
	}
}
