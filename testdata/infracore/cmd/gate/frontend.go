package main

import (
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
)

// frontEnd serves the files in dir. A path that is no file gets index.html, since the page has its own routes;
// but a missing asset is missing: HTML in place of a script would only confuse.
func frontEnd(dir string) http.Handler {
	files := os.DirFS(dir)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "the front end can only be read", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		asset := strings.HasPrefix(name, "assets/")
		if !isFile(files, name) {
			if asset {
				http.NotFound(w, r)
				return
			}
			name = "index.html"
		}
		if asset {
			// The names of assets have a hash of their content in them.
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		} else {
			w.Header().Set("Cache-Control", "no-cache")
		}
		serveFile(w, r, files, name)
	})
}

func serveFile(w http.ResponseWriter, r *http.Request, files fs.FS, name string) {
	if !isFile(files, name) {
		http.Error(w, "the front end is not built: run npm ci && npm run build in ui", http.StatusServiceUnavailable)
		return
	}
	if path.Base(name) == "index.html" {
		// ServeFileFS answers a request for /index.html with a redirect to /: ask for / at once.
		r = r.Clone(r.Context())
		r.URL.Path = "/"
	}
	http.ServeFileFS(w, r, files, name)
}

func isFile(files fs.FS, name string) bool {
	info, err := fs.Stat(files, name)
	return err == nil && info.Mode().IsRegular()
}
