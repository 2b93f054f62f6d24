package composefile

import (
	"bytes"
	"path/filepath"

	"gopkg.in/yaml.v3"
)

// extends finds what stands behind extends of each service of a document, and the section in which the service is.
func extends(doc *yaml.Node, each func(section, value *yaml.Node)) {
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return
	}
	for _, name := range []string{"services", "jobs"} {
		section := valueOf(doc.Content[0], []string{name}, maxAliases)
		if section == nil || section.Kind != yaml.MappingNode {
			continue
		}
		for i := 0; i+1 < len(section.Content); i += 2 {
			if value := valueOf(section.Content[i+1], []string{"extends"}, maxAliases); value != nil {
				each(section, value)
			}
		}
	}
}

// bases lists the services of a document that others extend, as often as they do. Those in other files are not among them.
func bases(doc *yaml.Node) []*yaml.Node {
	var all []*yaml.Node
	extends(doc, func(section, value *yaml.Node) {
		for range maxDepth { // a circle is compose-go's to refuse
			name := value
			if value != nil && value.Kind == yaml.MappingNode {
				if _, file := member(value, "file", maxAliases); file != nil {
					return
				}
				name = valueOf(value, []string{"service"}, maxAliases)
			}
			if name == nil || name.Kind != yaml.ScalarNode {
				return
			}
			_, base := member(section, name.Value, maxAliases)
			if base == nil {
				return
			}
			all = append(all, base)
			value = valueOf(base, []string{"extends"}, maxAliases)
		}
	})
	return all
}

// absoluteBases returns a file in which the files that its services extend are named by absolute paths: they are relative
// to its own directory, and compose-go has them looked up from that of the project. One whose name begins with a variable
// stays.
func (ps *places) absoluteBases(content []byte, dir string) ([]byte, error) {
	changed := false
	for _, f := range ps.files {
		extends(f.doc, func(_, value *yaml.Node) {
			file := valueOf(value, []string{"file"}, maxAliases)
			if file == nil || file.Kind != yaml.ScalarNode || file.Value == "" || !relative(file.Value) {
				return
			}
			file.Value, changed = filepath.Join(dir, file.Value), true
		})
	}
	if !changed {
		return content, nil
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	for _, f := range ps.files {
		if err := encoder.Encode(f.doc); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), encoder.Close()
}

// relative reports whether the name of a file is that of one on this machine, relative to something.
func relative(name string) bool {
	return !filepath.IsAbs(name) && name[0] != '$' && name[0] != '~' && !elsewhere(name)
}
