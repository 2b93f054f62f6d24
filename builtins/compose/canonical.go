package compose

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"gopkg.in/yaml.v3"
)

// configLabel is on every container of a project that infrarun brought up: a hash of all that its service is made of.
// It does not depend on which Compose made the container, unlike Compose's own.
const configLabel = "io.infrarun.compose.config"

// canonical is a resolved project as a Compose reads it: one file, without variables, that needs no other file, in the
// words that version 1 and later ones have in common.
type canonical struct {
	text   []byte
	hashes map[string]string // by service
	env    map[string]string // variables for who reads it, which hold its secrets
}

// canonicalize writes a project down. Content has what the files of its configs and secrets hold, by path.
func canonicalize(p *project, content map[string][]byte) (canonical, error) {
	if err := checkGiven(p); err != nil {
		return canonical{}, err
	}
	complete(p)
	text, err := p.MarshalYAML()
	if err != nil {
		return canonical{}, fmt.Errorf("write the resolved project: %w", err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return canonical{}, fmt.Errorf("write the resolved project: %w", err)
	}
	delete(doc, "name") // Compose is given it as an argument: version 1 does not know the key
	for key := range doc {
		if strings.HasPrefix(key, "x-") {
			delete(doc, key)
		}
	}
	services, _ := doc["services"].(map[string]any)
	c := canonical{hashes: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		s, _ := services[name].(map[string]any)
		simplify(s)
		delete(s, "build") // compose.build does that
		if c.hashes[name], err = hashService(p, name, s, doc, content); err != nil {
			return canonical{}, err
		}
		label(s, configLabel, c.hashes[name])
		if list := copied(p, p.Services[name]); list != "" {
			label(s, copiedLabel, list)
		}
	}
	c.env = nameSecrets(p, doc)
	escape(doc)
	var out bytes.Buffer
	fmt.Fprintf(&out, "# Project %s, resolved by infrarun from %s. It is written anew by each deployment.\n", p.Name, p.Paths())
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(doc); err != nil {
		return canonical{}, fmt.Errorf("write the resolved project: %w", err)
	}
	c.text = out.Bytes()
	return c, nil
}

// label adds a label to a service.
func label(service map[string]any, name, value string) {
	labels, _ := service["labels"].(map[string]any)
	if labels == nil {
		labels = map[string]any{}
		service["labels"] = labels
	}
	labels[name] = value
}

// complete gives each service the name of its image and the number of its containers, which every Compose would
// otherwise make up in its own way.
func complete(p *project) {
	for name, s := range p.Services {
		if s.Image == "" {
			s.Image = p.Name + "-" + name
		}
		scale := s.GetScale()
		s.Scale = &scale
		if s.Deploy != nil {
			deploy := *s.Deploy
			deploy.Replicas = nil
			s.Deploy = &deploy
		}
		s.PullPolicy, s.PullRefreshAfter, s.Develop, s.Profiles, s.Attach = "", "", nil, nil, nil
		p.Services[name] = s
	}
}

// hashService is of all that a container of a service is made of, except the image's content: the service without what only
// says how to build it, the networks it is in, the volumes it has, and what is in the files that it is given.
func hashService(p *project, name string, service, doc map[string]any, content map[string][]byte) (string, error) {
	part := maps.Clone(service)
	delete(part, "scale")
	delete(part, "depends_on")
	s := p.Services[name]
	networks, _ := doc["networks"].(map[string]any)
	used := map[string]any{}
	for n := range s.Networks {
		used[n] = networks[n]
	}
	volumes, _ := doc["volumes"].(map[string]any)
	mounted := map[string]any{}
	for _, v := range s.Volumes {
		if v.Type == types.VolumeTypeVolume && v.Source != "" {
			mounted[v.Source] = volumes[v.Source]
		}
	}
	files := map[string]string{}
	add := func(kind, source, file, inline string) {
		sum := sha256.Sum256(append([]byte(inline), content[file]...))
		files[kind+" "+source] = hex.EncodeToString(sum[:])
	}
	for _, c := range s.Configs {
		add("config", c.Source, p.Configs[c.Source].File, p.Configs[c.Source].Content)
	}
	for _, c := range s.Secrets {
		add("secret", c.Source, p.Secrets[c.Source].File, p.Secrets[c.Source].Content)
	}
	text, err := json.Marshal(map[string]any{"project": p.Name, "service": part, "networks": used, "volumes": mounted, "files": files})
	if err != nil {
		return "", fmt.Errorf("service %s: %w", name, err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// escape writes a dollar as two, in every text: Compose would look for a variable behind it.
func escape(v any) any {
	switch v := v.(type) {
	case string:
		if v == "=" || v == "<<" { // version 1 takes them for something else unless they are quoted
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: v}
		}
		return strings.ReplaceAll(v, "$", "$$")
	case map[string]any:
		for key, value := range v {
			v[key] = escape(value)
		}
	case []any:
		for i, value := range v {
			v[i] = escape(value)
		}
	}
	return v
}
