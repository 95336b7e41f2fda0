# Everything here needs only Go. A C compiler makes signing faster; without one
# the build falls back by itself.

GO      ?= go
BIN     := bin
TOOL    := $(GO) tool -modfile=.tools/go.mod
# Time for each fuzz target, and how much of the long proofs to run (1 = all).
FUZZTIME ?= 30s

.PHONY: all demo build test race lint gen gen-check fuzz soak bench contracts clean

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

## race: run all tests under the race detector
race:
	$(GO) test -race -shuffle=on ./...

## lint: formatting, vet and staticcheck
lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...

## fuzz: run every fuzz target for FUZZTIME
fuzz:
	@set -e; $(GO) list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./... | while read -r pkg; do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

## bench: run the benchmarks
bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

clean:
	rm -rf $(BIN)
