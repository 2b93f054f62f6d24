package systemd

import (
	"slices"
	"strings"
	"testing"
)

func TestParseInstall(t *testing.T) {
	const text = `[Unit]
WantedBy=not-here.target
[Install]
# WantedBy=comment.target
WantedBy = a.target b.target
WantedBy=c.target \
; in between
  d.target
RequiredBy=lost.target
RequiredBy=
RequiredBy=r.target
Alias=other.service %i.service
Also=x.socket
DefaultInstance=main
nonsense
[Service]
Alias=no.service`
	i := parseInstall(text)
	if want := []string{"a.target", "b.target", "c.target", "d.target"}; !slices.Equal(i.WantedBy, want) {
		t.Errorf("WantedBy = %q, want %q", i.WantedBy, want)
	}
	if !slices.Equal(i.RequiredBy, []string{"r.target"}) || !slices.Equal(i.Also, []string{"x.socket"}) || i.Default != "main" || i.none() {
		t.Errorf("got %+v", i)
	}
	want := []string{
		"a.target.wants/u.service", "b.target.wants/u.service", "c.target.wants/u.service", "d.target.wants/u.service",
		"other.service", "r.target.requires/u.service",
	}
	for n := range want {
		want[n] = unitDir + "/" + want[n]
	}
	if got := i.links("u.service"); !slices.Equal(got, want) {
		t.Errorf("links = %q, want %q", got, want)
	}
	if got := i.links("u@.service"); !slices.Contains(got, unitDir+"/a.target.wants/u@main.service") {
		t.Errorf("links of a template = %q", got)
	}
	if got := (install{WantedBy: []string{"a.target"}}).links("u@.service"); got != nil {
		t.Errorf("links of a template without an instance = %q", got)
	}
	if !parseInstall("[Service]\nExecStart=/bin/true\n").none() {
		t.Error("a unit without [Install] can be enabled")
	}
}

func FuzzParseInstall(f *testing.F) {
	f.Add("[Install]\nWantedBy=a b\\\n c\nAlias=\n")
	f.Add("[Install]\nWantedBy=\\")
	f.Fuzz(func(t *testing.T, text string) {
		i := parseInstall(text)
		for _, l := range append(i.links("u.service"), i.links("u@.service")...) {
			if strings.ContainsAny(l, " \n") {
				t.Errorf("a link is %q", l)
			}
		}
	})
}

func TestParseJournal(t *testing.T) {
	const text = `{"MESSAGE":"one","PRIORITY":"3","_PID":"42","SYSLOG_IDENTIFIER":"sh","__REALTIME_TIMESTAMP":"1700000000000001"}
{"MESSAGE":[104,105,255],"PRIORITY":"9"}

{"MESSAGE":["a","b",null]}
{"MESSAGE":null,"PRIORITY":7}
`
	got, err := parseJournal(text, false)
	want := []entry{
		{time: 1700000000000001, priority: 3, message: "one", identifier: "sh", pid: 42},
		{priority: 6, message: "hi\uFFFD"}, {priority: 6, message: "a\nb"}, {priority: 6},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("parseJournal = %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"no json\n", "null\n", "[1]\n"} {
		if got, err := parseJournal(bad, false); err == nil {
			t.Errorf("parseJournal(%q) = %+v, want an error", bad, got)
		}
	}
	got, err = parseJournal("{\"MESSAGE\":\"one\"}\n{\"MESS\n[cut off]", true)
	if err != nil || len(got) != 1 {
		t.Errorf("of what was cut off: %+v, %v", got, err)
	}
}

func FuzzParseJournal(f *testing.F) {
	f.Add(`{"MESSAGE":"one","PRIORITY":"3"}`+"\n", false)
	f.Add(`{"MESSAGE":[1,2,300]}`+"\n"+`{"MESSAGE":[["x"]]}`, true)
	f.Fuzz(func(t *testing.T, text string, cut bool) {
		entries, err := parseJournal(text, cut)
		if err != nil {
			return
		}
		for _, e := range entries {
			e.value() // of any priority
		}
	})
}

func TestJudge(t *testing.T) {
	const missing = "a.service: Command /opt/x is not executable: No such file or directory\n"
	never := func(string) bool { return false }
	for what, c := range map[string]struct {
		output string
		code   int
		will   func(string) bool
		want   string // "": nothing is wrong
	}{
		"nothing":            {"", 0, never, ""},
		"a key":              {"a.service:3: Unknown key 'X', ignoring.\na.service:3: Unknown key 'X', ignoring.\n", 1, never, "meant:\n  a.service:3: Unknown key 'X', ignoring."},
		"of an older one":    {"a.service:3: Unknown key 'X', ignoring.\n", 0, never, "Unknown key"},
		"of another unit":    {"/lib/systemd/system/b.service:3: Unknown key 'X', ignoring.\n", 0, never, ""},
		"of a part":          {"a.service.d/10-x.conf:3: Unknown key 'X', ignoring.\n", 1, never, "10-x.conf"},
		"no program":         {missing, 1, never, "/opt/x is not executable"},
		"a program to come":  {missing, 1, func(p string) bool { return p == "/opt/x" }, ""},
		"and something else": {missing + "a.service:1: Bad\n", 1, func(string) bool { return true }, "a.service:1: Bad"},
		"about the unit":     {"Unit a.service has a bad unit file setting.\n", 1, never, "bad unit file"},
		"something strange":  {"cannot fork\n", 1, never, "cannot fork"},
		"no word":            {"", 1, never, "exit status 1"},
	} {
		err := judge(c.output, "a.service", c.code, c.will)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}

func FuzzJudge(f *testing.F) {
	f.Add("a.service: Command /opt/x is not executable: No such file or directory\n", 1)
	f.Fuzz(func(t *testing.T, output string, code int) {
		err := judge(output, "a.service", code, func(string) bool { return false })
		if err == nil && code != 0 {
			t.Errorf("systemd-analyze failed with %d, and nothing is wrong", code)
		}
	})
}

func TestParseSecurity(t *testing.T) {
	var e exposure
	if err := e.parseOverall("x PrivateTmp= ...\n\n-> Overall exposure level for a.service: 9.2 UNSAFE :-{\n"); err != nil || e.overall != 9.2 || e.rating != "UNSAFE" {
		t.Errorf("got %+v, %v", e, err)
	}
	if err := e.parseOverall("nothing"); err == nil {
		t.Error("no level is no error")
	}
	err := e.parseFindings(`[{"set":true,"name":"A=","exposure":null},{"set":false,"name":"B=","description":"b","exposure":"0.1"},
		{"name":"C=","description":"c","exposure":"0.4"},{"name":"D=","exposure":"0.1"}]`)
	if err != nil || len(e.findings) != 3 || e.findings[0].Name != "C=" || e.findings[1].Name != "B=" {
		t.Errorf("findings = %+v, %v", e.findings, err)
	}
	if err := e.parseFindings("{"); err == nil {
		t.Error("no JSON is no error")
	}
}

func FuzzParseSecurity(f *testing.F) {
	f.Add("-> Overall exposure level for a.service: 9.2 UNSAFE :-{", `[{"name":"A=","exposure":null}]`)
	f.Fuzz(func(t *testing.T, table, findings string) {
		var e exposure
		if e.parseOverall(table) == nil && e.rating == "" {
			t.Error("a level without a rating")
		}
		if e.parseFindings(findings) == nil {
			e.value()
		}
	})
}
