"""Captures a Python engine's expert load counters with libplimsoll: standard library only, tensors by their addresses.

One Worker per rank, used on the engine's dispatch thread:

    worker = Worker(deployment="prod/decode", incarnation=1, rank=0, ranks=1, layers=58, slots_per_rank=9,
                    ring="/dev/shm/plimsoll/rank-0.ring")
    worker.attach(load=counters)
    worker.start()
    while serving:
        run_one_forward_pass()
        worker.step_end()                 # after the pass, before the engine zeroes its counters

README.md beside this file names every option. No Python function is ever called on a thread of the library: such a call
would have to take the interpreter's lock from the engine.
"""
import atexit
import ctypes
import enum
import functools
import logging
import os
import threading
from ctypes import byref
from typing import NamedTuple

from plimsoll_engine import abi
from plimsoll_engine.abi import PlimsollError, new
from plimsoll_engine.counters import DEVICES, Counters

GATHERS = {"none": (abi.PLM_GATHER_NONE, None),
           "node": (abi.PLM_GATHER_HOST, abi.PLM_TRANSPORT_NODE),
           "tcp": (abi.PLM_GATHER_HOST, abi.PLM_TRANSPORT_TCP),
           "device": (abi.PLM_GATHER_DEVICE, abi.PLM_TRANSPORT_DEVICE)}
logger = logging.getLogger("plimsoll")
_kept_for_ever = []  # what a captured graph or the device may still use when its worker is gone


class FlipUnknown(PlimsollError):
    """This rank voted 2 and cannot know whether the others have flipped: it must not run another step."""


class Outcome(enum.IntEnum):
    """PLM_OUTCOME_*: what became of the gather of the boundary before."""

    RESOLVED, PENDING, TIMED_OUT, FAILED, NONE, UNDECIDED = range(6)


class Verdict(NamedTuple):
    """What the ranks have agreed on: level 1, start the transfers of a batch; level 2, flip it; level 0, nothing."""

    step: int
    outcome: Outcome
    epoch: int
    batch: int
    level: int


class Vote(NamedTuple):
    """This rank's vote, with the placement state that its steps ran under."""

    level: int = 0
    epoch: int = 0
    batch: int = 0
    settled_version: int = 0
    batches_flipped: int = 0
    plan_hash: int = 0


def _guarded(method):
    """With on_error="disable" a failure ends the capture and not the engine, unless a vote of 2 makes that unsafe."""

    @functools.wraps(method)
    def call(self, *arguments, **named):
        if self.disabled is not None:
            return None
        try:
            return method(self, *arguments, **named)
        except Exception as error:
            if self.on_error != "disable" or self._last_level == 2:
                raise
            self._disable(error)
            return None

    return call


