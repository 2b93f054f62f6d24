package docker

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/imageref"
)

func TestBases(t *testing.T) {
	const dockerfile = `# FROM none
ARG GO=1.26
ARG BASE="base:1"
FROM --platform=linux/amd64 go:${GO} AS build
ARG INSIDE=x
RUN make \
  FROM nothing
from $BASE
COPY --from=build /a /a
COPY --chown=1:1 --from=other:2 /b /b
COPY --from=0 /c /c
FROM ${MISSING:-fallback:3}
FROM scratch
`
	want := []string{"base:2", "fallback:3", "go:1.26", "other:2"}
	if got, err := bases(dockerfile, map[string]string{"BASE": "base:2"}); err != nil || !slices.Equal(got, want) {
		t.Errorf("bases = %q, %v, want %q", got, err, want)
	}
}

// TestBasesOfArguments: what the engine would bring must be known, whatever way it is written.
func TestBasesOfArguments(t *testing.T) {
	for dockerfile, want := range map[string]string{
		"ARG REPO=registry.example\nARG BASE=${REPO}/app:1\nFROM ${BASE}": "registry.example/app:1",
		"ARG REPO=registry.example TAG='2'\nFROM $REPO/app:$TAG":          "registry.example/app:2",
		"ARG TAG\nFROM app${TAG:+:}${TAG:-:3}":                            "app:3",
		"ARG TAG=\nARG NONE\nFROM app:${TAG-x}${NONE-4}":                  "app:4",
		"# escape=`\nFROM `\napp:5":                                       "app:5",
		"FROM \\\n\n# not the end\napp:6":                                 "app:6",
		"RUN x \\\n\n  FROM y\nFROM \"app:7\"":                            "app:7",
	} {
		if got, err := bases(dockerfile, nil); err != nil || strings.Join(got, " ") != want {
			t.Errorf("bases(%q) = %q, %v, want %s", dockerfile, got, err, want)
		}
	}
	for dockerfile, want := range map[string]string{
		"FROM app:${A:-${B}}":      "only $NAME",
		"FROM app:${A%.*}":         "only $NAME",
		"ARG A\nFROM $A":           "no name of an image",
		"FROM app:1 AS a b":        "that is not FROM IMAGE",
		"COPY --from=app:$A /a /a": "no name of an image",
	} {
		if got, err := bases(dockerfile, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("bases(%q) = %q, %v, want an error with %q", dockerfile, got, err, want)
		}
	}
}

func FuzzBases(f *testing.F) {
	f.Add("FROM a\\\n:1 AS b\nCOPY --from=c / /", "a")
	f.Add("ARG A=${A}\nFROM ${A:-${A}}", "A")
	f.Fuzz(func(t *testing.T, dockerfile, arg string) {
		names, _ := bases(dockerfile, map[string]string{arg: arg})
		for _, name := range names {
			if ref, err := imageref.Parse(name); err != nil || ref.Name != name {
				t.Errorf("base image %q is no name of one: %v", name, err)
			}
		}
	})
}

func TestParseVolume(t *testing.T) {
	for text, want := range map[string]mount.Mount{
		"data:/data":        {Type: mount.TypeVolume, Source: "data", Target: "/data"},
		"data:/data/:ro":    {Type: mount.TypeVolume, Source: "data", Target: "/data", ReadOnly: true},
		"/srv/x/:/x:rw":     {Type: mount.TypeBind, Source: "/srv/x", Target: "/x"},
		"./conf/../y:/y:ro": {Type: mount.TypeBind, Source: "/base/y", Target: "/y", ReadOnly: true},
	} {
		if got, err := parseVolume("/base", text); err != nil || got != want {
			t.Errorf("parseVolume(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "data", "data:", "data:data", "/a:/b:z", "a:/b:ro:x", "a:/", "a b:/b", ":/b"} {
		if got, err := parseVolume("/base", bad); err == nil {
			t.Errorf("parseVolume(%q) = %+v, want an error", bad, got)
		}
	}
}

func FuzzParseVolume(f *testing.F) {
	f.Add("./x:/x:ro")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseVolume("/base", text)
		if err == nil && (!strings.HasPrefix(m.Target, "/") || m.Type == mount.TypeBind && !strings.HasPrefix(m.Source, "/")) {
			t.Errorf("parseVolume(%q) = %+v", text, m)
		}
	})
}

func TestRestartPolicy(t *testing.T) {
	for _, good := range []string{"no", "always", "unless-stopped", "on-failure", "on-failure:5"} {
		if _, err := restartPolicy(good); err != nil {
			t.Errorf("restartPolicy(%q): %v", good, err)
		}
	}
	for _, bad := range []string{"never", "always:3", "on-failure:", "on-failure:0", "on-failure:x"} {
		if p, err := restartPolicy(bad); err == nil {
			t.Errorf("restartPolicy(%q) = %+v, want an error", bad, p)
		}
	}
}

// TestAspects tells what differs between definitions, and nothing of what is in them.
func TestAspects(t *testing.T) {
	one := definition{Image: "app:1", Env: []string{"PASSWORD=hunter2"}, Ports: []string{"80:80"}}
	label := one.aspects("sha256:1").String()
	if strings.Contains(label, "hunter2") {
		t.Errorf("the label shows a secret: %s", label)
	}
	there := parseAspects(label)
	if !reflect.DeepEqual(there, one.aspects("sha256:1")) {
		t.Errorf("the label is read as %v", there)
	}
	two := one
	two.Env, two.Health = []string{"PASSWORD=hunter3"}, &healthcheck{Test: []string{"/app"}}
	got := two.aspects("sha256:2").differences(there)
	if want := []string{"environment", "healthcheck", "image"}; !slices.Equal(got, want) {
		t.Errorf("differences = %q, want %q", got, want)
	}
	if parseAspects("nonsense") != nil || parseAspects("") != nil {
		t.Error("what is no label of docker.run was read as one")
	}
}

