"""The parent of a deployment that does not wait long before it starts its flow again."""

from __future__ import annotations

import sys

from infra.deploy import parent, patience

if __name__ == "__main__":
    patience.LONGEST_SECONDS = 0.1
    sys.exit(parent.main(sys.argv[1:]))
