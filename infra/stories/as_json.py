"""A story as JSON: its events as on their own lines, money as text."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import cast

import orjson

from infra.stories.names import Name
from infra.stories.story import Reach, Story
from schemas import DERIVED, OUTSIDE, Event
from schemas.wire import decimals, plain

_EVENTS = (*DERIVED, *OUTSIDE)


def as_json(story: Story) -> bytes:
    """Return a story as one JSON object."""
    return orjson.dumps(_plain(story), default=decimals)


def _plain(value: object) -> object:
    if type(value) in _EVENTS:
        return {"type": type(value).__name__, **plain(cast(Event, value))}
    if isinstance(value, Name):
        return str(value)
    if isinstance(value, Reach):
        return value._asdict()
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value
