# Everything here needs only Go. A C compiler makes signing faster; without one
# the build falls back by itself.

GO      ?= go
BIN     := bin
TOOL    := $(GO) tool -modfile=.tools/go.mod
# Everything is compiled alike, so that build, test and demo share what is compiled, and on
# Linux like a release, so that the tests try what is released. Your GOFLAGS come last and win.
comma   := ,
TAGS    := $(if $(filter linux,$(shell $(GO) env GOOS)),netgo$(comma)osusergo)
export GOFLAGS := -trimpath -tags=$(TAGS) $(GOFLAGS)
# Tests are linked without symbols for a debugger, which the linker takes long to write.
TESTED  := -ldflags='-s -w'
# How many pairs of processes are measured.
PAIRS   ?= 11
# Time for each fuzz target.
FUZZTIME ?= 30s

.PHONY: all demo build test race lint gen gen-check contracts contracts-check pure fuzz soak crashtest mutation nightly bench measure docs snapshot release release-check release-files targets vulnerabilities clean

all: build

## demo: run the main job end to end on the embedded local network
demo:
	@$(call compile,. ./cmd/pmctl-devnet ./cmd/pmctl-demo)
	@$(BIN)/pmctl-demo -bin $(BIN)

## build: compile pmctl and the local network into bin/
build:
	@$(call compile,. ./cmd/pmctl-devnet)

# compile says what it is doing: from nothing it takes minutes. go build -v prints each package
# that it compiles, and nothing for those that are compiled already.
compile = echo "Compiling into $(BIN)/. The first time this takes a few minutes." >&2; \
	{ $(GO) build -v -tags=$(TAGS)$(comma)nomocks -o $(BIN)/ $(1) 2>&1 && echo "=ok"; } | awk ' \
		$$0 == "=ok" { ok = 1; next } \
		/^[^ ]+$$/ { if (++n % 50 == 0) { print "  " n " packages compiled" > "/dev/stderr" } next } \
		{ print > "/dev/stderr" } \
		END { exit !ok }'

## test: run all tests but the long proofs, which are soak's
# Several packages at a time, since many tests wait for a process or a block more than they
# compute. The time-out is for what hangs, on the slowest machine too. The tests' nodes leave much
# behind and keep little: collected less often, the tests and the linker take some 6 % less processor time.
# The longest packages begin first, and the others fill what they leave.
test: export GOGC = 400
test:
	$(GO) test $(TESTED) -skip '^TestSoak' -shuffle=on -p 3 -parallel 4 -timeout 30m ./cmd ./wallet/store ./docs ./...

## race: run the tests under the race detector; RACE=whole runs the long ones and the scripts, too
# The tests of cmd run its commands in their own process; the scripts start hundreds of
# processes more, five times as slow. Left alone, each would sleep for a second at its end.
# What is left out runs programs that the detector does not watch. Key files are opened a fifth as
# fast where it watches the hash functions, and the store's tests take half as long again where it
# watches SQLite. Only the whole run does: hash functions share no memory, and database/sql, which
# is always watched, gives one connection to one goroutine at a time.
RACE ?= short
UNWATCHED := $(addprefix -gcflags=,$(addsuffix =-race=false,golang.org/x/crypto/... modernc.org/...))
race: export GORACE = atexit_sleep_ms=0
race:
	$(GO) test $(TESTED) -race $(if $(filter whole,$(RACE)),,-short $(UNWATCHED)) -skip '^(TestSoak$(if $(filter whole,$(RACE)),,|TestScripts))' -shuffle=on -p 4 -parallel 4 -timeout 60m $$($(GO) list ./... | grep -Ev '/docs$$|/cmd/pmctl-')

