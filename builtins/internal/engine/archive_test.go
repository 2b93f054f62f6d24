package engine

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// archiveOf is an image as an engine saves it: names and contents of its files.
func archiveOf(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		err := w.WriteHeader(&tar.Header{Name: files[i], Mode: 0o644, Size: int64(len(files[i+1]))})
		if err == nil {
			_, err = io.WriteString(w, files[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What an engine saves is taken for an image only if it is a whole one: the answer of an engine that fails in the middle ends
// as well as any other.
func TestWholeArchive(t *testing.T) {
	const said = `{"errorDetail":{"message":"content digest sha256:1: not found"},"error":"content digest sha256:1: not found"}` + "\r\n"
	layer := strings.Repeat("layer", 10_000)
	old := archiveOf(t, "1/layer.tar", layer, "1.json", "{}", "manifest.json", `[{"Config":"1.json","RepoTags":null,"Layers":["1/layer.tar"]}]`)
	oci := archiveOf(t, "blobs/", "", "blobs/sha256/1", "{}", "blobs/sha256/2", layer, "index.json", "{}",
		"manifest.json", `[{"Config":"blobs/sha256/1","Layers":["blobs/sha256/2"]}]`, "oci-layout", "{}")
	for name, c := range map[string]struct {
		archive []byte
		want    string
	}{
		"whole":                      {old, ""},
		"whole, with an index":       {oci, ""},
		"filled up":                  {append(bytes.Clone(old), make([]byte, 10_240)...), ""},
		"failed at once":             {[]byte(said), "the Docker engine said: content digest sha256:1: not found"},
		"failed in a layer":          {append(bytes.Clone(old[:20_000]), said...), "the Docker engine said: content digest sha256:1: not found"},
		"failed at the end":          {append(bytes.Clone(old), said...), "the Docker engine said: content digest sha256:1: not found"},
		"cut off in a layer":         {old[:20_000], "is not whole"},
		"something else":             {append(bytes.Clone(old), "else"...), `something follows its end: "else"`},
		"a layer that is not here":   {archiveOf(t, "1.json", "{}", "manifest.json", `[{"Config":"1.json","Layers":["1/layer.tar"]}]`), "it lacks 1/layer.tar"},
		"settings that are not here": {archiveOf(t, "manifest.json", `[{"Config":"1.json"}]`), "it lacks 1.json"},
		"no list":                    {archiveOf(t, "1.json", "{}"), "it lists no image"},
		"empty":                      {nil, "it lists no image"},
		"a damaged list":             {archiveOf(t, "manifest.json", `[{`), "manifest.json"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newWholeArchive(iotest.HalfReader(bytes.NewReader(c.archive)))
			defer a.Close()
			got, err := io.ReadAll(a)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v, want %q", err, c.want)
			}
			if !bytes.Equal(got, c.archive) {
				t.Errorf("%d bytes were read, want all %d", len(got), len(c.archive))
			}
		})
	}
	broken := errors.New("broken")
	a := newWholeArchive(io.MultiReader(bytes.NewReader(old[:20_000]), iotest.ErrReader(broken)))
	defer a.Close()
	if _, err := io.ReadAll(a); !errors.Is(err, broken) {
		t.Errorf("a connection that breaks gives %v", err)
	}
}
