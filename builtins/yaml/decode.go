package yaml

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"go.starlark.net/starlark"
	yaml3 "gopkg.in/yaml.v3"

	"github.com/infrarun/infrarun/builtins/internal/data"
)

const (
	// maxSize bounds a text. The library needs up to 100 times its size.
	maxSize = 4 << 20
	// maxNodes bounds what a text stands for, each use of an alias counted.
	maxNodes = 1 << 20
)

// decode reads one document. The library bounds the depth to which it recurses itself (10,000 levels, which its
// stack holds); nothing here goes deeper than [data.MaxDepth].
func decode(text string) (starlark.Value, error) {
	if len(text) > maxSize {
		return nil, fmt.Errorf("the text has %d bytes; the limit is %d MiB", len(text), maxSize>>20)
	}
	docs := yaml3.NewDecoder(strings.NewReader(text))
	var doc, second yaml3.Node
	switch err := docs.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return starlark.None, nil
	case err != nil:
		return nil, plain(err)
	}
	switch err := docs.Decode(&second); {
	case err == nil:
		return nil, fmt.Errorf("line %d: a second document begins; split the text at the --- lines", second.Line)
	case !errors.Is(err, io.EOF):
		return nil, plain(err)
	}
	d := decoder{nodes: maxNodes, bytes: maxSize}
	return d.value(doc.Content[0], 0)
}

// plain is an error of the library without its name.
func plain(err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
}

// decoder turns nodes into values and counts what it makes.
type decoder struct{ nodes, bytes int }

func (d *decoder) value(n *yaml3.Node, depth int) (starlark.Value, error) {
	if depth > data.MaxDepth {
		return nil, fmt.Errorf("line %d: nested deeper than %d levels", n.Line, data.MaxDepth)
	}
	d.nodes--
	d.bytes -= len(n.Value)
	if d.nodes < 0 || d.bytes < 0 {
		return nil, fmt.Errorf("line %d: with its aliases the text stands for more than %d values or %d MiB",
			n.Line, maxNodes, maxSize>>20)
	}
	switch n.Kind {
	case yaml3.AliasNode:
		return d.value(n.Alias, depth+1) // also ends an anchor that contains its own alias
	case yaml3.ScalarNode:
		return scalar(n)
	case yaml3.SequenceNode:
		return d.list(n, depth)
	case yaml3.MappingNode:
		return d.dict(n, depth)
	}
	return nil, fmt.Errorf("line %d: nothing that stands for a value", n.Line)
}

func (d *decoder) list(n *yaml3.Node, depth int) (starlark.Value, error) {
	if err := checkTag(n, "!!seq"); err != nil {
		return nil, err
	}
	items := make([]starlark.Value, 0, len(n.Content))
	for _, c := range n.Content {
		v, err := d.value(c, depth+1)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	return starlark.NewList(items), nil
}

func (d *decoder) dict(n *yaml3.Node, depth int) (starlark.Value, error) {
	if err := checkTag(n, "!!map"); err != nil {
		return nil, err
	}
	dict := starlark.NewDict(len(n.Content) / 2)
	var merges []*yaml3.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if isMerge(key) {
			merges = append(merges, value)
			continue
		}
		k, err := d.key(key, depth)
		if err != nil {
			return nil, err
		}
		if _, twice, _ := dict.Get(k); twice {
			return nil, fmt.Errorf("line %d: key %s comes twice", key.Line, k)
		}
		v, err := d.value(value, depth+1)
		if err != nil {
			return nil, err
		}
		if err := dict.SetKey(k, v); err != nil {
			return nil, fmt.Errorf("line %d: key %s: %w", key.Line, k, err)
		}
	}
	for _, m := range merges {
		if err := d.merge(dict, m, depth+1); err != nil {
			return nil, err
		}
	}
	return dict, nil
}

// key reads a key, which must be a scalar: Starlark has no dicts with lists for keys.
func (d *decoder) key(n *yaml3.Node, depth int) (starlark.Value, error) {
	line := n.Line
	for n.Kind == yaml3.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml3.ScalarNode {
		return nil, fmt.Errorf("line %d: a key is a list or mapping; use a string", line)
	}
	return d.value(n, depth+1)
}

func isMerge(key *yaml3.Node) bool {
	return key.Kind == yaml3.ScalarNode && key.Value == "<<" && key.ShortTag() == "!!merge"
}

// merge adds what a << key names: a mapping, or a list of mappings of which earlier ones count first. What the
// dict has already stays.
func (d *decoder) merge(into *starlark.Dict, n *yaml3.Node, depth int) error {
	v, err := d.value(n, depth)
	if err != nil {
		return err
	}
	sources := []starlark.Value{v}
	if list, ok := v.(*starlark.List); ok {
		sources = sources[:0]
		for item := range starlark.Elements(list) {
			sources = append(sources, item)
		}
	}
	for _, source := range sources {
		from, ok := source.(*starlark.Dict)
		if !ok {
			return fmt.Errorf("line %d: << merges mappings; this is a %s", n.Line, source.Type())
		}
		for k, item := range starlark.Entries(from) {
			if _, has, _ := into.Get(k); has {
				continue
			}
			if err := into.SetKey(k, item); err != nil {
				return fmt.Errorf("line %d: %w", n.Line, err)
			}
		}
	}
	return nil
}

// checkTag refuses a list or mapping that claims to be of another type.
func checkTag(n *yaml3.Node, want string) error {
	if tag := n.ShortTag(); tag != want {
		return fmt.Errorf("line %d: tag %s is not supported", n.Line, tag)
	}
	return nil
}
