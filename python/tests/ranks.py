"""Ranks in threads of one process, and the group that they are: what engines have in processes and torch.distributed."""
import concurrent.futures
import threading

from plimsoll_engine.group import Group

PATIENCE_S = 60


class Threads:
    """One thread a rank. call(function) runs function(rank) on all of them, and gives what each came to."""

    def __init__(self, test, size):
        self._threads = [concurrent.futures.ThreadPoolExecutor(1) for _ in range(size)]
        self._barrier, self._values = threading.Barrier(size), [None] * size
        self.groups = [Group(rank, size, lambda value, rank=rank: self._gather(rank, value)) for rank in range(size)]
        for thread in self._threads:
            test.addCleanup(thread.shutdown)

    def _gather(self, rank, value):
        self._values[rank] = value
        self._barrier.wait(PATIENCE_S)
        told = list(self._values)
        self._barrier.wait(PATIENCE_S)
        return told

    def call(self, function):
        futures = [thread.submit(function, rank) for rank, thread in enumerate(self._threads)]
        concurrent.futures.wait(futures, PATIENCE_S)
        return [future.result(0) for future in futures]
