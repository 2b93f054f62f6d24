package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// hostile is a place in which a hostile recipe is run.
type hostile struct {
	t      *testing.T
	dir    string
	binary string
	recipe string
	expect expectation
}

// newHostile lays out what the recipes find.
func newHostile(t *testing.T, binary, recipe string, e expectation) *hostile {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := &hostile{t: t, dir: dir, binary: binary, recipe: recipe, expect: e}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.CopyFS(filepath.Join(dir, "recipe"), os.DirFS(hostileDir)))
	for _, d := range []string{"out", "outside", "bin", "recipe/dir.star"} {
		must(os.Mkdir(filepath.Join(dir, d), 0o755))
	}
	wrong := "#!/bin/sh\necho the wrong git\ntouch " + dir + "/outside/new\n"
	for name, text := range map[string]string{
		"out/inside": "inside\n", "outside/secret": hostileSecret + "\n", "recipe/secret.txt": hostileSecret + "\n",
		"outside.star": "x = 1\n", "outside/x.star": "x = 1\n", "git": wrong, "bin/git": wrong,
	} {
		must(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755))
	}
	for name, target := range map[string]string{
		"out/link": "../outside", "out/secret-link": "../outside/secret", "out/proc": "/proc",
		"recipe/outside_link.star": "../outside/x.star", "recipe/device.star": "/dev/zero",
	} {
		must(os.Symlink(target, filepath.Join(dir, name)))
	}
	must(syscall.Mkfifo(filepath.Join(dir, "recipe/pipe.star"), 0o644))
	return h
}

// tree describes what is in a directory.
func (h *hostile) tree(dir string) map[string]string {
	h.t.Helper()
	found := map[string]string{}
	h.walk(dir, func(rel, name string, d fs.DirEntry) error {
		info, err := d.Info()
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		found[rel] = fmt.Sprintf("%s %d:%d", info.Mode(), st.Uid, st.Gid)
		if d.Type().IsRegular() {
			data, err := os.ReadFile(name)
			found[rel] += " " + string(data)
			return err
		}
		return nil
	})
	return found
}

// contents returns the files below a directory.
func (h *hostile) contents(dir string) map[string]string {
	h.t.Helper()
	found := map[string]string{}
	h.walk(dir, func(rel, name string, d fs.DirEntry) error {
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(name)
		found[rel] = string(data)
		return err
	})
	return found
}

func (h *hostile) walk(dir string, do func(rel, name string, d fs.DirEntry) error) {
	h.t.Helper()
	err := filepath.WalkDir(filepath.Join(h.dir, dir), func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if os.IsNotExist(err) {
				return nil
			}
			return err
		}
		rel, err := filepath.Rel(h.dir, name)
		if err != nil {
			return err
		}
		return do(rel, name, d)
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// processes returns the command lines of what was started here and still runs.
func (h *hostile) processes() []string {
	var left []string
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, name := range environs {
		data, err := os.ReadFile(name)
		if err == nil && bytes.Contains(data, []byte("HOME="+h.dir+"\x00")) {
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(name), "cmdline"))
			left = append(left, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return left
}

// watched collects output, and acts once when a word has come.
type watched struct {
	text bytes.Buffer
	word string
	then func()
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.text.Write(p)
	if w.then != nil && strings.Contains(w.text.String(), w.word) {
		w.then()
		w.then = nil
	}
	return n, err
}

func (w *watched) String() string { return w.text.String() }

// shortened is a text as a test may show it.
func shortened(text string) string {
	const most = 4000
	if len(text) > most {
		return text[:most/2] + "\n…\n" + text[len(text)-most/2:]
	}
	return text
}
