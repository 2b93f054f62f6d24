package stack

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"

	"github.com/infrarun/infrarun/builtins/internal/composefile"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
)

// defined reads a project and defines it.
func defined(text string) (*definition, error) {
	p, err := composefile.Load(context.Background(), familytest.Files{"/srv/compose.yaml": text}, composefile.Wanted{Dir: "/srv"})
	if err != nil {
		return nil, err
	}
	return define(p, map[string][]byte{"/srv/s.txt": []byte("secret")}, plainly)
}

// plainly stands for the fingerprints of a state directory.
func plainly(of string, content []byte) ([]byte, error) { return append(content, of...), nil }

const everything = `
name: shop
services:
  site:
    image: app
    entrypoint: [/app]
    command: [serve]
    environment: {B: "2", A: "1"}
    extra_hosts: ["other:10.0.0.1"]
    cap_add: [net_admin]
    cap_drop: [ALL]
    ports: ["80:8080", {target: 9, published: "9", protocol: udp, mode: host}]
    volumes: ["data:/data", {type: tmpfs, target: /run, tmpfs: {size: 1m}}]
    tmpfs: [/tmp]
    secrets: [{source: s, target: key, mode: 0400}]
    networks: {back: {aliases: [www]}}
    stop_grace_period: 3s
    restart: on-failure:2
    logging: {driver: json-file, options: {max-size: 1m}}
    ulimits: {nofile: 1000}
    depends_on: [job]
    deploy:
      replicas: 3
      labels: {team: shop}
      resources: {limits: {cpus: "0.1", memory: 64M}, reservations: {memory: 32M}}
      placement: {constraints: [node.role == worker], max_replicas_per_node: 1, preferences: [{spread: node.id}]}
      update_config: {parallelism: 0, order: start-first, failure_action: rollback, monitor: 10s, delay: 1s}
  job:
    build: .
    deploy: {mode: global, restart_policy: {condition: none}}
secrets: {s: {file: ./s.txt}}
networks: {back: {attachable: true}}
volumes: {data: {labels: {keep: "yes"}}}
`

// What stands in the compose file is in the specification.
func TestDefine(t *testing.T) {
	d, err := defined(everything)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range d.services {
		tree, err := normal(s.spec, nil)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, differences(nil, tree)...)
	}
	for _, n := range d.networks {
		got = append(got, n.name+" "+n.options.Driver)
	}
	for _, f := range d.files {
		got = append(got, string(f.kind)+" "+f.name+" "+string(f.data))
	}
	want := []string{
		// job
		"labels of the service", "Name", "labels", "networks", "restart policy",
		// site
		"ports", "labels of the service", "replicas 3, was 0", "Name",
		"command", "CapabilityAdd", "CapabilityDrop", "entrypoint", "environment: A, B", "Hosts", "labels", "mounts", "secrets",
		"StopGracePeriod", "Ulimits", "logging", "networks", "placement", "resources", "restart policy", "update_config",
		"shop_back overlay", "shop_default overlay", "secret shop_s-736563726574 secret",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the definition differs (-want +got):\n%s", diff)
	}
	site := d.services[1].spec
	if got := site.TaskTemplate.Resources.Limits.NanoCPUs; got != 100_000_000 {
		t.Errorf("0.1 processors are %d", got)
	}
	if got, want := site.TaskTemplate.ContainerSpec.Env, []string{"A=1", "B=2"}; !cmp.Equal(got, want) {
		t.Errorf("the environment is %v", got)
	}
	if got, want := site.TaskTemplate.Networks, []swarm.NetworkAttachmentConfig{{Target: "shop_back", Aliases: []string{"www", "site"}}}; !cmp.Equal(got, want) {
		t.Errorf("the networks are %v", got)
	}
	if u := site.UpdateConfig; u.Parallelism != 0 || u.Order != "start-first" || u.FailureAction != "rollback" || u.Monitor.Seconds() != 10 {
		t.Errorf("the update is %+v", u)
	}
}

// What a service of a swarm cannot have is refused, with its line.
func TestDefineRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"privileged: true":                                       "/srv/compose.yaml:5: service a: a service of a swarm cannot have privileged",
		"mem_limit: 64m":                                         "cannot have mem_limit; write it below deploy, resources",
		"network_mode: host":                                     "cannot have network_mode",
		"security_opt: [no-new-privileges:true]":                 "cannot have security_opt",
		"ports: [\"127.0.0.1:80:80\"]":                           "port 80 is published on 127.0.0.1",
		"ports: [\"80:80\"]\n    deploy: {endpoint_mode: dnsrr}": "with endpoint_mode dnsrr",
		"deploy: {mode: replicated-job}":                         "replicated-job",
		"tmpfs: [\"/tmp:size=1m\"]":                              "tmpfs /tmp: options are not supported",
		"networks: {default: {ipv4_address: 10.0.0.2}}":          "/srv/compose.yaml:5: service a: network default: a task of a swarm cannot have an address of its own",
		"networks: {default: {interface_name: eth7}}":            "only aliases and driver_opts can be said",
		`volumes: ['/srv/{{printf "%c%c" 46 46}}/etc:/etc']`:     "/srv/compose.yaml:5: service a: the mount on /etc is of a path with a template",
		"volumes: [{type: volume, source: v, target: /v, volume: {subpath: a}}]\nvolumes: {v: {}}":                            "cannot have volume, subpath",
		"volumes: ['data:/v']\nvolumes: {data: {driver_opts: {type: none, o: bind, device: '/srv/{{print .Service.Name}}'}}}": "the mount on /v is of a path with a template",
	} {
		_, err := defined("name: shop\nservices:\n  a:\n    image: x\n    " + text + "\n")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// Two specifications that run the same have no differences, however they came about; values that may be secret are not told.
func TestDifferences(t *testing.T) {
	d, err := defined(everything)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(d.services[1].spec)
	if err != nil {
		t.Fatal(err)
	}
	base := func() (s swarm.ServiceSpec) {
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, c := range map[string]struct {
		change func(*swarm.ServiceSpec)
		want   string
	}{
		"as the swarm writes it": {func(s *swarm.ServiceSpec) {
			s.TaskTemplate.Runtime = "container"
			s.TaskTemplate.ContainerSpec.Isolation = "default"
			s.TaskTemplate.Networks[0].Target = "id1"
			s.TaskTemplate.ContainerSpec.Secrets[0].SecretID = "id2"
			s.EndpointSpec.Mode = "vip"
		}, ""},
		"environment": {func(s *swarm.ServiceSpec) { s.TaskTemplate.ContainerSpec.Env = []string{"A=hunter2", "C=3"} }, "environment: A, B, C"},
		"replicas":    {func(s *swarm.ServiceSpec) { n := uint64(5); s.Mode.Replicated.Replicas = &n }, "replicas 3, was 5"},
		"image":       {func(s *swarm.ServiceSpec) { s.TaskTemplate.ContainerSpec.Image = "app:0" }, "image 0, was app:0"},
		"order":       {func(s *swarm.ServiceSpec) { s.UpdateConfig.Order = "stop-first" }, "update_config"},
	} {
		old := base()
		c.change(&old)
		a, err := normal(old, map[string]string{"id1": "shop_back"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := normal(base(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(differences(a, b), "; "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
