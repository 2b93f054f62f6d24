package systemd

import "testing"

func TestUnitName(t *testing.T) {
	for text, want := range map[string]string{
		"nginx": "nginx.service", "nginx.service": "nginx.service", "a.b": "a.b.service", "data-x.mount": "data-x.mount",
		"app@1": "app@1.service", "app@.service": "app@.service", `dev-disk-by\x2did.device`: `dev-disk-by\x2did.device`,
		"": "", "/etc/x.service": "", "../x": "", "a b": "", "a*": "", "@x": "", "a@b@c": "", ".service": "", "a\n": "", "ü": "",
	} {
		got, err := unitName(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("unitName(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
	if _, err := runnable("app@"); err == nil {
		t.Error("a template can run")
	}
	for unit, want := range map[string]string{"app@1.service": "app@.service", "app@.service": "", "app.service": ""} {
		if got := templateOf(unit); got != want {
			t.Errorf("templateOf(%q) = %q, want %q", unit, got, want)
		}
	}
	for text, want := range map[string]string{"": "", "10-limits": "10-limits", "10-limits.conf": "10-limits"} {
		if got, err := dropInName(text); got != want || err != nil {
			t.Errorf("dropInName(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"../x", "a/b", ".conf", ".hidden", "a b"} {
		if got, err := dropInName(text); err == nil {
			t.Errorf("dropInName(%q) = %q, want an error", text, got)
		}
	}
}
