"""Whether a process shows its metrics: `python -m infra.metrics.answers PORT` says by 0."""

from __future__ import annotations

import http.client
import sys

_SECONDS = 5.0


def answers(port: int) -> bool:
    """Tell whether metrics are shown at a port of this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if answers(int(sys.argv[1])) else 1)