func FuzzParseAspects(f *testing.F) {
	f.Add("image=1,env=2")
	f.Fuzz(func(t *testing.T, label string) {
		if a := parseAspects(label); a != nil && !reflect.DeepEqual(parseAspects(a.String()), a) {
			t.Errorf("%q is read as %v, which is not written so", label, a)
		}
	})
}

func TestHealthcheck(t *testing.T) {
	dict := func(pairs ...starlark.Value) *starlark.Dict {
		d := starlark.NewDict(len(pairs) / 2)
		for i := 0; i < len(pairs); i += 2 {
			if err := d.SetKey(pairs[i], pairs[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		return d
	}
	test := starlark.NewList([]starlark.Value{starlark.String("/app"), starlark.String("check")})
	var h healthcheck
	err := h.Unpack(dict(starlark.String("test"), test, starlark.String("interval"), starlark.Float(1.5), starlark.String("retries"), starlark.MakeInt(3)))
	want := healthcheck{Test: []string{"/app", "check"}, Interval: 1500 * time.Millisecond, Retries: 3}
	if err != nil || !reflect.DeepEqual(h, want) || !slices.Equal(h.command(), []string{"CMD", "/app", "check"}) {
		t.Errorf("healthcheck = %+v, %v", h, err)
	}
	for _, bad := range []starlark.Value{
		starlark.String("x"), dict(), dict(starlark.String("test"), starlark.String("x")),
		dict(starlark.String("test"), test, starlark.String("every"), starlark.MakeInt(1)),
	} {
		if err := new(healthcheck).Unpack(bad); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
}

func TestCPUPercent(t *testing.T) {
	var s container.StatsResponse
	s.CPUStats.SystemUsage, s.PreCPUStats.SystemUsage = 2_000, 1_000
	s.CPUStats.CPUUsage.TotalUsage, s.PreCPUStats.CPUUsage.TotalUsage = 350, 100
	s.CPUStats.OnlineCPUs = 4
	if got := cpuPercent(s); got != 100 {
		t.Errorf("a quarter of four CPUs = %v %%, want 100", got)
	}
	s.CPUStats.SystemUsage = 1_000
	if got := cpuPercent(s); got != 0 {
		t.Errorf("without time between = %v, want 0", got)
	}
	s.MemoryStats = container.MemoryStats{Usage: 300, Limit: 1000, Stats: map[string]uint64{"inactive_file": 100}}
	v := statsValue(s).(starlark.HasAttrs)
	if used, _ := v.Attr("memory"); used.String() != "200" {
		t.Errorf("memory = %v, want 200: without what is cached", used)
	}
}

// TestNameVolumes has a container that is made again get the volumes that it had without a name for them.
func TestNameVolumes(t *testing.T) {
	was := &container.InspectResponse{
		ContainerJSONBase: &container.ContainerJSONBase{ID: "abcdef", HostConfig: &container.HostConfig{
			NetworkMode: "front",
			Binds:       []string{"/srv:/srv:ro", "named:/named"},
			Mounts:      []mount.Mount{{Type: mount.TypeVolume, Target: "/asked"}, {Type: mount.TypeVolume, Source: "own", Target: "/own"}},
		}},
		Mounts: []container.MountPoint{
			{Type: mount.TypeBind, Source: "/srv", Destination: "/srv"},
			{Type: mount.TypeVolume, Name: "named", Destination: "/named", RW: true},
			{Type: mount.TypeVolume, Name: "own", Destination: "/own", RW: true},
			{Type: mount.TypeVolume, Name: "1234", Destination: "/asked", RW: true},
			{Type: mount.TypeVolume, Name: "5678", Destination: "/of-image", RW: true},
		},
		NetworkSettings: &container.NetworkSettings{Networks: map[string]*network.EndpointSettings{
			"front": {Aliases: []string{"www", "abcde"}}, "back": {},
		}},
	}
	nameVolumes(was)
	if want := []string{"/srv:/srv:ro", "named:/named", "5678:/of-image"}; !slices.Equal(was.HostConfig.Binds, want) {
		t.Errorf("binds = %q, want %q", was.HostConfig.Binds, want)
	}
	if got := was.HostConfig.Mounts[0].Source; got != "1234" {
		t.Errorf("the volume at /asked is %q, want 1234", got)
	}
	first, others := endpoints(was)
	if got := first.EndpointsConfig["front"]; got == nil || !slices.Equal(got.Aliases, []string{"www"}) || others["back"] == nil {
		t.Errorf("networks = %+v and %+v", first.EndpointsConfig, others)
	}
}

// TestSortByAge: images that were all made at the same time are told apart by when they were given a name.
func TestSortByAge(t *testing.T) {
	epoch, now := time.Unix(0, 0), time.Now()
	all := []image.Summary{{ID: "first"}, {ID: "second"}, {ID: "third"}, {ID: "made today"}}
	sortByAge(all, map[string]seenImage{
		"first": {epoch, now.Add(-3 * time.Hour)}, "second": {epoch, now.Add(-2 * time.Hour)},
		"third": {epoch, now.Add(-time.Hour)}, "made today": {now.Add(-4 * time.Hour), now.Add(-4 * time.Hour)},
	})
	var order []string
	for _, img := range all {
		order = append(order, img.ID)
	}
	if want := []string{"made today", "third", "second", "first"}; !slices.Equal(order, want) {
		t.Errorf("the order is %q, want %q", order, want)
	}
}
