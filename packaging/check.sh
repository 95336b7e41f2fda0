#!/usr/bin/env bash
# Shows what a release promises, on this machine and without a network: two clean builds in
# different folders are the same bytes, the packages install and run in clean roots, and
# the container's steps make an image that runs as any unprivileged user on a read-only
# root. Needs root, rpm, and the cross compilers that docs/release.md names.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { echo "-- $SECONDS s: $*"; }
die() { echo "release-check: $*" >&2; exit 1; }

# build FROM FOLDER: a clone has what is committed and nothing else.
build() {
  git clone -q "$1" "$2"
  shift
  TAP_TOKEN='' make -s -C "$1" snapshot GORELEASER="$goreleaser" >"$1.log" 2>&1 || { tail -30 "$1.log"; die "the build in $1 failed"; }
}

twice() {
  say "build in two folders"
  # Compiled once, whatever cache the builds have.
  goreleaser=$(go tool -modfile=.tools/release/go.mod -n goreleaser)
  build . "$work/one"
  # -trimpath keeps the folder out of what the compiler makes; the cache is shared, so that
  # the second build is mostly linking. CLEAN=1 gives it a cache of its own.
  if [ -n "${CLEAN-}" ]; then export GOCACHE=$work/cache; fi
  mkdir -p "$work/somewhere/deeper"
  build "$work/one" "$work/somewhere/deeper/two"
  diff "$work/one/dist/checksums.txt" "$work/somewhere/deeper/two/dist/checksums.txt" || die "the two builds differ"
  (cd "$work/one/dist" && sha256sum --quiet -c checksums.txt)
  wc -l <"$work/one/dist/checksums.txt" | grep -qx "$1" || die "not $1 files in checksums.txt: $(cat "$work/one/dist/checksums.txt")"
  local archive
  for archive in $(grep -o 'sha256 "[0-9a-f]*"' "$work/one/dist/homebrew/Formula/pmctl.rb" | cut -d'"' -f2); do
    grep -q "^$archive " "$work/one/dist/checksums.txt" || die "the formula names $archive, which is no archive's"
  done
}

# Every bill of materials names what its program is of.
bills() {
  say "read the bills of materials"
  local bill wanted
  for bill in "$work"/one/dist/*.cdx.json; do
    for wanted in "std@$(go env GOVERSION)" "$(go list -m -f '{{.Path}}@{{.Version}}' github.com/ethereum/go-ethereum)" github.com/pmctl/pmctl@; do
      grep -qF "\"purl\": \"pkg:golang/$wanted" "$bill" || die "${bill##*/} does not name $wanted"
    done
  done
}

# The root of a system with a shell and the C library, and nothing of ours.
clean_root() {
  mkdir -p "$1"/{bin,dev,etc,tmp,var/lib/dpkg/{info,updates}}
  : >"$1/var/lib/dpkg/status"
  : >"$1/var/lib/dpkg/available"
}

# runs ROOT: the installed program is this version, and its pages and completions are there.
runs() {
  chroot "$1" /usr/bin/pmctl version -o json >"$work/version" || die "pmctl does not run in $1"
  grep -q '"kind": *"pmctl.version"' "$work/version" || die "pmctl version says: $(cat "$work/version")"
  ! grep -qF '(devel)' "$work/version" || die "pmctl does not know its version: $(cat "$work/version")"
  local file
  for file in share/man/man1/pmctl.1.gz share/man/man1/pmctl-pay.1.gz share/bash-completion/completions/pmctl share/fish/vendor_completions.d/pmctl.fish; do
    [ -s "$1/usr/$file" ] || die "$file is not in the package"
  done
}

packages() {
  say "install the deb"
  clean_root "$work/debian"
  dpkg --root="$work/debian" --force-not-root --force-script-chrootless -i "$work"/one/dist/*_amd64.deb >/dev/null
  runs "$work/debian"
  dpkg --root="$work/debian" -r pmctl >/dev/null
  [ ! -e "$work/debian/usr/bin/pmctl" ] || die "the deb leaves its program behind"

  say "install the rpm"
  clean_root "$work/redhat"
  rpm --root "$work/redhat" --initdb
  rpm --root "$work/redhat" -i --nodeps --noscripts --ignoreos --nosignature "$work"/one/dist/*_amd64.rpm
  runs "$work/redhat"
  rpm --root "$work/redhat" -e pmctl
  [ ! -e "$work/redhat/usr/bin/pmctl" ] || die "the rpm leaves its program behind"
}

# The Dockerfile's steps, done by hand: COPY into an empty root, then ENV, USER and
# ENTRYPOINT as an engine would start it with --read-only and a volume at the home, which
# the base has.
container() {
  say "run the container's steps"
  local root=$work/container file=packaging/Dockerfile
  mkdir -p "$root/home/nonroot" "$work/context/linux/amd64"
  mkdir -m 1777 "$root/tmp"
  cp "$(echo "$work"/one/dist/linux_linux_amd64*/pmctl)" "$work/context/linux/amd64/pmctl"
  local step rest source target user='' entry='' environment=()
  while read -r step rest; do
    case $step in
      FROM | ARG | VOLUME | '#' | '#'* | '') ;;
      COPY)
        read -r source target <<<"${rest//\$TARGETPLATFORM/linux/amd64}"
        install -D -m 755 "$work/context/$source" "$root$target"
        ;;
      ENV) environment+=("$rest") ;;
      USER) user=$rest ;;
      ENTRYPOINT) entry=$(grep -o '/[^"]*' <<<"$rest") ;;
      *) die "packaging/Dockerfile has the step $step, which nothing tries" ;;
    esac
  done <"$file"
  [ -n "$entry" ] && [ "${user%%:*}" -gt 0 ] || die "the container has no entry point, or runs as root"

  chown "$user" "$root/home/nonroot"
  printf secret >"$work/pass"
  # In namespaces of its own: no network, and the root read-only but for the volume.
  inside() {
    unshare --mount --net bash -euc '
      root=$1 user=$2; shift 2
      mount --bind "$root" "$root"
      mount --bind "$root/home/nonroot" "$root/home/nonroot"
      mount -o remount,bind,ro "$root"
      exec env -i "${@:2:$1}" "$(command -v chroot)" --userspec="$user" --groups= "$root" "${@:$1+2}"
    ' bash "$root" "$user" "${#environment[@]}" "${environment[@]}" "$entry" "$@" 3<"$work/pass"
  }
  inside version >/dev/null || die "pmctl does not run in the container"
  inside account new --lightkdf --passphrase-fd 3 >/dev/null || die "pmctl cannot write to the volume"
  inside account list -o json | grep -q '"address": *"0x' || die "the account is not in the volume"
  inside budget >/dev/null || die "pmctl cannot keep a store in the volume"
  if inside account new --lightkdf --passphrase-fd 3 --keystore /tmp/keys >/dev/null 2>&1; then
    die "the container's root can be written to"
  fi
  [ "$(stat -c %u "$root"/home/nonroot/.local)" = "${user%%:*}" ] || die "the volume's files are not the user's"
}

[ "$(id -u)" = 0 ] || die "must be run as root: it installs packages into roots of its own"
twice 16
bills
packages
container
say "all as promised"
