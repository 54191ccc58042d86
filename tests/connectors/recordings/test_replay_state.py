"""However often processes that play files change in number, each market goes on where it was."""

from __future__ import annotations

import pickle
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.recordings.naming import Share
from connectors.recordings.replay import Replay
from connectors.recordings.replay_state import State, begin, joined, only
from schemas import Event
from tests.connectors.recording_rig import play, told_of, trade, write_jsonl, write_parquet

NAMES = [f"okx:{letter}/B" for letter in "ACDEFG"]


class Players:
    """Several processes that play files, until all are stopped and others go on."""

    def __init__(self, files: list[Path], count: int, block: int) -> None:
        self.files, self.block = files, block
        self.tapes: dict[str, list[Event]] = {}
        self.kept: dict[int, dict[str, State]] = {}
        self.count = count

    def source(self, share: tuple[int, int]) -> Replay:
        return Replay(self.files, batch=3, block=self.block, share=share)

    def play(self, data: st.DataObject, most: int) -> None:
        """Let each process hand out some batches of each part, from where it was."""
        for k in range(self.count):
            source, was = self.source((k, self.count)), self.kept.get(k, {})
            self.kept[k] = {}
            assert set(was) <= set(source.list_parts())
            for name in source.list_parts():
                part = source.build_part("replay", name, was.get(name))
                try:
                    for _ in range(data.draw(st.integers(0, most)) if most < 10_000 else most):
                        for market, strip in part.next_batch():
                            assert Share(k, self.count).has(market)
                            self.tapes.setdefault(market, []).extend(strip)
                except StopIteration:
                    pass
                self.kept[k][name] = pickle.loads(pickle.dumps(part.snapshot()))
                part.close()

    def change(self, count: int) -> None:
        whole, kept = self.source((0, 1)), dict[int, dict[str, State]]()
        for name in whole.list_parts():
            states = [mine[name] for mine in self.kept.values() if name in mine]
            for k, state in whole.divided(name, states, count).items():
                kept.setdefault(k, {})[name] = state
        self.kept, self.count = kept, count


@settings(max_examples=40)
@given(st.data())
def test_no_number_of_processes_loses_or_doubles_a_row(data: st.DataObject) -> None:
    writer = data.draw(st.sampled_from([write_jsonl, write_parquet]))
    counts = data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=3))
    block = data.draw(st.integers(4, 30))
    with TemporaryDirectory() as place:
        files, number = [], 0
        for index, count in enumerate(counts):
            rows = [
                trade(n, data.draw(st.sampled_from(NAMES))) for n in range(number, number + count)
            ]
            number += count + 3
            files.append(writer(Path(place, f"{index}.{writer.__name__[6:]}"), rows))
        wanted = play(lambda: Replay(files, block=block))
        players = Players(files, 1, block)
        for processes in data.draw(st.lists(st.integers(1, 4), max_size=4)):
            players.play(data, 9)
            players.change(processes)
        players.play(data, 10_000)
        assert told_of(players.tapes) == told_of(wanted)
        total = sum(state["counts"][0] for kept in players.kept.values() for state in kept.values())
        assert total == sum(counts)


def test_states_at_one_place_need_no_second_reading() -> None:
    one = State(
        {**begin(8), "files": [("a", "1")], "first": 16, "done": {"A": 2}, "markets": ["A"]}
    )
    other = State({**one, "done": {"B": 3}, "handed": {"B": 9}, "markets": ["B"]})
    both = joined([one, other])
    assert (both["first"], both["done"], both["markets"]) == (16, {"A": 2, "B": 3}, ["A", "B"])
    assert only(both, {"B"}, counted=True)["handed"] == {"B": 9}


def test_a_market_that_is_files_ahead_waits_for_its_place() -> None:
    one = State(
        {**begin(8), "files": [("a", "1")], "first": 16, "done": {"A": 2}, "markets": ["A"]}
    )
    files = [("a", "1"), ("b", "2")]
    other = State({**begin(8), "files": files, "handed": {"B": 9}, "markets": ["B", "C"]})
    both = joined([one, other])
    assert (both["files"], both["first"]) == ([("a", "1")], 0)
    assert (both["done"], both["ahead"]) == ({"A": 2}, {"B": (1, 9), "C": (1, 0)})


def test_what_was_handed_out_of_a_later_file_is_left_out_there(tmp_path: Path) -> None:
    one = write_jsonl(tmp_path / "1.jsonl", [trade(n, NAMES[0]) for n in range(4)])
    rows = [trade(n, name) for n, name in enumerate((NAMES[0], *[NAMES[1]] * 3), 9)]
    source = Replay([one, write_jsonl(tmp_path / "2.jsonl", rows)])
    state = State({**begin(8), "ahead": {NAMES[1]: (1, 2)}, "markets": [NAMES[1]]})
    part = source.build_part("replay", "1.jsonl", state)
    items = [item for _ in range(2) for item in part.next_batch()]
    assert [(market, len(strip[0])) for market, strip in items] == [  # type: ignore[arg-type]
        (NAMES[0], 4), (NAMES[0], 1), (NAMES[1], 1),
    ]  # fmt: skip
    part.close()
