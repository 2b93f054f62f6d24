package pkg

import (
	"strings"
	"testing"
)

const mirrorBase = "https://mirror.example"

var aMirror = mirrorOf{base: mirrorBase, others: map[string]string{
	"https://download.docker.com": "https://mirror.example/docker-ce",
}}

func TestRewriteSources(t *testing.T) {
	tests := []struct {
		name, file, before, after string
		found                     int
	}{
		{"debian 12", "debian.sources", `Types: deb
# http://snapshot.debian.org/archive/debian/20250520T000000Z
URIs: http://packages.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://packages.example/debian-security
Suites: bookworm-security
Components: main contrib
`, `Types: deb
# http://snapshot.debian.org/archive/debian/20250520T000000Z
URIs: https://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: https://mirror.example/debian-security
Suites: bookworm-security
Components: main contrib
`, 2},
		{"several addresses", "ubuntu.sources", "Types: deb deb-src\nURIs: http://archive.ubuntu.com/ubuntu/\n http://de.archive.ubuntu.com/ubuntu/\n# comment http://archive.ubuntu.com/ubuntu/\nSuites: noble\nComponents: main universe\n",
			"Types: deb deb-src\nURIs: https://mirror.example/ubuntu/\n https://mirror.example/ubuntu/\n# comment http://archive.ubuntu.com/ubuntu/\nSuites: noble\nComponents: main universe\n", 2},
		{"components first, no newline", "x.sources", "Components: main\nURIs: http://a.example/debian http://b.example/other", "Components: main\nURIs: https://mirror.example/debian http://b.example/other", 1},
		{"somebody else's", "docker.sources", "Types: deb\nURIs: https://apt.example/linux/debian\nSuites: bookworm\nComponents: stable\n",
			"Types: deb\nURIs: https://apt.example/linux/debian\nSuites: bookworm\nComponents: stable\n", 0},
		{"somebody else's that is named", "docker.sources", "Types: deb\nURIs: https://download.docker.com/linux/debian\nSuites: bookworm\nComponents: stable\n",
			"Types: deb\nURIs: https://mirror.example/docker-ce/linux/debian\nSuites: bookworm\nComponents: stable\n", 1},
		{"old form", "sources.list", "# deb http://packages.example/debian sid main\ndeb [arch=amd64 signed-by=/a b.gpg] http://packages.example/debian bullseye main # the base\n" +
			"deb http://security.debian.org/ bullseye-security main\ndeb cdrom:[Debian]/ bullseye main\ndeb-src http://ftp.de.debian.org/debian/ bullseye main contrib\ndeb http://flat.example/debian ./\n",
			"# deb http://packages.example/debian sid main\ndeb [arch=amd64 signed-by=/a b.gpg] https://mirror.example/debian bullseye main # the base\n" +
				"deb https://mirror.example/debian-security/ bullseye-security main\ndeb cdrom:[Debian]/ bullseye main\ndeb-src https://mirror.example/debian/ bullseye main contrib\ndeb http://flat.example/debian ./\n", 3},
		{"rocky", "rocky.repo", `[baseos]
name=Rocky Linux $releasever - BaseOS
mirrorlist=https://mirrors.rockylinux.org/mirrorlist?arch=$basearch&repo=BaseOS-$releasever$rltype
#baseurl=http://dl.rockylinux.org/$contentdir/$releasever/BaseOS/$basearch/os/
gpgcheck=1

[other]
mirrorlist=https://other.example/list
#baseurl=https://other.example/os/
`, `[baseos]
name=Rocky Linux $releasever - BaseOS
#mirrorlist=https://mirrors.rockylinux.org/mirrorlist?arch=$basearch&repo=BaseOS-$releasever$rltype
baseurl=https://mirror.example/rocky/$releasever/BaseOS/$basearch/os/
gpgcheck=1

[other]
mirrorlist=https://other.example/list
#baseurl=https://other.example/os/
`, 1},
		{"fedora", "fedora.repo", "[fedora]\n#baseurl=http://download.example/pub/fedora/linux/releases/$releasever/Everything/$basearch/os/\nmetalink=https://mirrors.fedoraproject.org/metalink?repo=fedora-$releasever\n",
			"[fedora]\nbaseurl=https://mirror.example/fedora/releases/$releasever/Everything/$basearch/os/\n#metalink=https://mirrors.fedoraproject.org/metalink?repo=fedora-$releasever\n", 1},
		{"alpine", "repositories", "https://dl-cdn.alpinelinux.org/alpine/v3.20/main\n@edge https://dl-cdn.alpinelinux.org/alpine/edge/main\n#https://dl-cdn.alpinelinux.org/alpine/v3.20/community\n",
			"https://mirror.example/alpine/v3.20/main\n@edge https://mirror.example/alpine/edge/main\n#https://dl-cdn.alpinelinux.org/alpine/v3.20/community\n", 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, found := aMirror.rewrite(test.file, test.before)
			if got != test.after || found != test.found {
				t.Errorf("found %d addresses, want %d; got\n%s\nwant\n%s", found, test.found, got, test.after)
			}
			if again, n := aMirror.rewrite(test.file, got); again != got || n != test.found {
				t.Errorf("the second time it found %d and made\n%s", n, again)
			}
		})
	}
}

