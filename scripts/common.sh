# Shared by ./run and ./check: installing prerequisites and building. Source it from the project's
# root, under `set -euo pipefail`.

build_packages=(clang-19 lld-19 meson ninja-build pkg-config python3 libasio-dev
  libcurl4-openssl-dev libsimdjson-dev libfmt-dev libsqlite3-dev libcli11-dev libtomlplusplus-dev
  librestinio-dev libhttp-parser-dev libpq-dev libssl-dev doctest-dev
  esbuild node-preact node-marked node-dompurify node-d3-hierarchy)

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
else bold='' dim='' plain=''; fi

say() { printf '%s==>%s %s\n' "$bold" "$plain" "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# without_services COMMAND…: as root; services that it installs are not started: tests start servers of
# their own, and a web server would take port 80 of this machine.
without_services() {
  local policy=/usr/sbin/policy-rc.d code=0
  if [ -e $policy ]; then "${as_root[@]}" "$@"; return; fi
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
  "${as_root[@]}" chmod +x $policy
  "${as_root[@]}" "$@" || code=$?
  "${as_root[@]}" rm -f $policy
  return $code
}

# need_packages NAME…: installs missing packages on Debian 12 and 13; elsewhere says what to install.
need_packages() {
  if ! command -v dpkg-query >/dev/null; then
    if command -v clang++-19 >/dev/null && command -v meson >/dev/null; then return; fi
    die "this is neither Debian 12 nor 13: install the equivalents of these packages yourself, then run again: $*"
  fi
  local missing=() name
  for name in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "these packages are missing and there is no sudo: as root, run: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  local log; log=$(mktemp)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update >"$log" 2>&1 || true
  if ! without_services env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      "${missing[@]}" >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "apt-get could not install: ${missing[*]} (whole output: $log)"
  fi
  rm -f "$log"
}

# compiler_cache: prints `ccache ` if it is installed; it is optional.
compiler_cache() { command -v ccache >/dev/null && printf 'ccache ' || true; }

# configure FOLDER CXX MESON-OPTION…: configures a build folder once; later calls return at once.
# Precompiled headers cut a clang build by more than a third, but ccache cannot cache units that use
# them, so they are off if ccache is used.
configure() {
  local folder=$1 compiler=$2; shift 2
  case "$(compiler_cache)$compiler" in clang*) ;; *) set -- -Db_pch=false "$@" ;; esac
  if [ ! -f "$folder/build.ninja" ]; then
    say "configuring $folder"
    if ! CXX="$(compiler_cache)$compiler" meson setup "$folder" "$@" >"$folder.log" 2>&1; then
      tail -n 20 "$folder.log" >&2; die "meson could not configure $folder"
    fi
    rm -f "$folder.log"
  fi
}

# build FOLDER TARGET…: builds the targets, or everything if none is named.
build() {
  local folder=$1 todo; shift
  todo=$(ninja -C "$folder" -n "$@" | grep -c '^\[' || true)
  [ "$todo" -eq 0 ] || say "building $folder ($todo steps)"
  if [ -t 1 ]; then ninja -C "$folder" "$@"; else ninja -C "$folder" --quiet "$@"; fi
}
