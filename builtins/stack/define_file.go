package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// fileKind is what holds a file that a swarm hands to containers.
type fileKind string

const (
	configKind fileKind = "config"
	secretKind fileKind = "secret"
)

// wantedFile is a config or a secret. Its content never changes: another content is another name.
type wantedFile struct {
	kind   fileKind
	base   string // what its name begins with; "" of one that is there
	name   string
	data   []byte
	labels map[string]string
}

// id names it among configs and secrets.
func (f wantedFile) id() string { return string(f.kind) + " " + f.name }

// shown is how a plan calls it. A preview may not know yet how the name of a secret will end.
func (f wantedFile) shown() string {
	if f.kind == secretKind && f.base != "" {
		return string(f.kind) + " " + f.base
	}
	return f.id()
}

// maxFile is how large a config or secret may be, in bytes: the swarm takes no more.
const maxFile = 500 * 1024

// sumLength is how many bytes of a sum stand in a name, which may have 64 characters.
const sumLength = 6

// fingerprint is [runtime.Reader.Fingerprint].
type fingerprint func(of string, content []byte) ([]byte, error)

// configName is the name of a config with a content: another content is another config.
func configName(base string, data []byte) string {
	sum := sha256.Sum256(data)
	return base + "-" + hex.EncodeToString(sum[:sumLength])
}

// secretName is the name of a secret with a content. Names are seen by many, who could find a weak secret by trying if
// they could compute its name: so it is made under the key of the state directory. With another one the same content has
// another name, and is another secret.
func (f fingerprint) secretName(base string, data []byte) (string, error) {
	sum, err := f("secret "+base, data)
	if err != nil {
		return "", fmt.Errorf("name secret %s: %w", base, err)
	}
	return base + "-" + hex.EncodeToString(sum[:sumLength]), nil
}

// keyLabel is on secrets, and says by which key they have their names.
const keyLabel = "io.infrarun.stack.key"

// key names the key of the state directory.
func (f fingerprint) key() (string, error) {
	sum, err := f("the key itself", nil)
	if err != nil {
		return "", fmt.Errorf("name the key of secrets: %w", err)
	}
	return hex.EncodeToString(sum[:sumLength]), nil
}

// file defines a config or secret.
func (d *definer) file(kind fileKind, key string, f types.FileObjectConfig) error {
	at := d.project.At(string(kind)+"s", key)
	if f.External {
		d.files[string(kind)+" "+key] = f.Name
		d.def.outside = append(d.def.outside, outside{string(kind), f.Name, at})
		return nil
	}
	data := []byte(f.Content)
	switch {
	case f.Driver != "" || f.TemplateDriver != "":
		return fmt.Errorf("%s: %s %s: a driver is not supported", at, kind, key)
	case f.File != "":
		content, ok := d.contents[f.File]
		if !ok {
			return fmt.Errorf("%s: %s %s: %s cannot be read", at, kind, key, f.File)
		}
		data = content
	case f.Environment != "":
		data = []byte(d.project.Environment[f.Environment])
	}
	if len(data) == 0 || len(data) > maxFile {
		return fmt.Errorf("%s: %s %s has %d bytes: a swarm takes 1 to %d", at, kind, key, len(data), maxFile)
	}
	w := wantedFile{kind: kind, base: f.Name, data: data, labels: d.labels(f.Labels)}
	if kind == configKind {
		w.name = configName(f.Name, data)
	} else {
		var err error
		if w.name, err = d.prints.secretName(f.Name, data); err != nil {
			return err
		}
		if w.labels[keyLabel], err = d.prints.key(); err != nil {
			return err
		}
	}
	d.files[string(kind)+" "+key] = w.name
	d.def.files = append(d.def.files, w)
	return nil
}

// strangers are the secrets of the stack in the place of a wanted one whose names were made with another key: nobody here
// can tell what is in them.
func (s *state) strangers(f wantedFile) bool {
	for _, there := range s.secrets {
		key := there.Spec.Labels[keyLabel]
		if f.kind == secretKind && strings.HasPrefix(there.Spec.Name, f.base+"-") && key != "" && key != f.labels[keyLabel] {
			return true
		}
	}
	return false
}
