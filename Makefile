# infrarun: `make demo` shows it, `make test` tests all that this machine can run.
# CI=true makes a test that cannot run a failure.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS  = -s -w -X main.buildVersion=$(VERSION)

.PHONY: build demo demo-break demo-stop test lint bench fuzz reference clean

build: bin/infrarun

.PHONY: bin/infrarun
bin/infrarun:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/infrarun

# Builds infrarun and deploys the bundled stack below ./.demo: no root, Docker or systemd needed.
demo: bin/infrarun
	@testdata/demo/demo.sh deploy

# Commits a console that exits at start, deploys it, and lets you watch how everything is put back.
demo-break: bin/infrarun
	@testdata/demo/demo.sh break

demo-stop:
	@testdata/demo/demo.sh stop

test:
	@GO='$(GO)' testdata/test.sh

lint:
	@GO='$(GO)' testdata/lint.sh

bench: bin/infrarun
	@$(GO) run ./testdata/bench

# Runs every fuzz target for a while: make fuzz FUZZTIME=1m
FUZZTIME ?= 20s
fuzz:
	@GO='$(GO)' FUZZTIME='$(FUZZTIME)' testdata/fuzz.sh

# Writes builtins/README.md anew from the declarations of the builtins.
reference:
	$(GO) test ./builtins -run '^TestReferenceIsCurrent$$' -update

clean:
	rm -rf bin
