package composefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// places knows on which line of which file something of a project stands.
type places struct {
	files []placedFile
	nodes int // how many values they have
}

type placedFile struct {
	path string
	text string
	doc  *yaml.Node
	root *yaml.Node // the top-level mapping; nil if there is none
}

// add reads where everything stands in a file, which may have several documents, and refuses one that unfolds to too much.
func (ps *places) add(path string, content []byte) error {
	for d := yaml.NewDecoder(bytes.NewReader(content)); ; {
		var doc yaml.Node
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			var nodes int
			nodes, err = countNodes(&doc)
			ps.nodes += nodes
		}
		if err != nil {
			return fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
		}
		f := placedFile{path: path, text: string(content), doc: &doc}
		if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
			f.root = doc.Content[0]
		}
		ps.files = append(ps.files, f)
	}
	return nil
}

// find returns the file and line of a key, such as services, web, privileged; line 0 if no file has it. Of several files
// the last counts, since it overrides the others.
func (ps *places) find(keys ...string) (path string, line int) {
	for _, f := range slices.Backward(ps.files) {
		if line := lineOf(f.root, keys); line != 0 {
			return f.path, line
		}
	}
	return "", 0
}

func (ps *places) has(keys ...string) bool {
	_, line := ps.find(keys...)
	return line != 0
}

// at is file:line of a key, or of the nearest thing around it that is there: the key may come from a file that the
// service extends.
func (ps *places) at(keys ...string) string {
	for ; len(keys) > 0; keys = keys[:len(keys)-1] {
		if path, line := ps.find(keys...); line != 0 {
			return fmt.Sprintf("%s:%d", path, line)
		}
	}
	if len(ps.files) == 0 {
		return "compose file"
	}
	return ps.files[len(ps.files)-1].path
}

// item is file:line of the first item below a key whose text holds part, or of the key.
func (ps *places) item(part string, keys ...string) string {
	for _, f := range slices.Backward(ps.files) {
		if n := valueOf(f.root, keys, maxAliases); n != nil {
			if line := lineWith(n, part, maxAliases); line != 0 {
				return fmt.Sprintf("%s:%d", f.path, line)
			}
		}
	}
	return ps.at(keys...)
}

// mention returns where a variable is used first.
func (ps *places) mention(variable string) (path string, line int) {
	for _, f := range ps.files {
		n := 0
		for text := range strings.Lines(f.text) {
			n++
			text, _, _ = strings.Cut(text, " #")
			if strings.HasPrefix(strings.TrimSpace(text), "#") {
				continue
			}
			if strings.Contains(text, "${"+variable) || strings.Contains(text, "$"+variable) {
				return f.path, n
			}
		}
	}
	return "", 0
}

// maxAliases is how deep aliases and merged mappings are followed: an alias may lead to what holds it.
const maxAliases = 20

// lineOf is the line of the last of the keys, 0 if it is not there.
func lineOf(n *yaml.Node, keys []string) int {
	if len(keys) == 0 {
		return 0
	}
	parent := valueOf(n, keys[:len(keys)-1], maxAliases)
	key, _ := member(parent, keys[len(keys)-1], maxAliases)
	if key == nil {
		return 0
	}
	return key.Line
}

// valueOf is what stands at a path of keys.
func valueOf(n *yaml.Node, keys []string, depth int) *yaml.Node {
	for _, key := range keys {
		_, n = member(n, key, depth)
	}
	return resolveAlias(n, depth)
}

// member finds a key of a mapping, also one that is merged into it with <<.
func member(n *yaml.Node, name string, depth int) (key, value *yaml.Node) {
	n = resolveAlias(n, depth)
	if n == nil || n.Kind != yaml.MappingNode || depth == 0 {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i], n.Content[i+1]
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != "<<" {
			continue
		}
		merged := resolveAlias(n.Content[i+1], depth)
		if merged != nil && merged.Kind == yaml.SequenceNode {
			for _, one := range merged.Content {
				if key, value = member(one, name, depth-1); key != nil {
					return key, value
				}
			}
		} else if key, value = member(merged, name, depth-1); key != nil {
			return key, value
		}
	}
	return nil, nil
}

func resolveAlias(n *yaml.Node, depth int) *yaml.Node {
	for ; n != nil && n.Kind == yaml.AliasNode; depth-- {
		if depth == 0 {
			return nil
		}
		n = n.Alias
	}
	return n
}

// lineWith is the line of the first scalar in n that holds part, 0 if none does.
func lineWith(n *yaml.Node, part string, depth int) int {
	if n == nil || depth == 0 {
		return 0
	}
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, part) {
		return n.Line
	}
	for _, c := range n.Content {
		if line := lineWith(c, part, depth-1); line != 0 {
			return line
		}
	}
	return 0
}

// paths lists the files.
func (ps *places) paths() string {
	var names []string
	for _, f := range ps.files {
		names = append(names, f.path)
	}
	return strings.Join(slices.Compact(names), ", ")
}
