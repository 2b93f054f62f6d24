package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type runArgs struct {
	Name        string            `arg:"name" doc:"the container's name"`
	Image       string            `arg:"image" doc:"its image, by name or id; it must be on this machine: docker.pull or docker.build brings it"`
	Command     runtime.Strings   `arg:"command" default:"" doc:"the command and its arguments instead of those of the image"`
	Entrypoint  runtime.Strings   `arg:"entrypoint" default:"" doc:"what runs the command, instead of that of the image"`
	Env         runtime.StringMap `arg:"env" default:"" doc:"variables. Whoever may use docker can read them: so can he those of env_file"`
	EnvFile     string            `arg:"env_file" default:"" doc:"a file as text.dotenv writes it, with more variables, which win over env"`
	Ports       runtime.Strings   `arg:"ports" default:"" doc:"ports of this machine that lead to it: \"8080:80\", \"127.0.0.1:8080:80\", \"53:53/udp\""`
	Volumes     runtime.Strings   `arg:"volumes" default:"" doc:"what it sees: \"NAME:/path\" of a volume, \"/host/path:/path\" of this machine, with :ro at the end to read only"`
	Tmpfs       runtime.Strings   `arg:"tmpfs" default:"" doc:"paths in memory, empty when it starts"`
	Labels      runtime.StringMap `arg:"labels" default:"" doc:"its labels"`
	Network     string            `arg:"network" default:"" doc:"its network: one of docker.network, host or none; by default the engine's bridge"`
	Aliases     runtime.Strings   `arg:"aliases" default:"" doc:"further names by which others in its network find it"`
	Restart     string            `arg:"restart" default:"no" doc:"what happens when it ends: no, always, unless-stopped, on-failure or on-failure:5"`
	User        string            `arg:"user" default:"" doc:"who runs its command, as name, number or 1000:1000"`
	Workdir     string            `arg:"workdir" default:"" doc:"where its command runs"`
	Hostname    string            `arg:"hostname" default:"" doc:"its host name; by default its id"`
	ExtraHosts  runtime.Strings   `arg:"extra_hosts" default:"" doc:"further names that it can look up: \"db:10.0.0.5\""`
	ReadOnly    bool              `arg:"read_only" default:"false" doc:"whether its file system can only be read, except volumes and tmpfs"`
	Init        bool              `arg:"init" default:"false" doc:"whether a small init looks after its processes"`
	Privileged  bool              `arg:"privileged" default:"false" doc:"whether it has all rights to this machine"`
	CapAdd      runtime.Strings   `arg:"cap_add" default:"" doc:"rights of the kernel that it gets, such as NET_ADMIN"`
	CapDrop     runtime.Strings   `arg:"cap_drop" default:"" doc:"rights that it loses, such as ALL"`
	Memory      memory            `arg:"memory" default:"" doc:"how much memory it may use, in bytes or as \"512m\""`
	CPUs        runtime.Number    `arg:"cpus" default:"0" doc:"how many CPUs it may use, such as 1.5"`
	StopTimeout runtime.Seconds   `arg:"stop_timeout" default:"10s" doc:"how long it has to end after SIGTERM, in whole seconds, before it is ended by force"`
	Health      healthcheck       `arg:"healthcheck" default:"" doc:"how it is asked whether it is well: {\"test\": [\"/app\", \"check\"], \"interval\": 5, \"timeout\": 2, \"start_period\": 10, \"retries\": 3}; by default as the image says"`
}

var runBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.run", Returns: "as docker.container", Undo: runtime.Compensating,
	Permission: "`docker` on container:name, image:image, volume:NAME, host-path:/PATH and network:NAME, on privileged, " +
		"host-network, socket or capability:NAME for what it asks for, `fs.read` on env_file",
	Doc: "Has a container run in the background. If one of that name runs with the same definition and image nothing is to do; " +
		"if it only has stopped it is started. Otherwise the new one is made, the old one is stopped and set aside under another " +
		"name, and the new one is started: what differs is told. That it starts does not say that it is well: " +
		"docker.wait_healthy does. Undo removes the new container, after its logs were saved in the run's directory, and brings " +
		"the old one back: the very same, or, if somebody has removed what does not run meanwhile, an equal one, from its saved " +
		"image and description, without the files that it had written outside of volumes. Volumes that the new one brought are " +
		"removed, after what they hold was saved in the run's directory.",
	Example: `docker.run("console", image = "app:1.4", ports = ["127.0.0.1:8082:8082"], env_file = "/etc/app/app.env",` + "\n" +
		`           volumes = ["console-data:/data"], restart = "unless-stopped", user = "1000:1000", read_only = True)` + "\n" +
		`docker.wait_healthy("console")`,
}, func(c *runtime.Call, a runArgs) (starlark.Value, error) {
	if err := checkName("container", a.Name); err != nil {
		return nil, err
	}
	d, err := a.define(c.BaseDir())
	if err != nil {
		return nil, err
	}
	r := &run{name: a.Name, def: d, env: a.Env}
	if a.EnvFile != "" {
		r.envFile = filesys.Abs(c.BaseDir(), a.EnvFile)
	}
	return c.Do(r)
})

