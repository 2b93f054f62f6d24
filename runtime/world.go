package runtime

import "sync"

// World is what a run knows beside the machine itself. In a preview it holds one overlay a family, by
// key: the files that would be there, the ports that would be taken. In a run it holds what a family
// remembers of the run, such as which paths it created. Runtime knows none of the contents.
type World struct {
	mu       sync.Mutex
	overlays map[string]any
}

// Overlay returns the world's overlay of the given key, made by empty when it is first asked for.
// The key is the family's name; the overlay is safe for concurrent use.
func Overlay[T any](w *World, key string, empty func() T) T {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.overlays == nil {
		w.overlays = map[string]any{}
	}
	v, ok := w.overlays[key]
	if !ok {
		v = empty()
		w.overlays[key] = v
	}
	return v.(T)
}
