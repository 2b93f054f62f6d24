package pkg

// elsewhere is how a manager works with lists of packages of its own below a directory, and leaves those of the machine as
// they are.
type elsewhere struct {
	options []string // for each of its commands
	config  string   // what the file config in the directory must say
	lists   string   // where its lists are there, below the directory; "" if it fetches all anew
	seeds   []string // patterns of files of the machine's lists that are as good, so that only what has changed is fetched

	problems func(output string) []string // what is wrong with sources, from what its update printed
	entries  []string                     // a command that lists the sources: lines of address, suite, and file with line
}

// aptElsewhereConfig keeps off what other packages have apt do after an update, and all that it would fetch besides lists.
const aptElsewhereConfig = `#clear APT::Update;
#clear Acquire::IndexTargets;
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::IndexTargets::deb::Packages {
	MetaKey "$(COMPONENT)/binary-$(ARCHITECTURE)/Packages";
	flatMetaKey "Packages";
	ShortDescription "Packages";
	Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Packages";
	flatDescription "$(RELEASE) Packages";
	Optional "no";
};
`

func aptElsewhere(dir string) elsewhere {
	return elsewhere{
		options: append([]string{"--config-file", dir + "/config", "-o", "Dir::State::Lists=" + dir + "/lists/"}, looking...),
		config:  aptElsewhereConfig,
		lists:   "lists",
		seeds: []string{
			"/var/lib/apt/lists/*Release", "/var/lib/apt/lists/*Release.gpg", "/var/lib/apt/lists/*_Packages*",
		},
		problems: parseAptFetch,
		entries: []string{
			"/usr/bin/apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI) $(RELEASE) $(SOURCESENTRY)",
		},
	}
}

// dnfElsewhere has dnf keep its caches, what it remembers of sources, and its logs below the directory.
func dnfElsewhere(dir string) elsewhere {
	return elsewhere{
		options: []string{
			"--setopt=cachedir=" + dir, "--setopt=persistdir=" + dir + "/persist", "--setopt=logdir=" + dir + "/log",
		},
		problems: parseDnfFetch,
	}
}
