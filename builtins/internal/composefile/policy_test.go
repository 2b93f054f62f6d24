package composefile_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrarun/infrarun/builtins/internal/composefile"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/policy"
)

// What lets a container out is found, with the line where it is asked for.
func TestDemands(t *testing.T) {
	t.Parallel()
	const text = `name: shop
services:
  a:
    image: x
    privileged: true
    cap_add:
      - NET_ADMIN
      - CAP_SYS_TIME
    security_opt: ["no-new-privileges:true", "seccomp:unconfined"]
    network_mode: host
    pid: host
    ipc: "container:other"
    uts: host
    userns_mode: host
    cgroup: host
    runtime: special
    devices: ["/dev/fuse:/dev/fuse"]
    device_cgroup_rules: ["c 1:3 mr"]
    volumes:
      - ./conf:/conf
      - /etc:/etc:ro
      - /var/run/docker.sock:/var/run/docker.sock
      - data:/data
      - type: tmpfs
        target: /tmp
    configs: [c]
    volumes_from: ["container:old:ro"]
    external_links: [old2:alias]
    post_start: [{command: [x], privileged: true}]
  b:
    <<: &more {image: x, privileged: true}
  c:
    image: x
    gpus: all
    networks: [outer, wide, bare, own]
    secrets: [{source: s}, {source: theirs}]
volumes:
  data:
    driver_opts: {type: none, o: bind, device: /home}
  ext: {external: true}
  odd: {driver: nfs}
  shared: {name: shop2_data}
networks:
  outer: {external: true, name: theirs}
  wide: {driver: macvlan}
  bare: {external: true, name: host}
  own: {driver: overlay}
configs:
  c: {file: ./c.conf}
  other: {external: true}
secrets:
  s: {file: /root/s}
  theirs: {external: true, name: key_of_another}
`
	all, err := composefile.Demands(mustLoad(t, familytest.Files{"/srv/compose.yaml": text}, composefile.Wanted{}))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range all {
		if d.Need.Kind != "docker" || d.What == "" {
			t.Errorf("%+v", d)
		}
		got = append(got, strings.TrimPrefix(d.Place, "/srv/compose.yaml:")+" "+d.Need.Target)
	}
	want := []string{
		"5 privileged:a", "29 privileged:a", "7 capability:NET_ADMIN", "8 capability:SYS_TIME", "9 security-opt:seccomp=unconfined",
		"16 runtime:special", "10 host-network", "11 host-pid", "12 container:other", "13 host-uts", "15 host-cgroup", "14 host-userns",
		"27 container:old", "28 container:old2", "17 device:/dev/fuse", "18 device:rule c 1:3 mr",
		"20 host-path:/srv/conf", "21 host-path:/etc", "22 socket", "22 host-path:/var/run/docker.sock", "26 host-path:/srv/c.conf",
		"31 privileged:b", "34 device:gpu", "36 host-path:/root/s",
		"38 host-path:/home", "40 volume:ext", "41 volume-driver:nfs", "42 volume:shop2_data", "46 host-network", "44 network:theirs", "45 network-driver:macvlan",
		"50 config:other", "53 secret:key_of_another",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the demands differ (-want +got):\n%s", d)
	}
}

// What is less obvious: each takes exactly this.
func TestDemandsOfOne(t *testing.T) {
	t.Parallel()
	const volume = "    volumes: [\"data:/data\"]\nvolumes:\n  data:\n    driver_opts: "
	const network = "    networks: [n]\nnetworks:\n  n:\n    "
	for text, want := range map[string]string{
		"    network_mode: theirs":                                        "network:theirs",
		"    network_mode: none":                                          "",
		"    network_mode: \"service:s2\"\n  s2: {image: x}":              "",
		"    cgroup_parent: /system.slice":                                "cgroup-parent:/system.slice",
		"    annotations: {org.systemd.property.DevicePolicy: x}":         "annotation:org.systemd.property.DevicePolicy",
		"    logging: {driver: fluentd, options: {a: b}}":                 "log-driver:fluentd",
		"    logging: {driver: json-file, options: {max-size: 1m}}":       "",
		"    sysctls: {net.core.somaxconn: 1024}":                         "",
		network + "name: host":                                            "host-network",
		network + "driver: host":                                          "host-network",
		network + "driver: bridge":                                        "",
		network + "driver_opts: {com.docker.network.bridge.name: br-lan}": "network:br-lan",
		network + "ipam: {driver: dhcp}":                                  "network-driver:dhcp",
		volume + "{type: none, o: \"ro,bind\", device: /srv/data}":        "host-path:/srv/data",
		volume + "{type: overlay, o: \"lowerdir=/\", device: /srv/data}":  "host-path:/srv/data volume-driver:local",
		volume + "{type: overlay, o: \"lowerdir=/\", device: bind}":       "volume-driver:local",
		volume + "{type: cgroup, o: memory, device: cgroup}":              "volume-driver:local",
		volume + "{type: tmpfs, o: size=1m, device: tmpfs}":               "",
	} {
		src := familytest.Files{"/srv/compose.yaml": "name: a\nservices:\n  s:\n    image: x\n" + text + "\n"}
		all, err := composefile.Demands(mustLoad(t, src, composefile.Wanted{}))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		var got []string
		for _, d := range all {
			got = append(got, d.Need.Target)
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%s\ntakes %q, want %q", text, got, want)
		}
	}
}

func TestDemandsRefuseProjects(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"models: {m: {model: x}}": "/srv/compose.yaml:5: models is not supported",
		"jobs: {j: {image: x, privileged: true, triggers: {manual: true}}}":  "/srv/compose.yaml:5: jobs is not supported",
		"volumes: {v: {name: /etc}}":                                         "/srv/compose.yaml:5: \"/etc\" is no name of a volume",
		"volumes: {v: {name: \"a:/b\", external: true}}":                     "\"a:/b\" is no name of a volume",
		"  t: {image: x, volumes: [{type: image, source: y, target: /y}]}":   "/srv/compose.yaml:5: service t: a mount of type image is not supported",
		"  t: {image: x, volumes: [{type: cluster, source: y, target: /y}]}": "a mount of type cluster is not supported",
		"  t: {image: x, volumes: [{type: npipe, source: y, target: /y}]}":   "a mount of type npipe is not supported",
	} {
		src := familytest.Files{"/srv/compose.yaml": "name: a\nservices:\n  s:\n    image: x\n" + text + "\n"}
		if _, err := composefile.Demands(mustLoad(t, src, composefile.Wanted{})); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestDemandsRefuse(t *testing.T) {
	t.Parallel()
	for key, text := range map[string]string{
		"provider":  "provider: {type: program}",
		"pre_start": "pre_start: [{command: [x], image: y}]",
	} {
		src := familytest.Files{"/srv/compose.yaml": "name: a\nservices:\n  s:\n    image: x\n    " + text + "\n"}
		if _, err := composefile.Demands(mustLoad(t, src, composefile.Wanted{})); err == nil || !strings.Contains(err.Error(), "/srv/compose.yaml:5: service s: "+key+" is not supported") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestPermitSaysWhere(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, familytest.Files{"/srv/compose.yaml": "name: a\nservices:\n  s:\n    image: x\n    privileged: true\n"}, composefile.Wanted{})
	err := composefile.Permit(p, func(needs ...policy.Need) error { return &policy.Denied{Need: needs[0], By: policy.Recipe} })
	var denied *policy.Denied
	if !errors.As(err, &denied) || !strings.HasPrefix(err.Error(), "/srv/compose.yaml:5: service s runs privileged: docker: privileged:s is not declared") {
		t.Errorf("got %v", err)
	}
}
