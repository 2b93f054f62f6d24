package stack

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/swarm"
)

// normal is a specification as a tree without what says nothing: what is empty, what a swarm does anyway, and ids of what
// has a name. Two services whose trees are equal run the same. Networks has the names of networks by id.
func normal(spec swarm.ServiceSpec, networks map[string]string) (map[string]any, error) {
	text, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("service %s: %w", spec.Name, err)
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, fmt.Errorf("service %s: %w", spec.Name, err)
	}
	for _, where := range []map[string]any{tree, child(tree, "TaskTemplate")} {
		attached, _ := where["Networks"].([]any)
		for _, n := range attached {
			n, _ := n.(map[string]any)
			id, _ := n["Target"].(string)
			if name := networks[id]; name != "" {
				n["Target"] = name
			}
		}
	}
	for _, d := range defaults {
		parent := child(tree, d.path...)
		if parent[d.key] == d.value {
			delete(parent, d.key)
		}
	}
	for _, key := range []string{"Configs", "Secrets"} {
		list, _ := child(tree, "TaskTemplate", "ContainerSpec")[key].([]any)
		for _, ref := range list {
			ref, _ := ref.(map[string]any)
			delete(ref, "ConfigID")
			delete(ref, "SecretID")
		}
	}
	delete(child(tree, "TaskTemplate", "Placement"), "Platforms") // what the registry says of the image
	delete(child(tree, "TaskTemplate"), "ForceUpdate")            // how often it was restarted
	pruned, _ := prune(tree).(map[string]any)
	return pruned, nil
}

// defaults is what a swarm does anyway, and writes into some specifications.
var defaults = []struct {
	path  []string
	key   string
	value any
}{
	{[]string{"UpdateConfig"}, "FailureAction", "pause"},
	{[]string{"UpdateConfig"}, "Order", "stop-first"},
	{[]string{"RollbackConfig"}, "FailureAction", "pause"},
	{[]string{"RollbackConfig"}, "Order", "stop-first"},
	{[]string{"EndpointSpec"}, "Mode", "vip"},
	{[]string{"TaskTemplate"}, "Runtime", "container"},
	{[]string{"TaskTemplate", "RestartPolicy"}, "Condition", "any"},
	{[]string{"TaskTemplate", "ContainerSpec"}, "Isolation", "default"},
}

// child is a part of a tree; of what is not there, an empty one.
func child(tree map[string]any, path ...string) map[string]any {
	for _, key := range path {
		tree, _ = tree[key].(map[string]any)
	}
	if tree == nil {
		return map[string]any{}
	}
	return tree
}

// prune leaves out what is empty.
func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if v[key] = prune(value); v[key] == nil {
				delete(v, key)
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
		for i := range v {
			v[i] = prune(v[i])
		}
	case string:
		if v == "" {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return v
}

// differences says what differs between two specifications, never a value that may be secret.
func differences(old, now map[string]any) []string {
	var all []string
	add := func(path []string, was, is any) {
		if slices.Equal(path, []string{"Labels", imageLabel}) {
			return // the image itself says it
		}
		if text := difference(strings.Join(path, "."), was, is); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	var visit func(path []string, was, is any)
	visit = func(path []string, was, is any) {
		a, ok := was.(map[string]any)
		b, both := is.(map[string]any)
		if was == nil {
			a, ok = nil, both
		} else if is == nil {
			b, both = nil, ok
		}
		if !ok || !both || len(path) > 3 {
			if !reflect.DeepEqual(was, is) {
				add(path, was, is)
			}
			return
		}
		for _, key := range slices.Sorted(maps.Keys(union(a, b))) {
			visit(append(slices.Clone(path), key), a[key], b[key])
		}
	}
	visit(nil, any(old), any(now))
	return all
}

func union(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, b)
	return all
}

// words are what an operator calls the parts of a specification.
var words = []struct{ prefix, word string }{
	{"Labels", "labels of the service"},
	{"Mode", "replicas"},
	{"EndpointSpec.Ports", "ports"},
	{"EndpointSpec", "endpoint mode"},
	{"UpdateConfig", "update_config"},
	{"RollbackConfig", "rollback_config"},
	{"TaskTemplate.ContainerSpec.Image", "image"},
	{"TaskTemplate.ContainerSpec.Env", "environment"},
	{"TaskTemplate.ContainerSpec.Labels." + localLabel, "content of the image"},
	{"TaskTemplate.ContainerSpec.Labels", "labels"},
	{"TaskTemplate.ContainerSpec.Mounts", "mounts"},
	{"TaskTemplate.ContainerSpec.Configs", "configs"},
	{"TaskTemplate.ContainerSpec.Secrets", "secrets"},
	{"TaskTemplate.ContainerSpec.Healthcheck", "health check"},
	{"TaskTemplate.ContainerSpec.Command", "entrypoint"},
	{"TaskTemplate.ContainerSpec.Args", "command"},
	{"TaskTemplate.Networks", "networks"},
	{"TaskTemplate.Placement", "placement"},
	{"TaskTemplate.Resources", "resources"},
	{"TaskTemplate.RestartPolicy", "restart policy"},
	{"TaskTemplate.LogDriver", "logging"},
}

// difference is one, in words.
func difference(path string, was, is any) string {
	word := path
	for _, w := range words {
		if path == w.prefix || strings.HasPrefix(path, w.prefix+".") {
			word = w.word
			break
		}
	}
	switch word {
	case "image", "replicas":
		return fmt.Sprintf("%s %s, was %s", word, plain(is), plain(was))
	case "environment":
		return "environment: " + strings.Join(changedNames(was, is), ", ")
	}
	return strings.TrimPrefix(word, "TaskTemplate.ContainerSpec.")
}

func plain(v any) string {
	if v == nil {
		return "0"
	}
	return fmt.Sprint(v)
}

// changedNames are the names of variables that are not the same in both.
func changedNames(was, is any) []string {
	read := func(v any) map[string]string {
		all := map[string]string{}
		list, _ := v.([]any)
		for _, entry := range list {
			text, _ := entry.(string)
			name, value, _ := strings.Cut(text, "=")
			all[name] = value
		}
		return all
	}
	a, b := read(was), read(is)
	var names []string
	for name, value := range a {
		if other, ok := b[name]; !ok || other != value {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