// run is the change that has a container run.
type run struct {
	name    string
	def     definition
	env     map[string]string
	envFile string

	image   engine.SeenImage
	aspects aspects
	found   *container.InspectResponse // what has the name now
	resume  bool                       // it only has to be started
	token   string                     // marks the new container
	before  *keptContainer
	volumes []string // those that it brings
}

// Describe implements [runtime.Change].
func (r *run) Describe() runtime.Description {
	list := r.def.needs(r.name)
	if r.envFile != "" {
		list = append(list, policy.Need{Kind: "fs.read", Target: r.envFile})
	}
	return runtime.Description{
		Call: "docker.run", Target: r.name, Needs: list, Undo: runtime.Compensating, UndoNote: "brings back the container that ran before",
	}
}

// Probe implements [runtime.Change].
func (r *run) Probe(ctx context.Context, rd *runtime.Reader) (runtime.Finding, error) {
	return looking(ctx, rd, func(e *engine.Client) (runtime.Finding, error) {
		found := runtime.Finding{Needed: true}
		known, err := r.readEnvFile(filesys.Read(rd))
		if err != nil {
			return found, err
		}
		if r.image, err = e.SeeImage(ctx, rd, r.def.Image); err != nil {
			return found, err
		}
		if !r.image.There() {
			return found, fmt.Errorf("%s: %w", r.def.Image, errNoImage)
		}
		if missing, err := r.missing(ctx, e, rd); err != nil || missing != "" {
			return found, errors.Join(err, errorOf(missing))
		}
		id := ""
		if !r.image.Predicted {
			id = r.image.ID
		}
		r.aspects = r.def.aspects(id)
		if !known {
			r.aspects["environment"] = "unknown"
		}
		now, err := lookContainer(ctx, e, rd, r.name)
		if err != nil {
			return found, err
		}
		r.found = now.real
		found.Summary = r.why(now)
		if found.Summary == "" {
			found.Needed, found.Summary, found.Value = false, "runs as it should", now.value()
		}
		return found, nil
	})
}

func errorOf(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}

// why says what is to be done, "" if nothing.
func (r *run) why(now seenContainer) string {
	image := r.def.Image
	if !r.image.Predicted {
		image += " (" + imageref.Short(r.image.ID) + ")"
	}
	if !now.there {
		return "create it from " + image
	}
	if now.aspects == nil {
		return "replace the one that is there, which docker.run has not made, from " + image
	}
	if differ := r.aspects.differences(now.aspects); len(differ) > 0 {
		return fmt.Sprintf("replace it, from %s: other %s", image, strings.Join(differ, ", "))
	}
	if now.running {
		return ""
	}
	r.resume = now.isThere()
	return "start it, it is " + now.status()
}

// Predict implements [runtime.Change].
func (r *run) Predict(w *runtime.World) (starlark.Value, error) {
	p := predictedContainer{
		there: true, running: true, made: !r.resume, aspects: r.aspects, image: r.def.Image, labels: r.def.Labels, ports: r.def.tcpPorts(),
	}
	p.network = r.def.Network
	for _, m := range r.def.Volumes {
		if m.Type == mount.TypeVolume {
			o := overlayOf(w)
			predict(o, o.volumes, m.Source, true)
			p.volumes = append(p.volumes, m.Source)
		}
	}
	predictContainer(w, r.name, p, portsOf(r.found))
	return seenContainer{name: r.name, there: true, running: true, predicted: &p}.value(), nil
}