class Worker:
    """One rank's heat ring. All calls come from the engine's dispatch thread; only close() may come from any."""

    def __init__(self, *, deployment, incarnation, rank, ranks, layers, slots_per_rank, ring, boundary_steps=16,
                 backend="host", device=0, stream=None, gather="none", address=None, secret_file=None,
                 timeout_ms=30_000, flip_timeout_ms=5_000, on_boundary=None, mailbox=None, accumulate_in_graph=False,
                 on_error=None, library=None, library_dir=None):
        for what, value, known in (("backend", backend, DEVICES), ("gather", gather, GATHERS),
                                   ("on_error", on_error, ("raise", "disable", None))):
            if value not in known:
                raise ValueError("%s=%r is not one of %s" % (what, value, ", ".join(map(str, known))))
        if (address is not None) != (gather in ("node", "tcp")) or (secret_file is not None) != (gather == "tcp"):
            raise ValueError("gather='node' and 'tcp' need address=, 'tcp' also secret_file=, the others neither")
        if stream is None and backend != "host":
            raise ValueError("backend=%r needs stream=, a function that gives the engine's current stream handle, such "
                             "as lambda: torch.cuda.current_stream().cuda_stream" % backend)
        self.rank, self.layers, self.slots_per_rank, self.boundary_steps = rank, layers, slots_per_rank, boundary_steps
        self.incarnation, self.backend, self.device = incarnation, backend, device
        self.on_error = on_error or ("disable" if gather == "none" else "raise")
        self.disabled = None  # the error that has ended the capture
        self.idle_vote = Vote()  # cast where on_boundary gives no other
        self._stream, self._on_boundary, self._in_graph = stream or (lambda: 0), on_boundary, accumulate_in_graph
        self._counters, self._replaced = {}, []  # Counters by kind; what attach() has replaced
        self._runtime, self._comm, self._ring, self._mailbox = (ctypes.c_uint64() for _ in range(4))
        self._verdict, self._record = new(abi.plm_verdict), ctypes.create_string_buffer(4096)
        self._flip_timeout_ms, self._thread, self._step = flip_timeout_ms, None, None
        self._last_level = 0  # of the vote whose verdict has not come yet; stays 2 when it never comes
        self._flip_unknown = self._lost = self._closed = False
        self._pid = os.getpid()
        mode, self._transport = GATHERS[gather]
        self._comm_opts = dict(members=ranks, rank=rank, group=incarnation, timeout_ms=timeout_ms,
                               address=address and os.fsencode(address),
                               secret_file=secret_file and os.fsencode(secret_file),
                               gather_bytes=ctypes.sizeof(abi.plm_vote) + 8 * layers * (slots_per_rank + 1))
        self._ring_opts = new(abi.plm_ring_opts, rank=rank, ranks=ranks, layers=layers, timeout_ms=timeout_ms,
                              slots_per_rank=slots_per_rank, boundary_steps=boundary_steps, gather=mode,
                              incarnation=incarnation)
        self._ring_file, self._deployment = os.fsencode(ring), deployment.encode()
        self._open(library, library_dir, mailbox)

    @_guarded
    def _open(self, library, library_dir, mailbox):
        self._library = abi.Library(library)
        # The engine has initialised its device and will end it: that is not for us to do.
        opts = new(abi.plm_open_opts, device=self.device, flags=0 if self.backend == "host" else abi.PLM_OPEN_ATTACH,
                   library_dir=library_dir and os.fsencode(library_dir))
        self._call("plm_open", self.backend.encode(), byref(opts), byref(self._runtime))
        atexit.register(self.close)  # runs before what was registered earlier, so before torch goes
        if mailbox is not None:
            self._call("plm_mailbox_open", os.fsencode(mailbox), 1 << 20, byref(self._mailbox))

    @_guarded
    def attach(self, load=None, routed=None, zeroed_each_step=False):
        """Takes counters: a tensor for all MoE layers, or a list of one for each. Kept alive while they are attached.

        load: tokens computed by each local slot, [layers, slots]; needed. routed: assignments (tokens x top-k) made by
        this rank's router, [layers]. Once more after start(), on the same thread: other tensors in their place.
        """
        counters = dict(self._counters)
        for kind, tensors in ((abi.PLM_SEGMENT_LOAD, load), (abi.PLM_SEGMENT_ROUTED, routed)):
            if tensors is not None:
                counters[kind] = Counters(self, kind, tensors, zeroed_each_step, counters.get(kind))
                if self._in_graph:
                    _kept_for_ever.append(counters[kind].total)
        if self._ring:
            self._call("plm_ring_rebind", self._ring, *self._segments(counters))
        self._replaced.append(self._counters)  # the device may be copying from them
        self._counters = counters

    def comm_id(self):
        """gather="device": the id of a new communicator, made by one rank and brought to all, for start()."""
        buffer, length = ctypes.create_string_buffer(8192), ctypes.c_uint32()
        self._call("plm_comm_id", self._runtime, buffer, len(buffer), byref(length))
        return buffer.raw[:length.value]

    @_guarded
    def start(self, comm_id=None):
        """Joins the group and creates the ring and its file. Waits for nobody, except with gather="device"."""
        if self._ring:
            raise PlimsollError(abi.PLM_E_STATE, "the worker has started before")
        if (comm_id is not None) != (self._transport == abi.PLM_TRANSPORT_DEVICE):
            raise PlimsollError(abi.PLM_E_ARG, "start(comm_id) is needed with gather='device', and only there")
        if self._transport is not None and not self._comm:
            opts = new(abi.plm_comm_opts, transport=self._transport, id_bytes=len(comm_id or b""),
                       id=comm_id and ctypes.cast(comm_id, ctypes.c_void_p), **self._comm_opts)
            self._call("plm_comm_open", self._runtime, byref(opts), byref(self._comm))
        self._call("plm_ring_create", self._runtime, self._comm, self._ring_file, self._deployment,
                   byref(self._ring_opts), *self._segments(self._counters), byref(self._ring))

    def accumulate(self):
        """Adds counters that are zeroed each step to totals of ours. step_end() does it, unless accumulate_in_graph."""
        for counters in self._counters.values():
            counters.accumulate()

    def step_end(self, step=None):
        """After every forward pass, dummy passes too. At a boundary asks on_boundary for a vote; gives the verdict."""
        verdict = self._begin(step)
        if verdict is not None:
            vote = None
            try:
                if self._on_boundary is not None:
                    vote = self._on_boundary(verdict)
            finally:
                self._end(vote or self.idle_vote)  # a boundary left open would hold up the whole group
        return verdict

    @_guarded
    def _begin(self, step):
        if self._flip_unknown:
            self._raise_flip_unknown()
        if not self._ring:
            raise PlimsollError(abi.PLM_E_STATE, "the worker of rank %d is closed, or start() has not been called"
                                % self.rank)
        if self._thread is None:
            self._thread = threading.get_ident()
        if self._thread != threading.get_ident():
            raise PlimsollError(abi.PLM_E_STATE, "step_end() belongs to the dispatch thread, which called it first")
        if step is None:
            step = 1 if self._step is None else self._step + 1
        elif self._step is not None and step != self._step + 1:
            raise PlimsollError(abi.PLM_E_ARG, "step %d follows step %d: tell every pass, dummy passes too, once each"
                                % (step, self._step))
        if not self._in_graph:
            self.accumulate()
        self._step = step
        if step % self.boundary_steps != 0:
            return None
        try:
            stream = self._stream()  # anew each time: frameworks queue work behind it, and reading it submits that
            self._call("plm_boundary_begin", self._ring, stream, step, self._flip_timeout_ms, byref(self._verdict))
        except Exception as error:
            if self._last_level == 2:
                self._raise_flip_unknown(error)  # the verdict on that vote is lost
            raise
        self._replaced.clear()  # the stream has gone on to the new ones
        found = self._verdict
        verdict = Verdict(step, Outcome(found.outcome), found.epoch, found.batch, found.level)
        if verdict.outcome == Outcome.TIMED_OUT and self._last_level == 2:
            self._raise_flip_unknown()
        self._last_level = 0
        if verdict.outcome in (Outcome.TIMED_OUT, Outcome.FAILED) and not self._lost:
            self._lost = True
            logger.warning("rank %d lost its group before step %d (%s): from here on it publishes alone and cannot "
                           "vote", self.rank, step, verdict.outcome.name)
        return verdict

    @_guarded
    def _end(self, vote):
        self._call("plm_boundary_end", self._ring,
                   byref(new(abi.plm_vote, incarnation=self.incarnation, **vote._asdict())))
        self._last_level = vote.level

    def _raise_flip_unknown(self, cause=None):
        self._flip_unknown = True
        raise FlipUnknown(abi.PLM_E_TIMEOUT, "rank %d voted 2 and cannot know the verdict: others may have flipped. "
                          "Run no further step, and leave the group" % self.rank) from cause

    @_guarded
    def idle(self, seconds):
        """No pass ran for so long, up to now, as there was nothing to do: not the time of steps. Nobody else can tell."""
        self._call("plm_ring_idle", self._ring, max(0, round(seconds * 1e9)))

    @_guarded
    def clock(self, busy_nanos, idle_nanos):
        """What passes took up to the next boundary, and how long none ran, by the engine's own account: both only grow."""
        self._call("plm_ring_clock", self._ring, busy_nanos, idle_nanos)

    @_guarded
    def publish_flip(self, **fields):
        """Shows what the flip of a batch took, fields of plm_flip_cost; before publish_state() says that it is flipped."""
        self._call("plm_flip_publish", self._ring, byref(new(abi.plm_flip_cost, **fields)))

    @_guarded
    def publish_state(self, **fields):
        """Writes the rank's protocol state, fields of plm_rank_state, into the header of its heat ring."""
        state = new(abi.plm_rank_state, **{"incarnation": self.incarnation, "refusal": -1, **fields})
        self._call("plm_state_publish", self._ring, byref(state))

    @_guarded
    def read_plan(self):
        """Takes the next record of the plan mailbox, as (position, bytes), or None when there is none. Never waits."""
        length, position = ctypes.c_uint32(), ctypes.c_int64()
        while True:
            state = self._call("plm_mailbox_read", self._mailbox, self._record, len(self._record), byref(length),
                               byref(position))
            if state != abi.PLM_BUSY:
                return None if state == abi.PLM_PENDING else (position.value, self._record.raw[:length.value])
            self._record = ctypes.create_string_buffer(length.value)

    def close(self, timeout_ms=5_000):
        """Ends the ring, marks its file as closed, lets go of the tensors. May be called again, also after an error."""
        self._closed = True
        if os.getpid() != self._pid:
            return  # a forked child has a copy of this object, but none of the library's threads
        # In this order: each was made from the last. What fails is still there, with its tensors, for another try.
        for name, handle, timeout in (("plm_ring_destroy", self._ring, [timeout_ms]),
                                      ("plm_comm_close", self._comm, [timeout_ms]),
                                      ("plm_mailbox_close", self._mailbox, []),
                                      ("plm_close", self._runtime, [timeout_ms])):
            if handle:
                self._library.call(name, handle, *timeout)
                handle.value = 0
        self._counters = {}
        self._replaced.clear()
        atexit.unregister(self.close)

    def _disable(self, error):
        self.disabled = error
        logger.error("expert load of rank %d is no longer captured, the engine goes on: %s", self.rank, error,
                     exc_info=not isinstance(error, PlimsollError))
        try:
            if self._comm:
                self._call("plm_comm_abort", self._comm)  # so that neither we nor the others wait
            self.close(timeout_ms=1_000)
        except PlimsollError as late:
            _kept_for_ever.append(self)
            logger.warning("rank %d: not all could be closed, and stays until the process ends: %s", self.rank, late)

    def _call(self, name, *arguments):
        if self._closed or os.getpid() != self._pid:
            raise PlimsollError(abi.PLM_E_STATE, "the worker of rank %d is closed, or of another process" % self.rank)
        return self._library.call(name, *arguments)

    @staticmethod
    def _segments(counters):
        made = [segment for one in counters.values() for segment in one.segments]
        return (abi.plm_segment * len(made))(*made), len(made)
