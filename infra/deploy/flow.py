"""Where the process of a flow begins: `python -m infra.deploy.flow NAME PIPE`."""

from __future__ import annotations

import sys

from infra.importing import undisturbed

with undisturbed():
    from infra.deploy.work import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