func TestRepositoryFiles(t *testing.T) {
	key := armor + "\n…\n"
	docker := repositoryArgs{Name: "docker", URI: "https://download.docker.com/linux/debian", Key: key, Suite: "bookworm", Components: []string{"stable"}}
	files, err := docker.filesFor(&apt)
	if err != nil {
		t.Fatal(err)
	}
	const want = "Types: deb\nURIs: https://download.docker.com/linux/debian\nSuites: bookworm\nComponents: stable\nSigned-By: /etc/apt/keyrings/docker.asc\n"
	if files[1].Path != "/etc/apt/sources.list.d/docker.sources" || string(files[1].Content) != want || files[0].Path != "/etc/apt/keyrings/docker.asc" {
		t.Errorf("got %s:\n%s", files[1].Path, files[1].Content)
	}
	if _, err := docker.filesFor(&dnf); err == nil {
		t.Error("dnf has taken a suite")
	}
	files, err = repositoryArgs{Name: "docker", URI: "https://download.docker.com/linux/rhel/9", Key: key}.filesFor(&yum)
	if err != nil || files[1].Path != "/etc/yum.repos.d/docker.repo" || !strings.Contains(string(files[1].Content), "gpgcheck=1\ngpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-docker\n") {
		t.Errorf("got %v, %v", files, err)
	}
	bad := []repositoryArgs{
		{Name: "../x", URI: docker.URI, Key: key, Suite: "x"},
		{Name: "x", URI: "ftp://x", Key: key, Suite: "x"},
		{Name: "x", URI: "https://x/a b", Key: key, Suite: "x"},
		{Name: "x", URI: "https://x/a\nSigned-By: y", Key: key, Suite: "x"},
		{Name: "x", URI: docker.URI, Key: "no key", Suite: "x"},
		{Name: "x", URI: docker.URI, Key: "", Suite: "x"},
		{Name: "x", URI: docker.URI, Key: key, Suite: "x\nTrusted: yes"},
		{Name: "x", URI: docker.URI, Key: key, Suite: "x", Components: []string{"a b"}},
	}
	for _, a := range bad {
		if a.check() == nil {
			t.Errorf("%+v was taken", a)
		}
	}
	if err := docker.check(); err != nil {
		t.Error(err)
	}
}

// FuzzRewrite reads files of sources. What is not an address stays, and the second time nothing changes.
func FuzzRewrite(f *testing.F) {
	f.Add("Types: deb\nURIs: http://packages.example/debian\n\thttp://x/ubuntu\nComponents: main\n")
	f.Add("deb [a] http://packages.example/debian x main\n[s]\n#baseurl=http://dl.rockylinux.org/$contentdir/x\nmirrorlist=y\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, file := range []string{"a.sources", "a.list", "a.repo", "repositories"} {
			once, n := aMirror.rewrite(file, text)
			twice, m := aMirror.rewrite(file, once)
			if twice != once || m < n {
				t.Errorf("%s: %q became %q (%d), then %q (%d)", file, text, once, n, twice, m)
			}
			if n == 0 && once != text {
				t.Errorf("%s: %q became %q, though no address was found", file, text, once)
			}
			if strings.Count(once, "\n") != strings.Count(text, "\n") {
				t.Errorf("%s: %q became %q, with other lines", file, text, once)
			}
		}
	})
}
