package composefile

import "fmt"

// ofVariables sees to the configs and secrets of services that are variables: who brings the project up may see others than
// the recipe, so they must be known here. Configs are then written down like others; secrets keep the name of their variable.
func (p *Project) ofVariables() error {
	known := func(section, key, variable string) error {
		if _, ok := p.Environment[variable]; variable == "" || ok {
			return nil
		}
		return fmt.Errorf("%s: it is the variable %s, which is not set; give it in env = {...} or env_files = [...]",
			p.places.at(section, key, "environment"), variable)
	}
	for _, s := range p.Services {
		for _, c := range s.Configs {
			config := p.Configs[c.Source]
			if err := known("configs", c.Source, config.Environment); err != nil {
				return err
			}
			config.Environment = "" // the library has put into its content what the variable holds
			p.Configs[c.Source] = config
		}
		secrets := s.Secrets
		if s.Build != nil {
			secrets = append(secrets[:len(secrets):len(secrets)], s.Build.Secrets...)
		}
		for _, c := range secrets {
			if err := known("secrets", c.Source, p.Secrets[c.Source].Environment); err != nil {
				return err
			}
		}
	}
	return nil
}
