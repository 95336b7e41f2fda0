# Everything here needs only Go. A C compiler makes signing faster; without one
# the build falls back by itself.

GO      ?= go
BIN     := bin
TOOL    := $(GO) tool -modfile=.tools/go.mod
# How many pairs of processes are measured.
PAIRS   ?= 11
# Time for each fuzz target.
FUZZTIME ?= 30s

.PHONY: all demo build test race lint gen gen-check contracts contracts-check pure fuzz soak bench measure docs snapshot release release-check release-files targets vulnerabilities clean

all: build

## demo: run the main job end to end on the embedded local network
demo: build
	@$(GO) run ./cmd/pmctl-demo -bin $(BIN)

## build: compile pmctl and the local network into bin/
build:
	@$(GO) build -trimpath -o $(BIN)/ . ./cmd/pmctl-devnet

## test: run all tests
test:
	$(GO) test -shuffle=on ./...

## race: run the tests under the race detector, but for the long proofs
# Left alone, every program that it watches sleeps for a second at its end. What is left
# out runs whole programs, into which it does not look.
race: export GORACE = atexit_sleep_ms=0
race:
	$(GO) test -race -short -skip "^TestSoak" -shuffle=on -timeout 30m $$($(GO) list ./... | grep -Ev '/docs$$|/cmd/pmctl-')

## lint: formatting, vet, staticcheck, the spelling of pages and comments, and the workflows
lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(TOOL) misspell -error $$(git ls-files '*.md' '*.go' '*.1' '*.txtar' '*.proto' '*.sol')
	$(TOOL) actionlint

## gen: regenerate the wire format's Go, the contracts' bindings, and what is written from the commands' help
gen:
	$(GO) -C .tools run ./protogen "$(CURDIR)" pm/wire/wire.proto
	@set -e; for name in Controller TicketBroker RoundsManager BondingManager ServiceRegistry; do \
		$(TOOL) abigen --v2 --abi wallet/contract/abi/$$name.json --pkg contract --type $$name \
			--out wallet/contract/$$(echo $$name | tr '[:upper:]' '[:lower:]').go; \
	done
	$(GO) run ./cmd/pmctl-docs -reference docs/cli.md -man docs/man

## gen-check: fail when generated files are out of date
gen-check: gen
	git diff --exit-code -- pm/wire wallet/contract docs/cli.md docs/man
	@test -z "$$(git status --porcelain -- docs/man)" || { git status --short -- docs/man; exit 1; }

## docs: run the commands in the documentation, and write what they print into it
docs:
	$(GO) test ./docs -run TestPages -update
	$(GO) test ./docs -run TestRecording -update

## contracts: compile the local network's contracts; needs Node.js and npm
contracts:
	npm --prefix wallet/devnet/contracts ci --silent
	npm --prefix wallet/devnet/contracts run --silent build

## contracts-check: fail when the committed bytecode is not what the sources compile to
contracts-check: contracts
	git diff --exit-code -- wallet/devnet/contracts

## pure: test what signs without a C compiler
pure:
	CGO_ENABLED=0 $(GO) build -o /dev/null .
	CGO_ENABLED=0 $(GO) test -short ./pm/... ./keystore

## soak: the long proofs; SOAK=sample runs a part of each
SOAK ?= whole
soak:
	PMCTL_SOAK=$(SOAK) $(GO) test -count=1 -timeout 60m -run Soak ./...

## fuzz: run every fuzz target for FUZZTIME
fuzz:
	@set -e; $(GO) list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./... | while read -r pkg; do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg; \
		done; \
	done

## bench: measure everything, large batches too; BENCH=-long has batches of ten million
BENCH ?= -bulk
bench:
	$(GO) run ./cmd/pmctl-bench -pairs $(PAIRS) $(BENCH)

## measure: time what people wait for, each in turns with the least that could do the same
measure:
	$(GO) run ./cmd/pmctl-bench -pairs $(PAIRS)

RELEASE_TOOL := $(GO) tool -modfile=.tools/release/go.mod
GORELEASER   ?= $(RELEASE_TOOL) goreleaser

## snapshot: make everything of a release, into dist/, that needs no network
snapshot:
	TAP_TOKEN= $(GORELEASER) release --snapshot --clean --skip=docker,sign

## release: what the release workflow runs on a tag
release:
	$(GORELEASER) release --clean

## release-check: two clean builds are the same bytes; packages and container work
release-check:
	bash packaging/check.sh

## targets: compile and vet what is released, for every platform of a release
targets:
	bash packaging/targets.sh

## vulnerabilities: look for known ones in what is linked and called; asks vuln.go.dev
vulnerabilities:
	$(RELEASE_TOOL) govulncheck ./...

## release-files: what a release carries beside the program, and what it is made with
release-files:
	@rm -rf $(BIN)/release && mkdir -p $(BIN)/release/completions $(BIN)/release/man
	@$(GO) build -trimpath -o $(BIN)/ .
	@$(BIN)/pmctl completion bash > $(BIN)/release/completions/pmctl.bash
	@$(BIN)/pmctl completion zsh > $(BIN)/release/completions/_pmctl
	@$(BIN)/pmctl completion fish > $(BIN)/release/completions/pmctl.fish
	@$(BIN)/pmctl completion powershell > $(BIN)/release/completions/pmctl.ps1
	@for page in docs/man/*.1; do gzip -9nc $$page > $(BIN)/release/man/$${page##*/}.gz || exit 1; done
	@$(GO) -C .tools/release build -o "$(CURDIR)/$(BIN)/release/sbom" ./sbom

clean:
	rm -rf $(BIN) dist