## lint: formatting, vet, staticcheck, dead code, spelling, phrases to avoid, and the workflows
lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet -cgocall=false ./...
	@# The check of calls to C opens the source that compiled code names. With -trimpath that may be
	@# the folder of another checkout that shares the build cache, and is gone.
	$(GO) vet -trimpath=false -cgocall $$($(GO) list -f '{{if .CgoFiles}}{{.ImportPath}}{{end}}' ./...)
	$(TOOL) staticcheck ./...
	$(TOOL) misspell -error $$(git ls-files '*.md' '*.go' '*.1' '*.txtar' '*.proto' '*.sol')
	$(GO) -C .tools run ./words "$(CURDIR)"
	@! git grep -nE '^(<{7}|>{7}) ' # what a merge left
	@dead=$$($(TOOL) deadcode -test ./...) && test -z "$$dead" || { echo "$$dead"; exit 1; }
	@# Not with shellcheck and pyflakes, which it runs where they are installed and nowhere else.
	$(TOOL) actionlint -shellcheck= -pyflakes=

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
	CGO_ENABLED=0 $(GO) test -short ./pm/...
	CGO_ENABLED=0 $(GO) test -skip '^TestEthkey$$' ./keystore

## soak: the long proofs; SOAK=sample runs a part of each
# Only packages that have some are linked.
SOAK ?= whole
soak:
	PMCTL_SOAK=$(SOAK) $(GO) test $(TESTED) -count=1 -timeout 60m -run '^TestSoak' $$(grep -rl --include='*_test.go' '^func TestSoak' . | xargs -n 1 dirname | sort -u)

## crashtest: ask signers for the same payments again and again, with restarts, replicas and a
## collector that is down, and print what was signed twice, over the cap, or lost
COLLECTOR_DOWN ?= 5m
crashtest:
	PMCTL_COLLECTOR_DOWN=$(COLLECTOR_DOWN) $(GO) test -count=1 -timeout 60m -v -run '^TestSoakSignerCrashtest$$' ./cmd

## fuzz: run every fuzz target for FUZZTIME
fuzz:
	@set -e; $(GO) list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./... | while read -r pkg; do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg; \
		done; \
	done

## mutation: change the code that decides about money, and see its tests fail
MUTATED ?= ./wallet/wei ./wallet/policy
mutation:
	@set -e; for pkg in $(MUTATED); do \
		$(GO) tool -modfile=.tools/mutation/go.mod gremlins unleash --threshold-efficacy 80 --timeout-coefficient 20 $$pkg; \
	done

## nightly: what takes too long for every change, hours of it
nightly:
	bash .ci/nightly

## bench: measure everything, large batches too; BENCH=-long has batches of ten million
BENCH ?= -bulk
bench:
	$(GO) run ./cmd/pmctl-bench -pairs $(PAIRS) $(BENCH)

## measure: time what people wait for, each in turns with the least that could do the same
measure:
	$(GO) run ./cmd/pmctl-bench -pairs $(PAIRS)

# What is released is compiled with flags of its own.
snapshot release release-check targets: export GOFLAGS :=

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

## targets: compile and vet what is released, for every platform of a release or those in TARGETS
targets:
	bash packaging/targets.sh $(TARGETS)

## vulnerabilities: look for known ones in what is linked and called; asks vuln.go.dev
vulnerabilities:
	$(RELEASE_TOOL) govulncheck ./...

## release-files: what a release carries beside the program, and what it is made with
release-files:
	@rm -rf $(BIN)/release && mkdir -p $(BIN)/release/completions $(BIN)/release/man
	@$(GO) build -tags=$(TAGS)$(comma)nomocks -o $(BIN)/ .
	@$(BIN)/pmctl completion bash > $(BIN)/release/completions/pmctl.bash
	@$(BIN)/pmctl completion zsh > $(BIN)/release/completions/_pmctl
	@$(BIN)/pmctl completion fish > $(BIN)/release/completions/pmctl.fish
	@$(BIN)/pmctl completion powershell > $(BIN)/release/completions/pmctl.ps1
	@for page in docs/man/*.1; do gzip -9nc $$page > $(BIN)/release/man/$${page##*/}.gz || exit 1; done
	@$(GO) -C .tools/release build -o "$(CURDIR)/$(BIN)/release/sbom" ./sbom

clean:
	rm -rf $(BIN) dist
