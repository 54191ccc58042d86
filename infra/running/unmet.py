"""Markets that were asked for, and that the tape has not: most often a name that is misspelled."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from infra.running.sources import Files
from infra.running.worker import Job


def unmet(job: Job, concluded: Collection[str]) -> Iterator[str]:
    """Yield a line for each option that names markets of which nothing was concluded.

    Parameters
    ----------
    job
        What was asked for.
    concluded
        The markets of which something was.

    """
    there = f"concluded was something of {', '.join(sorted(concluded)) or 'no market'}"
    named = job.origin.market if isinstance(job.origin, Files) else None
    for theirs, ours in named.items() if isinstance(named, Mapping) else ():
        if ours not in concluded:
            yield f"--market {theirs}={ours}: is there a {theirs} in the data? {there}"
    if lost := sorted(set(job.markets) - set(concluded)):
        yield f"--markets {','.join(lost)}: is that on the tape? {there}"
