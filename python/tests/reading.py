"""What a worker's ring has captured, read in the same process: for tests only, engines have their heat ring's file."""
import ctypes
from array import array
from ctypes import byref
from typing import NamedTuple, Optional

from plimsoll_engine import abi




class plm_ring_counts(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("gather", ctypes.c_uint32)] + [(name, ctypes.c_uint64) for name in (
        "captured", "gathered", "skipped", "reclaimed", "timed_out", "alone", "failed")]


class Snapshot(NamedTuple):
    """Counters of the ranks from first_rank on: load [rank][layer][slot] and routed [rank][layer], flattened."""

    step: int
    first_rank: int
    ranks: int
    votes: list
    valid: list
    load: array
    routed: array


def wait(worker, step, timeout_ms=20_000):
    """Waits until the boundary at step is published; raises what it ended with."""
    worker._call("plm_ring_wait", worker._ring, step, timeout_ms)


def snapshot(worker) -> Optional[Snapshot]:
    """A copy of the newest complete snapshot that nobody has taken, or None."""
    found = abi.new(abi.plm_snapshot)
    if worker._call("plm_slot_acquire", worker._ring, byref(found)) == abi.PLM_PENDING:
        return None
    votes, load, routed = [], array("q"), array("q")
    for rank in range(found.ranks):
        row = array("q", found.words[rank * found.words_per_rank:(rank + 1) * found.words_per_rank])
        loads = found.words_per_rank - worker.layers
        votes.append(abi.plm_vote.from_buffer_copy(row[:4]))
        load += row[4:loads]
        routed += row[loads:]
    worker._call("plm_slot_release", worker._ring, found.step)
    return Snapshot(found.step, found.first_rank, found.ranks, votes, [vote.flags & abi.PLM_VOTE_HEAT_VALID != 0 for vote in votes],
                    load, routed)


def stats(worker) -> dict:
    counts = abi.new(plm_ring_counts)
    library = ctypes.CDLL(worker._library.path)
    assert library.plm_ring_stats(worker._ring, byref(counts)) == 0
    return {name: getattr(counts, name) for name, _ in counts._fields_}
