"""Who may be told of an error in one line."""

import pytest

from connectors.account.keys import KeysError
from connectors.disk import DiskError
from connectors.log.log import LogError
from connectors.outbox.file import OutboxError
from connectors.recordings.files import DataError
from connectors.venue.venue import VenueError
from infra.history.home import HistoryError
from infra.recovery.store import StoreError
from infra.running.engine import DamagedError
from infra.running.flowfile import FlowError
from operators.tape import ShapeChangedError
from schemas.mendable import Mendable


@pytest.mark.parametrize(
    "kind",
    [
        DataError, DiskError, DamagedError, StoreError, ShapeChangedError, FlowError, HistoryError,
        LogError, VenueError, KeysError, OutboxError,
    ],
)  # fmt: skip
def test_what_a_user_can_mend_says_so(kind: type[Exception]) -> None:
    assert issubclass(kind, Mendable)
