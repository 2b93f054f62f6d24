package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"infracore/pkg/apptest"
	"infracore/pkg/health"
)

func TestMain(m *testing.M) { apptest.Main(m, main) }

func TestProcess(t *testing.T) {
	apptest.Process(t, "console", syscall.SIGTERM, func(base string) {
		resp, err := http.Get(base + "/api/v1/health")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var answer map[string]any
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		for field, want := range map[string]any{"status": "healthy", "service": "console", "version": "dev", "database": "ok"} {
			if answer[field] != want {
				t.Errorf("%s is %v, want %v", field, answer[field], want)
			}
		}
		if _, ok := answer["uptime_seconds"].(float64); !ok {
			t.Errorf("uptime_seconds is %v, want a number", answer["uptime_seconds"])
		}
	})
}

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func TestNotesOutliveTheProcess(t *testing.T) {
	cfg := apptest.Config(t)
	t.Run("first", func(t *testing.T) {
		url := "http://" + apptest.Start(t, "console", cfg, build)[0] + "/api/v1/notes"
		for body, want := range map[string]int{
			`{"text":" hello "}`: http.StatusCreated,
			`{"text":" "}`:       http.StatusBadRequest,
			`{"text":"` + strings.Repeat("é", maxText+1) + `"}`: http.StatusBadRequest,
			`{}`:   http.StatusBadRequest,
			`text`: http.StatusBadRequest,
		} {
			if code, answer := post(t, url, body); code != want {
				t.Errorf("%.20s: %d %s, want %d", body, code, answer, want)
			}
		}
		if _, err := os.Stat(cfg.Console.DBPath + "-wal"); err != nil {
			t.Errorf("the database is not in WAL mode: %v", err)
		}
	})
	if _, err := os.Stat(cfg.Console.DBPath + "-wal"); !os.IsNotExist(err) {
		t.Errorf("a graceful stop leaves the write-ahead log: %v", err)
	}
	t.Run("second", func(t *testing.T) {
		resp, err := http.Get("http://" + apptest.Start(t, "console", cfg, build)[0] + "/api/v1/notes")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var notes []note
		if err := json.NewDecoder(resp.Body).Decode(&notes); err != nil {
			t.Fatal(err)
		}
		if len(notes) != 1 || notes[0].Text != "hello" || notes[0].Created.IsZero() {
			t.Errorf("got %+v, want the one note, hello", notes)
		}
	})
}

func TestWritingNeedsATokenWhenRequired(t *testing.T) {
	cfg := apptest.Config(t)
	cfg.RequireToken, cfg.JWTSecret = true, apptest.Secret
	url := "http://" + apptest.Start(t, "console", cfg, build)[0] + "/api/v1/notes"
	if code, _ := post(t, url, `{"text":"a"}`); code != http.StatusUnauthorized {
		t.Errorf("without a token: %d, want 401", code)
	}
	var tok bytes.Buffer
	if err := printToken(&tok, apptest.Secret, []string{"1m"}); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(`{"text":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(tok.String()))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Errorf("with a token: %s, want 201", resp.Status)
	}
}

func TestPrintTokenRefuses(t *testing.T) {
	for _, args := range [][]string{nil, {"soon"}, {"-1h"}, {"1h", "2h"}} {
		if err := printToken(io.Discard, apptest.Secret, args); err == nil {
			t.Errorf("console token %v: no error", args)
		}
	}
	if err := printToken(io.Discard, "", []string{"1h"}); err == nil {
		t.Error("a token is made without a secret")
	}
}

func TestHealthSeesTheDatabase(t *testing.T) {
	breakages := map[string]func(t *testing.T, st *store){
		"closed": func(_ *testing.T, st *store) { st.Close() },
		"file deleted": func(t *testing.T, st *store) {
			if err := os.Remove(st.path); err != nil {
				t.Fatal(err)
			}
		},
		"table gone": func(t *testing.T, st *store) {
			if _, err := st.db.Exec("DROP TABLE notes"); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, breakIt := range breakages {
		t.Run(name, func(t *testing.T) {
			cfg := apptest.Config(t)
			st, err := openStore(filepath.Join(cfg.DataDir, "a ?%20#.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			srv, _ := apptest.Serve(t, newAPI(cfg, slog.New(slog.DiscardHandler), st))
			if _, err := health.Ask(t.Context(), srv.Client(), srv.URL); err != nil {
				t.Fatalf("before: %v", err)
			}
			breakIt(t, st)
			if report, err := health.Ask(t.Context(), srv.Client(), srv.URL); err == nil || report.Status != health.Unhealthy {
				t.Errorf("after: %+v, %v; want unhealthy", report, err)
			}
		})
	}
}

func TestStatusAsksTheOthers(t *testing.T) {
	cfg := apptest.Config(t)
	st, err := openStore(cfg.Console.DBPath)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	_, cfg.Orch = apptest.Serve(t, health.Handler("orch", slog.New(slog.DiscardHandler)))
	srv, _ := apptest.Serve(t, newAPI(cfg, slog.New(slog.DiscardHandler), st))
	resp, err := http.Get(srv.URL + "/api/v1/status")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Services []serviceStatus }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Services) != 5 {
		t.Fatalf("got %+v, want five services", answer.Services)
	}
	for _, s := range answer.Services {
		if want := s.Name == "orch"; s.Healthy != want || (s.Error == "") != want {
			t.Errorf("%+v: want healthy: %v", s, want)
		}
	}
}
