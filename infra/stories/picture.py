"""The picture of a story: the candles around it, what was done, and where the barriers stood."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from matplotlib.figure import Figure

from infra.pictures.bars import Bars
from infra.pictures.candles import Level, Mark, Odds, candles
from infra.stories.bars import bars
from infra.stories.story import Story
from infra.stories.tape import Tape
from schemas import Candle, Prediction, Time

_BEFORE, _AFTER = 40, 15
"""So many candles are shown in front of it and behind it."""
_MOST = 240
"""Bars that can be told apart."""
_END = 2**62


def picture(tape: Tape, story: Story) -> Figure | None:
    """Return the picture of a story; None where there are no candles.

    Parameters
    ----------
    tape
        The market's, in the story's run.
    story
        What is told.

    """
    candle = story.decision.candle if story.decision else story.last
    if candle is None:
        return None
    since, until = _stretch(story, candle)
    before = tape.of(Candle, f"kind = {{kind:String}} AND {_AT} <= {{since:Int64}}", _BEFORE,
                     kind=candle.kind, since=since)  # fmt: skip
    after = tape.of(Candle, f"kind = {{kind:String}} AND {_AT} > {{until:Int64}}", -_AFTER,
                    kind=candle.kind, until=until)  # fmt: skip
    if not before:
        return None
    last = after[-1].seq if after else _END
    shown = bars(tape, candle.kind, _MOST, before[0].seq, last)
    given = tape.of(Prediction, "seq BETWEEN {first:Int64} AND {last:Int64} AND odds IS NOT NULL",
                    first=before[0].seq, last=last)  # fmt: skip
    odds = Odds([at.event.ts for at in given], [at.event.odds or 0.0 for at in given])
    each = "" if shown.each == 1 else f", {shown.each} candles a bar"
    title = f"{story.name} · {story.run.flow} · {candle.kind}{each}"
    return candles(
        shown, title, marks=[*_marks(story)],
        levels=[*_levels(story, int(shown.end[-1])), *trail(story, shown)],
        odds=odds if given else None,
    )  # fmt: skip


_AT = "toUnixTimestamp64Nano(ts)"


def _stretch(story: Story, candle: Candle) -> tuple[Time, Time]:
    """Return when a story begins and ends."""
    signal = story.decision.signal.event.ts if story.decision else candle.ts
    if story.closed:
        return signal, story.closed.ts
    return (signal, _END) if story.opened else (signal, signal)


def _marks(story: Story) -> Iterator[Mark]:
    for act in story.acts:
        if act.fills:
            first = act.fills[0]
            says = act.order.side if act.order.action == "enter" else act.order.why
            yield Mark(first.ts, float(first.price), act.order.side == "buy", says)
    if story.besides and story.closed:
        first = story.besides[0]
        yield Mark(first.ts, float(first.price), first.side == "buy", story.closed.why)
    if not story.acts and story.decision and story.decision.candle:
        signal, candle = story.decision.signal.event, story.decision.candle
        yield Mark(signal.ts, candle.close, signal.action == "long", f"{signal.action} refused")


def _levels(story: Story, end: Time) -> Iterator[Level]:
    """Yield where the barriers stood; a position that grows has others each time."""
    over = story.closed.ts if story.closed else end
    times = [opened.ts for opened in story.opened] + [over]
    for opened, (since, until) in zip(story.opened, pairwise(times), strict=True):
        for name, price in (("stop", opened.stop), ("take", opened.take)):
            if price is not None:
                yield Level(name, price, since, until)


def trail(story: Story, shown: Bars) -> Iterator[Level]:
    """Yield where the trailing stop stood, as the bars that lie wholly in the position tell it."""
    opened = story.opened[-1] if story.opened else None
    if opened is None or opened.trailing is None:
        return
    sign = 1 if story.side == "long" else -1
    behind = 1 - sign * opened.trailing
    over = story.closed.ts if story.closed else int(shown.end[-1])
    best, since = float(opened.entry), opened.ts
    told = "trailing"
    for start, end, *ways in zip(shown.start, shown.end, shown.low, shown.high, strict=True):
        better = max(best, ways[1]) if sign > 0 else min(best, ways[0])
        if start < opened.ts or end > over or better == best:
            continue
        yield Level(told, best * behind, since, int(end))
        best, since, told = better, int(end), ""
    yield Level(told, best * behind, since, over)
