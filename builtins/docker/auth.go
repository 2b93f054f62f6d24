package docker

import (
	"errors"

	"github.com/docker/docker/api/types/registry"

	"github.com/infrarun/infrarun/runtime"
)

// login are the parameters that say who asks a registry.
type login struct {
	Username string `arg:"username" default:"" doc:"who asks the registry"`
	Password string `arg:"password" default:"" doc:"with which password; read it with secret.env or secret.file"`
	Token    string `arg:"token" default:"" doc:"an access token instead of a password; then a username is needed only by registries that ask for one"`
}

// config makes of it what the engine passes on. It is written nowhere.
func (l login) config(c *runtime.Call) (*registry.AuthConfig, error) {
	for _, secret := range []string{l.Password, l.Token} {
		if secret != "" {
			if err := c.AddSecret(secret); err != nil {
				return nil, err
			}
		}
	}
	switch {
	case l.Password != "" && l.Token != "":
		return nil, errors.New("give a password or a token, not both")
	case l.Token != "" && l.Username == "":
		return &registry.AuthConfig{Username: "token", Password: l.Token}, nil
	case l.Token != "":
		return &registry.AuthConfig{Username: l.Username, Password: l.Token}, nil
	case l.Password != "" && l.Username == "":
		return nil, errors.New("a password needs a username")
	case l.Username != "" && l.Password == "":
		return nil, errors.New("a username needs a password or a token")
	case l.Username == "":
		return nil, nil
	}
	return &registry.AuthConfig{Username: l.Username, Password: l.Password}, nil
}

// encoded is what a header of the API takes; nobody in particular asks without one.
func encoded(a *registry.AuthConfig) (string, error) {
	if a == nil {
		a = &registry.AuthConfig{}
	}
	return registry.EncodeAuthConfig(*a)
}
