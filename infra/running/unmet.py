"""What was asked for, and the tape has not: a market that is misspelled, a time of another year."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from infra.running.sources import Files
from infra.running.worker import Job


def unmet(job: Job, concluded: Collection[str]) -> Iterator[str]:
    """Yield a line for each option that names what nothing was concluded of.

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
    times = {"--since": job.since, "--until": job.until}
    if not concluded and (given := " ".join(f"{name} {at}" for name, at in times.items() if at)):
        yield f"{given}: is that a time of the tape? nothing was read; 2h and 3d count from now"
