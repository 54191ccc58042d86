"""Who may be told of an error in one line."""

import pytest

from connectors.account_keys import KeysError
from connectors.disk import DiskError
from connectors.files import DataError
from connectors.log import LogError
from connectors.outbox_file import OutboxError
from connectors.venue import VenueError
from infra.engine import DamagedError
from infra.flowfile import FlowError
from infra.history_home import HistoryError
from infra.store import StoreError
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
