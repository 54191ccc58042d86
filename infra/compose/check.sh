#!/usr/bin/env bash
# Reads compose files as `docker compose config` does, without Docker: prints what they come to, or what is wrong.
#
#   check.sh FILE...     COMPOSE_PROFILES says which profiles, the environment what is interpolated
#   check.sh --make      only make the program
#
# It needs Go, and the first time its module proxy; check/go.sum pins all that comes from there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Another source is another program.
program=${XDG_CACHE_HOME:-$HOME/.cache}/tapedeck/compose-$(cat "$here"/check/* | cksum | cut -d ' ' -f 1)

if [ ! -x "$program" ]; then
	command -v go >/dev/null || { echo "check.sh: this needs go (Debian, Ubuntu: apt install golang)" >&2; exit 1; }
	part=$program.$$
	trap 'rm -f "$part"' EXIT
	(cd "$here/check" && CGO_ENABLED=0 GOTOOLCHAIN=local go build -mod=readonly -buildvcs=false -o "$part" .) >&2
	mv "$part" "$program" # another one may have been faster
fi
[ "${1:-}" = --make ] || "$program" "$@"
