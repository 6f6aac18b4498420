"""One rank of an engine in Python: its load counters out, decisions about its experts in. Standard library only.

One Worker per rank, used on the engine's dispatch thread:

    worker = Worker(deployment="prod/decode", incarnation=1, rank=0, ranks=1, layers=58, slots_per_rank=9,
                    ring="/dev/shm/plimsoll/rank-0.ring")
    worker.attach(load=counters)
    worker.start()
    while serving:
        run_one_forward_pass()
        worker.step_end()                 # after the pass, before the engine zeroes its counters

README.md names every option, and says how experts are moved. The only Python function that the library calls is on_flip, on
the dispatch thread and within step_end(): on another it would have to take the interpreter's lock from the engine.
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
from plimsoll_engine.counters import DEVICES, NAMES, Counters
from plimsoll_engine.weights import Weights, placement as placement_of

GATHERS = {"none": (abi.PLM_GATHER_NONE, None),
           "node": (abi.PLM_GATHER_HOST, abi.PLM_TRANSPORT_NODE),
           "tcp": (abi.PLM_GATHER_HOST, abi.PLM_TRANSPORT_TCP),
           "nodes": (abi.PLM_GATHER_HOST, abi.PLM_TRANSPORT_NODES),
           "device": (abi.PLM_GATHER_DEVICE, abi.PLM_TRANSPORT_DEVICE)}
logger = logging.getLogger("plimsoll")
_kept_for_ever = []  # what a captured graph or the device may still use when its worker is gone


class LeaveGroup(PlimsollError):
    """Others may serve another placement from here on: run no further step, and leave the group."""


class FlipFailed(LeaveGroup):
    """on_flip raised, which is the cause: the others route by the new map, this rank cannot."""


class Outcome(enum.IntEnum):
    """PLM_OUTCOME_*: what became of the gather of the boundary before."""

    RESOLVED, PENDING, TIMED_OUT, FAILED, NONE, UNDECIDED = range(6)


class Phase(enum.IntEnum):
    """PLM_PHASE_*: where a rank is with a decision."""

    (SERVING, REFUSED, ACCEPTED, WILLING, TRANSFERRING, READY, DONE, ABORTING, ABORTED, FATAL, MOVING) = range(11)


class Note(enum.IntEnum):
    """PLM_NOTE_*: what is logged of a boundary."""

    (TRANSFERS_STARTED, TRANSFER_FAILED, FLIPPED, REFUSED, IGNORED, UNREADABLE, UNTIMED, GROUP_ABANDONED, FATAL,
     MOVE) = range(10)


class Refusal(enum.IntEnum):
    """PLM_REFUSAL_*: why a rank refuses a decision."""

    (NONE, STALE_BASE, FOREIGN_INCARNATION, INVALID_PLAN, NO_MEMORY, BUSY, HASH_MISMATCH, OBSERVE_ONLY, TRANSFER_FAILED,
     DEAF, BEHIND, ENGINE_CHANGED) = range(-1, 11)


class Ignored(enum.IntEnum):
    """PLM_IGNORED_*: why an order changed nothing."""

    DUPLICATE, OLD_TERM, FOREIGN_INCARNATION, OLD_EPOCH, OUT_OF_PLACE, FATAL = range(6)


_QUIET = {Note.TRANSFERS_STARTED: logging.INFO, Note.FLIPPED: logging.INFO, Note.MOVE: logging.INFO,
          Note.IGNORED: logging.DEBUG, Note.FATAL: logging.ERROR}


class Boundary(NamedTuple):
    """What a boundary came to. move: from now on the engine is to move its experts to target(), then to call moved()."""

    step: int
    outcome: Outcome
    phase: Phase
    move: bool


def _guarded(method):
    """With on_error="disable" a failure ends the capture and not the engine, unless a vote of 2 makes that unsafe."""

    @functools.wraps(method)
    def call(self, *arguments, **named):
        if self.disabled is not None:
            return None
        try:
            return method(self, *arguments, **named)
        except Exception as error:
            if self.on_error != "disable" or isinstance(error, LeaveGroup) or self._may_flip():
                raise
            self._disable(error)
            return None

    return call


class Worker:
    """One rank. All calls come from the engine's dispatch thread; only close() may come from any."""

    def __init__(self, *, deployment, incarnation, rank, ranks, layers, slots_per_rank, ring, boundary_steps=16,
                 backend="host", device=0, stream=None, gather="none", address=None, secret_file=None, segment=None,
                 node_of_rank=None,
                 timeout_ms=30_000, flip_timeout_ms=5_000, mailbox=None, on_flip=None, moves_weights=False,
                 experts=None, placement=None, settled_version=0, staging_bytes=0, bytes_per_second=0,
                 least_bytes_per_second=0, accumulate_in_graph=False, on_error=None, library=None, library_dir=None):
        for what, value, known in (("backend", backend, DEVICES), ("gather", gather, GATHERS),
                                   ("on_error", on_error, ("raise", "disable", None))):
            if value not in known:
                raise ValueError("%s=%r is not one of %s" % (what, value, ", ".join(map(str, known))))
        if ((address is not None) != (gather in ("node", "tcp", "nodes"))
                or (secret_file is not None) != (gather in ("tcp", "nodes"))):
            raise ValueError("gather='node', 'tcp' and 'nodes' need address=, the last two also secret_file=, the others neither")
        if any((given is not None) != (gather == "nodes") for given in (segment, node_of_rank)):
            raise ValueError("gather='nodes' needs segment=, the shared memory of this rank's node, and node_of_rank=, the "
                             "others neither")
        if node_of_rank is not None and len(node_of_rank) != ranks:
            raise ValueError("node_of_rank names the nodes of %d ranks, there are %d" % (len(node_of_rank), ranks))
        if stream is None and backend != "host":
            raise ValueError("backend=%r needs stream=, a function that gives the engine's current stream handle, such "
                             "as lambda: torch.cuda.current_stream().cuda_stream" % backend)
        if on_flip is not None and moves_weights:
            raise ValueError("on_flip= is for weights that are moved for the engine, moves_weights=True for an engine that "
                             "moves them itself: one of them")
        self._moved_for_it, self._moves_weights = on_flip is not None, moves_weights
        if (self._moved_for_it or moves_weights) and (mailbox is None or experts is None):
            raise ValueError("to have experts moved, mailbox= and experts= are needed too")
        self.rank, self.ranks, self.layers, self.slots_per_rank = rank, ranks, layers, slots_per_rank
        self.incarnation, self.backend, self.device = incarnation, backend, device
        self.boundary_steps = boundary_steps
        self.on_error = on_error or ("disable" if gather == "none" else "raise")
        self.disabled = None  # the error that has ended the capture
        self._stream, self._in_graph = stream or (lambda: 0), accumulate_in_graph
        self._counters, self._replaced = {}, []  # Counters by kind; what attach() has replaced
        self._weights = Weights(layers, slots_per_rank, (DEVICES[backend], device))
        self._runtime, self._comm, self._ring, self._mailbox, self._agent = (ctypes.c_uint64() for _ in range(5))
        self._boundary, self._note = new(abi.plm_boundary), new(abi.plm_note)
        self._flip_error = self._left = None
        self._thread = self._step = None
        self._closed = False
        self._pid = os.getpid()
        mode, self._transport = GATHERS[gather]
        self._comm_opts = dict(members=ranks, rank=rank, group=incarnation, timeout_ms=timeout_ms,
                               address=address and os.fsencode(address), staging_bytes=staging_bytes,
                               bytes_per_second=bytes_per_second, secret_file=secret_file and os.fsencode(secret_file),
                               node_of_rank=node_of_rank and (ctypes.c_uint32 * ranks)(*node_of_rank),
                               segment=segment and os.fsencode(segment))
        self._ring_opts = new(abi.plm_ring_opts, rank=rank, ranks=ranks, layers=layers, timeout_ms=timeout_ms,
                              slots_per_rank=slots_per_rank, boundary_steps=boundary_steps, gather=mode,
                              incarnation=incarnation)
        # A rank that nobody sends orders to needs no weights, and says so as one that moves its own does.
        self._on_flip, self._call_flip = on_flip, abi.plm_flip_fn(self._flip) if on_flip else abi.plm_flip_fn()
        self._slots, self._experts = ranks * slots_per_rank, experts or ranks * slots_per_rank
        self._agent_opts = dict(flags=0 if self._moved_for_it else abi.PLM_RANK_ENGINE_MOVES,
                                settled_version=settled_version, staging_bytes=staging_bytes, experts=self._experts,
                                flip_timeout_ms=flip_timeout_ms, least_bytes_per_second=least_bytes_per_second)
        self._placement = placement_of(placement, layers, self._slots, self._experts)
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
            self._call("plm_mailbox_open", os.fsencode(mailbox), self._mailbox_bytes(), byref(self._mailbox))

    def _mailbox_bytes(self):
        """Room for two orders of the largest sort, as the node's worker reckons: every slot changes, in batches of a layer."""
        total = self.layers * self._slots
        largest = ctypes.sizeof(abi.plm_order) + 16 * (self.layers + 2 * total + self.layers * self.slots_per_rank)
        return min(1 << 30, max(4 << 20, -(-2 * largest >> 20) << 20))

    @_guarded
    def attach(self, load=None, routed=None, routed_to=None, replicated=None, zeroed_each_step=False, discardable=False):
        """Takes counters: a tensor for all MoE layers, or a list of one for each. Kept alive while they are attached.

        One of load, tokens computed by each local slot, [layers, slots]; routed_to, tokens that this rank's router sent to
        the slots of all ranks, [layers, ranks x slots]; and replicated, of the same shape, where every rank routes the
        tokens of all. And routed: assignments (tokens x top-k) made by this rank's router for its own tokens, [layers].
        Once more after start(), on the same thread: other tensors in their place.

        discardable: passes may be taken off again from counters that grow, which costs a copy of them at each step.
        """
        counters = dict(self._counters)
        for kind, tensors in ((abi.PLM_SEGMENT_LOAD, load), (abi.PLM_SEGMENT_ROUTED, routed),
                              (abi.PLM_SEGMENT_ROUTED_TO, routed_to), (abi.PLM_SEGMENT_REPLICATED, replicated)):
            if tensors is not None:
                counters[kind] = Counters(self, kind, tensors, zeroed_each_step, discardable, counters.get(kind))
                if self._in_graph:
                    _kept_for_ever.append(counters[kind].published)
        kinds = [NAMES[kind] for kind in counters if kind != abi.PLM_SEGMENT_ROUTED]
        if len(kinds) > 1:
            raise PlimsollError(abi.PLM_E_ARG, "%s: an engine's counters are of one kind" % " and ".join(kinds))
        if self._ring:
            self._call("plm_ring_rebind", self._ring, *self._segments(counters))
        self._replaced.append(self._counters)  # the device may be copying from them
        self._counters = counters

    @_guarded
    def weights(self, layer, tensors):
        """Takes the tensors that hold a layer's experts, such as [w13, w2, scales]; the first dimension of each is the slot.

        For every MoE layer before start(). Again after it when they have moved, such as after sleep and wake; False: not
        now, as weights are under way to them.
        """
        self._weights.put(layer, tensors)
        return not self._agent or self._call("plm_agent_rebind", self._agent, *self._weights.structs()) != abi.PLM_BUSY

    def comm_id(self):
        """gather="device": the id of a new communicator, made by one rank and brought to all, for start()."""
        buffer, length = ctypes.create_string_buffer(8192), ctypes.c_uint32()
        self._call("plm_comm_id", self._runtime, buffer, len(buffer), byref(length))
        return buffer.raw[:length.value]

    @_guarded
    def start(self, comm_id=None):
        """Joins the group and creates the ring and its file. Waits for nobody, except with gather="device".

        What the counters have counted up to now, in warm-up, counts as nothing: call it after warm-up, before the first pass.
        """
        if self._agent:
            raise PlimsollError(abi.PLM_E_STATE, "the worker has started before")
        if (comm_id is not None) != (self._transport == abi.PLM_TRANSPORT_DEVICE):
            raise PlimsollError(abi.PLM_E_ARG, "start(comm_id) is needed with gather='device', and only there")
        weights = self._weights.structs() if self._moved_for_it else (None, 0)
        if self._transport is not None and not self._comm:
            wide = self._slots if abi.PLM_SEGMENT_ROUTED_TO in self._counters else self.slots_per_rank
            opts = new(abi.plm_comm_opts, transport=self._transport, id_bytes=len(comm_id or b""),
                       gather_bytes=ctypes.sizeof(abi.plm_vote) + 8 * self.layers * (wide + 1),
                       id=comm_id and ctypes.cast(comm_id, ctypes.c_void_p), **self._comm_opts)
            self._call("plm_comm_open", self._runtime, byref(opts), byref(self._comm))
        if not self._ring:
            for counters in self._counters.values():
                counters.start()
            self._call("plm_ring_create", self._runtime, self._comm, self._ring_file, self._deployment,
                       byref(self._ring_opts), *self._segments(self._counters), byref(self._ring))
        opts = new(abi.plm_agent_opts, placement=self._placement, flip=self._call_flip,
                   manifest=self._weights.manifest() if self._moved_for_it else 0, **self._agent_opts)
        self._call("plm_agent_open", self._ring, self._comm, self._mailbox, byref(opts), *weights, byref(self._agent))

    def accumulate(self):
        """Adds counters that are zeroed each step to totals of ours. step_end() does it, unless accumulate_in_graph."""
        for counters in self._counters.values():
            counters.accumulate()

    @_guarded
    def step_end(self, step=None, discard=False):
        """After every forward pass, dummy passes too; gives a Boundary where there was one, else None.

        discard: the counters of this pass do not count: of vLLM's dummy passes, or of one that did not come to its end.
        Raises LeaveGroup, and goes on doing so, when this rank must run no further step.
        """
        if self._left is not None:
            raise self._left
        if not self._agent:
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
        for counters in self._counters.values():
            counters.end_of_pass(discard, self._in_graph)
        self._step = step
        return self._at_boundary(step) if step % self.boundary_steps == 0 else None

    def _at_boundary(self, step):
        found = self._boundary
        try:
            for counters in self._counters.values():
                counters.before_boundary()
            stream = self._stream()  # anew each time: frameworks queue work behind it, and reading it submits that
            self._call("plm_agent_boundary", self._agent, stream, step, byref(found))
        except Exception as error:
            if self._may_flip():
                self._leave(LeaveGroup, "rank %d voted to flip and cannot know the verdict", self.rank, cause=error)
            raise
        finally:
            self._log_notes()
        self._replaced.clear()  # the stream has gone on to the new ones
        if self._flip_error is not None:
            self._leave(FlipFailed, "rank %d could not flip at step %d: %r", self.rank, step, self._flip_error,
                        cause=self._flip_error)
        if found.leave and found.outcome == Outcome.RESOLVED:
            self._leave(LeaveGroup, "at step %d the others have flipped, and rank %d cannot: the log says why", step, self.rank)
        if found.leave:
            self._leave(LeaveGroup, "at step %d others may have flipped, and rank %d cannot know (%s)", step, self.rank,
                        Outcome(found.outcome).name)
        return Boundary(step, Outcome(found.outcome), Phase(found.phase), found.move != 0)

    def _flip(self, _, layer, slots, experts, in_use, count):
        try:
            self._on_flip(layer, slots[:count], experts[:count], [used != 0 for used in in_use[:count]])
            return abi.PLM_OK
        except BaseException as error:  # must not pass through the library
            self._flip_error = error
            return abi.PLM_E_STATE

    def _leave(self, kind, text, *values, cause=None):
        self._left = kind(abi.PLM_E_STATE, text % values + ". Run no further step, and leave the group")
        raise self._left from cause

    def _log_notes(self):
        note = self._note
        while self._agent and self._library.call("plm_agent_note", self._agent, byref(note)) == abi.PLM_OK:
            kind = Note(note.kind)
            named = {Note.REFUSED: Refusal, Note.IGNORED: Ignored}.get(kind)
            details = [note.text.decode("utf-8", "replace")] if note.text else []
            if named is not None:
                details.insert(0, named(note.code).name.lower().replace("_", " "))
            logger.log(_QUIET.get(kind, logging.WARNING), "rank %d, step %d, decision %d, batch %d: %s%s", self.rank,
                       note.step, note.epoch, note.batch, kind.name.lower().replace("_", " "),
                       "".join(": " + detail for detail in details))

    def _may_flip(self):
        """Whether this rank has voted 2 and does not know what came of it."""
        if not self._agent or self._closed or os.getpid() != self._pid:
            return False
        try:
            state = self.state()
        except PlimsollError:
            return True  # of another thread, who cannot know
        return state.cast.incarnation != 0 and state.cast.level == 2

    def state(self):
        """The rank's state, a plm_rank: for tests and for those who look closely."""
        state = new(abi.plm_rank)
        self._call("plm_agent_state", self._agent, byref(state))
        return state

    @_guarded
    def target(self):
        """The map that the engine is to move to, [layer][slot] expert, or None while none was ordered."""
        found = (ctypes.c_int32 * len(self._placement))()
        if self._call("plm_agent_target", self._agent, found, len(found)) == abi.PLM_PENDING:
            return None
        return [found[layer * self._slots:(layer + 1) * self._slots] for layer in range(self.layers)]

    @_guarded
    def moved(self, placement):
        """The engine's move is over, and this is the map that it has now, read back from it: [layer][slot] expert."""
        self._call("plm_agent_moved", self._agent, placement_of(placement, self.layers, self._slots, self._experts),
                   len(self._placement))

    @_guarded
    def moving(self, busy):
        """Whether the engine is at a move that nobody here decided: meanwhile this rank votes for nothing."""
        self._call("plm_agent_busy", self._agent, 1 if busy else 0)

    @_guarded
    def changed(self):
        """The engine's map was changed by somebody else: nothing is decided any more until a new incarnation says to what."""
        self._call("plm_agent_changed", self._agent)

    def reload(self):
        """Asks, before any is touched, whether the engine may load other weights into its slots, in place.

        True: until reloaded() nothing here reads or writes a slot but what the compute stream holds already. False: run passes up to
        the next boundary and ask again; this rank votes for nothing meanwhile, so some boundaries are enough.
        """
        return self._ask_to_reload() is not False  # None: the capture has ended, and nothing of it is at the slots

    @_guarded
    def _ask_to_reload(self):
        return not self._agent or self._call("plm_agent_reload", self._agent) == abi.PLM_OK

    @_guarded
    def reloaded(self, generation):
        """All slots hold the weights of this generation: a number that is equal on ranks with the same checkpoint, and on no others.

        Without leave of reload() it must be said before the next boundary, which raises LeaveGroup where the others flip what came
        from the weights before.
        """
        if self._agent:
            self._call("plm_agent_reloaded", self._agent, generation)

    @_guarded
    def idle(self, seconds):
        """No pass ran for so long, up to now, as there was nothing to do: not the time of steps. Nobody else can tell."""
        self._call("plm_ring_idle", self._ring, max(0, round(seconds * 1e9)))

    @_guarded
    def clock(self, busy_nanos, idle_nanos):
        """What passes took up to the next boundary, and how long none ran, by the engine's own account: both only grow."""
        self._call("plm_ring_clock", self._ring, busy_nanos, idle_nanos)

    def close(self, timeout_ms=5_000):
        """Ends the ring, marks its file as closed, lets go of the tensors. May be called again, also after an error."""
        self._closed = True
        if os.getpid() != self._pid:
            return  # a forked child has a copy of this object, but none of the library's threads
        # In this order: each was made from the last. What fails is still there, with its tensors, for another try.
        for name, handle, timeout in (("plm_agent_close", self._agent, [timeout_ms]),
                                      ("plm_ring_destroy", self._ring, [timeout_ms]),
                                      ("plm_comm_close", self._comm, [timeout_ms]),
                                      ("plm_mailbox_close", self._mailbox, []),
                                      ("plm_close", self._runtime, [timeout_ms])):
            if handle:
                self._library.call(name, handle, *timeout)
                handle.value = 0
        self._counters = {}
        self._replaced.clear()
        atexit.unregister(self.close)

    def fail(self, error):
        """Ends the capture because of an error of the caller's own, as on_error="disable" does with one of ours."""
        self._disable(error)

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
