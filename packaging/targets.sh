#!/usr/bin/env bash
# Compiles and vets what is released, as it is built for each platform: in C where a compiler
# for the platform is at hand, in pure Go elsewhere. targets.sh [OS/ARCH…], all unless some
# are named.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# go vet takes the tests along, and with them the full node of the local network, which is
# released nowhere. They are vetted where they run; here an overlay hides them.
git ls-files '*_test.go' |
  awk 'BEGIN { printf "{\"Replace\": {" } { printf "%s\"%s\": \"\"", comma, $0; comma = ", " } END { print "}}" }' >"$work/overlay.json"

# target OS/ARCH [COMPILER [TAGS]]: the same settings as in .goreleaser.yaml, so that what is
# compiled for one is there for the other.
wanted=" $* " tried=0
target() {
  [ "$wanted" = "  " ] || [[ $wanted == *" $1 "* ]] || return 0
  tried=$((tried + 1))
  export GOOS=${1%/*} GOARCH=${1#*/} CGO_ENABLED=0 CC=
  if [ -n "${2-}" ] && command -v "$2" >/dev/null; then CGO_ENABLED=1 CC=$2; fi
  echo "-- $1, $([ $CGO_ENABLED = 1 ] && echo "with $CC" || echo "pure Go")"
  local packages
  packages=$(go list -deps -tags "${3-}" -f '{{with .Module}}{{if .Main}}{{$.ImportPath}}{{end}}{{end}}' .)
  # shellcheck disable=SC2086 # one word for each package
  # make lint tries the calls to C, in a build that keeps the paths which that check needs.
  go vet -cgocall=false -trimpath -tags "${3-}" -overlay "$work/overlay.json" $packages
}

target linux/amd64 gcc netgo,osusergo,nomocks
target linux/arm64 aarch64-linux-gnu-gcc netgo,osusergo,nomocks
target windows/amd64 x86_64-w64-mingw32-gcc nomocks
target windows/arm64 '' nomocks
target darwin/amd64 '' nomocks
target darwin/arm64 '' nomocks

[ "$tried" -gt 0 ] || { echo "targets.sh: no such platform:$wanted" >&2; exit 2; }
