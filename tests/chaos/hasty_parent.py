"""The parent of a deployment that does not wait long before it starts its flow again."""

from __future__ import annotations

import sys

from infra.deploy import parent, patience

patience.LONGEST_SECONDS = 0.1

if __name__ == "__main__":
    sys.exit(parent.main(sys.argv[1:]))
