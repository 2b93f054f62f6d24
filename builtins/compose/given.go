package compose

import (
	"fmt"
	"maps"
	"slices"
)

// checkGiven refuses configs and secrets that only a swarm has.
func checkGiven(p *project) error {
	for _, name := range p.ServiceNames() {
		for _, c := range p.Services[name].Configs {
			if p.Configs[c.Source].External {
				return fmt.Errorf("%s: service %s: the config %s is external, which only a swarm has", p.At("configs", c.Source), name, c.Source)
			}
		}
		for _, c := range p.Services[name].Secrets {
			if p.Secrets[c.Source].External {
				return fmt.Errorf("%s: service %s: the secret %s is external, which only a swarm has", p.At("secrets", c.Source), name, c.Source)
			}
		}
	}
	return nil
}

// nameSecrets gives secrets that are variables names of their own, and returns those variables: by another name Compose would
// find what its surroundings have, which the recipe may not be allowed to read.
func nameSecrets(p *project, doc map[string]any) map[string]string {
	env := map[string]string{}
	secrets, _ := doc["secrets"].(map[string]any)
	for i, key := range slices.Sorted(maps.Keys(secrets)) {
		if s, ok := secrets[key].(map[string]any); ok && s["environment"] != nil {
			name := fmt.Sprintf("INFRARUN_SECRET_%d", i)
			s["environment"], env[name] = name, p.Environment[p.Secrets[key].Environment]
		}
	}
	return env
}

// leavesOut fails for what version 1 reads without a word, and does not do.
func (c *cli) leavesOut(p *project) error {
	if c.assumed || !c.one {
		return nil
	}
	for _, name := range p.ServiceNames() {
		s := p.Services[name]
		if len(s.Configs) > 0 {
			return fmt.Errorf("%s: service %s has configs, which %s does not give to containers; a Compose of version 2 does",
				p.At("services", name, "configs"), name, c)
		}
		if s.Deploy != nil && s.Deploy.Resources.Limits != nil && s.Deploy.Resources.Limits.Pids != 0 {
			return fmt.Errorf("%s: service %s has the limit pids, which %s does not set; pids_limit works with every version",
				p.At("services", name, "deploy", "resources", "limits", "pids"), name, c)
		}
	}
	return nil
}
