"""Captures a Python engine's expert load counters with libplimsoll: standard library only, tensors by their addresses.

One Worker per rank, used on the engine's dispatch thread:

    worker = Worker(deployment="prod/decode", incarnation=1, rank=0, ranks=1, layers=58, slots_per_rank=9,
                    ring="/dev/shm/plimsoll/ring-0")
    worker.attach_load(counters)          # a tensor [layers, slots], or one [slots] per layer
    worker.start()
    while serving:
        run_one_forward_pass()
        worker.step_end()                 # after the pass, before the engine zeroes its counters

README.md beside this file names every option, and plimsoll.h the contract of the library. No Python function is ever
called on a thread of the library: such a call would have to take the interpreter's lock from the engine.
"""
import argparse
import atexit
import ctypes
import enum
import functools
import importlib
import logging
import operator
import os
import sys
import tempfile
import threading
from array import array
from collections.abc import Mapping
from typing import Any, Callable, List, NamedTuple, Optional, Tuple

ABI_MAJOR = 2

PLM_OK, PLM_PENDING, PLM_BUSY = 0, 1, 2
PLM_E_ARG, PLM_E_UNAVAILABLE, PLM_E_DEVICE, PLM_E_TIMEOUT, PLM_E_STATE, PLM_E_NOMEM, PLM_E_ABORTED = range(-1, -8, -1)
PLM_OPEN_ATTACH = 1
PLM_TRANSPORT_NODE, PLM_TRANSPORT_TCP, PLM_TRANSPORT_DEVICE = 0, 1, 2
PLM_SEGMENT_LOAD, PLM_SEGMENT_ROUTED = 0, 1
PLM_GATHER_NONE, PLM_GATHER_HOST, PLM_GATHER_DEVICE = 0, 1, 2
PLM_VOTE_HEAT_VALID = 1

_GATHERS = {"none": PLM_GATHER_NONE, "host": PLM_GATHER_HOST, "device": PLM_GATHER_DEVICE}
_DEVICES = {"host": "cpu", "cuda": "cuda", "ascend": "npu"}
_ERRORS = {-1: "ARG", -2: "UNAVAILABLE", -3: "DEVICE", -4: "TIMEOUT", -5: "STATE", -6: "NOMEM", -7: "ABORTED"}

logger = logging.getLogger("plimsoll")

# Accumulators that captured graphs add to, tensors that the device may still read: their memory must never be reused.
_kept_for_ever: List[Any] = []


class PlimsollError(RuntimeError):
    """What went wrong, in the library's words or ours; status is its PLM_E_ number."""

    def __init__(self, status: int, text: str):
        super().__init__("%s: %s" % (_ERRORS.get(status, status), text))
        self.status = status


class FlipUnknown(PlimsollError):
    """This rank voted 2 and cannot know whether the others have flipped: it must not run another step."""


class Outcome(enum.IntEnum):
    """PLM_OUTCOME_*: what became of the gather of the boundary before."""

    RESOLVED = 0
    PENDING = 1
    TIMED_OUT = 2
    FAILED = 3
    NONE = 4


class Verdict(NamedTuple):
    """What the ranks have agreed on: level 1, start the transfers of a batch; level 2, flip it; level 0, nothing."""

    step: int
    outcome: Outcome
    epoch: int
    batch: int
    level: int


class Vote(NamedTuple):
    """This rank's vote, with the placement state that its steps ran under. incarnation None: the worker's."""

    level: int = 0
    epoch: int = 0
    batch: int = 0
    settled_version: int = 0
    batches_flipped: int = 0
    plan_hash: int = 0
    incarnation: Optional[int] = None


class RankState(NamedTuple):
    """The rank's protocol state, for the header of its heat ring."""

    settled_version: int = 0
    epoch: int = 0
    phase: int = 0
    batches_flipped: int = 0
    refusal: int = -1
    plan_hash: int = 0
    command_number: int = 0
    step: int = 0
    fatal: int = 0
    incarnation: Optional[int] = None


class Snapshot(NamedTuple):
    """Counters of the ranks from first_rank on: load [rank][layer][slot] and routed [rank][layer], flattened."""

    step: int
    captured_nanos: int
    first_rank: int
    ranks: int
    votes: Tuple[Vote, ...]
    valid: Tuple[bool, ...]
    load: array
    routed: Optional[array]


# ---- the C ABI ------------------------------------------------------------------------------------------------------

_u32, _i32, _u64, _i64, _text = ctypes.c_uint32, ctypes.c_int32, ctypes.c_uint64, ctypes.c_int64, ctypes.c_char_p
_u16, _u8, _to, _char, _any = ctypes.c_uint16, ctypes.c_uint8, ctypes.POINTER, ctypes.c_char, ctypes.c_void_p


def _struct(name: str, **fields: Any) -> Any:
    return type(name, (ctypes.Structure,), {"_fields_": list(fields.items())})


plm_probe_info = _struct("plm_probe_info", size=_u32, available=_i32, devices=_i32, reserved=_u32, library=_char * 512,
                         version=_char * 128, reason=_char * 512, degraded=_char * 1024)
plm_open_opts = _struct("plm_open_opts", size=_u32, device=_i32, flags=_u32, reserved=_u32, library_dir=_text)
plm_comm_opts = _struct("plm_comm_opts", size=_u32, transport=_u32, members=_u32, rank=_u32, group=_i64,
                        gather_bytes=_u64, staging_bytes=_u64, timeout_ms=_i64, bytes_per_second=_u64, address=_text,
                        secret_file=_text, id=_any, id_bytes=_u32, reserved=_u32)
plm_segment = _struct("plm_segment", address=_u64, kind=_u32, element_bytes=_u32, first_layer=_u32, layers=_u32)
plm_ring_opts = _struct("plm_ring_opts", size=_u32, rank=_u32, ranks=_u32, layers=_u32, slots_per_rank=_u32,
                        boundary_steps=_u32, gather=_u32, depth=_u32, flags=_u32, reserved=_u32, incarnation=_i64,
                        timeout_ms=_i64)
plm_vote = _struct("plm_vote", incarnation=_i64, settled_version=_i32, epoch=_i32, batches_flipped=_u16, batch=_u16,
                   level=_u8, flags=_u8, reserved=_u16, plan_hash=_i64)
plm_verdict = _struct("plm_verdict", size=_u32, outcome=_i32, epoch=_i32, batch=_i32, level=_i32)
plm_ring_counts = _struct("plm_ring_counts", size=_u32, gather=_u32, captured=_u64, gathered=_u64, skipped=_u64,
                          reclaimed=_u64, timed_out=_u64, alone=_u64, failed=_u64)
plm_rank_state = _struct("plm_rank_state", size=_u32, settled_version=_i32, incarnation=_i64, epoch=_i32, phase=_i32,
                         batches_flipped=_i32, refusal=_i32, plan_hash=_i64, command_number=_i64, step=_i64, fatal=_i32,
                         reserved=_i32)
plm_snapshot = _struct("plm_snapshot", size=_u32, first_rank=_u32, ranks=_u32, words_per_rank=_u32, step=_i64,
                       captured_nanos=_i64, words=_any)
STRUCTS = (plm_probe_info, plm_open_opts, plm_comm_opts, plm_segment, plm_ring_opts, plm_vote, plm_verdict,
           plm_ring_counts, plm_rank_state, plm_snapshot)

_SIGNATURES = {
    "plm_probe": (_text, _text, _to(plm_probe_info)),
    "plm_open": (_text, _to(plm_open_opts), _to(_u64)),
    "plm_close": (_u64, _i64),
    "plm_comm_id": (_u64, _any, _u32, _to(_u32)),
    "plm_comm_open": (_u64, _to(plm_comm_opts), _to(_u64)),
    "plm_comm_close": (_u64, _i64),
    "plm_comm_abort": (_u64,),
    "plm_ring_create": (_u64, _u64, _text, _text, _to(plm_ring_opts), _to(plm_segment), _u32, _to(_u64)),
    "plm_ring_rebind": (_u64, _to(plm_segment), _u32),
    "plm_ring_destroy": (_u64, _i64),
    "plm_boundary_begin": (_u64, _u64, _i64, _i64, _to(plm_verdict)),
    "plm_boundary_end": (_u64, _to(plm_vote)),
    "plm_ring_wait": (_u64, _i64, _i64),
    "plm_slot_acquire": (_u64, _to(plm_snapshot)),
    "plm_slot_release": (_u64, _i64),
    "plm_state_publish": (_u64, _to(plm_rank_state)),
    "plm_ring_stats": (_u64, _to(plm_ring_counts)),
    "plm_mailbox_open": (_text, _u32, _to(_u64)),
    "plm_mailbox_write": (_u64, _i64, _any, _u32),
    "plm_mailbox_read": (_u64, _any, _u32, _to(_u32), _to(_i64)),
    "plm_mailbox_last_position": (_u64, _to(_i64)),
    "plm_mailbox_close": (_u64,),
}


def _new(struct: Any, **values: Any) -> Any:
    """A struct with its size set. ctypes cuts off what does not fit a field, which would turn a level of 258 into 2."""
    made = struct(**values)
    for name, value in values.items():
        if isinstance(value, int) and getattr(made, name) != value:
            raise PlimsollError(PLM_E_ARG, "%s.%s cannot hold %d" % (struct.__name__, name, value))
    if struct._fields_[0][0] == "size":
        made.size = ctypes.sizeof(struct)
    return made


def _path(value: Any) -> Optional[bytes]:
    return None if value is None else os.fsencode(value)


class Library:
    """libplimsoll.so: the file that was named, else PLIMSOLL_LIBRARY, else the one beside this module."""

    def __init__(self, path: Any = None):
        beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libplimsoll.so")
        environment = os.environ.get("PLIMSOLL_LIBRARY")
        self.path = os.fspath(path or environment or beside)
        origin = "the library argument" if path else "PLIMSOLL_LIBRARY" if environment else "beside this module"
        looked = "%s (%s)" % (self.path, origin)
        if origin == "beside this module":
            looked += "; neither a library argument nor PLIMSOLL_LIBRARY names another"
        if not os.path.isfile(self.path):
            raise PlimsollError(PLM_E_UNAVAILABLE, "there is no libplimsoll.so at " + looked)
        try:
            # Not PyDLL: calls may wait, and a device runtime may call back into Python on its own threads.
            self._c = ctypes.CDLL(os.path.abspath(self.path))
            self._c.plm_abi_version.restype = _u32
            self._c.plm_last_error.restype = _text
            version = self._c.plm_abi_version()
        except (OSError, AttributeError) as error:
            raise PlimsollError(PLM_E_UNAVAILABLE, "cannot load %s: %s" % (looked, error)) from error
        if version >> 16 != ABI_MAJOR:
            raise PlimsollError(PLM_E_UNAVAILABLE, "%s has ABI %d.%d, this module needs %d: take both from one release"
                                % (looked, version >> 16, version & 0xFFFF, ABI_MAJOR))
        for name, types in _SIGNATURES.items():
            function = getattr(self._c, name)
            function.argtypes, function.restype = types, _i32

    def call(self, name: str, *arguments: Any) -> int:
        """Calls a function; its state when that is not negative, else its error as an exception."""
        status = getattr(self._c, name)(*arguments)
        if status < 0:
            raise PlimsollError(status, self._c.plm_last_error().decode("utf-8", "replace"))
        return status

    def probe(self, backend: str, library_dir: Any = None) -> Any:
        """Whether a back end can be opened here, and why not."""
        info = _new(plm_probe_info)
        self.call("plm_probe", backend.encode(), _path(library_dir), ctypes.byref(info))
        return info


class Mailbox:
    """The plan mailbox: read() in the engine, write() in its node's worker. One reader and one writer per file."""

    def __init__(self, path: Any, capacity: int = 1 << 20, library: Any = None):
        self._library = library if isinstance(library, Library) else Library(library)
        self._handle = _u64()
        self._buffer = ctypes.create_string_buffer(4096)
        self._library.call("plm_mailbox_open", _path(path), capacity, ctypes.byref(self._handle))

    def read(self) -> Optional[Tuple[int, bytes]]:
        """Takes the next record: its position and bytes, or None when there is none. Never waits."""
        length, position = _u32(), _i64()
        while True:
            state = self._library.call("plm_mailbox_read", self._handle, self._buffer, len(self._buffer),
                                       ctypes.byref(length), ctypes.byref(position))
            if state != PLM_BUSY:
                return None if state == PLM_PENDING else (position.value, self._buffer[:length.value])
            self._buffer = ctypes.create_string_buffer(length.value)

    def write(self, position: int, record: bytes) -> bool:
        """Appends a record; False when there is no room now. The position must grow."""
        return self._library.call("plm_mailbox_write", self._handle, position, record, len(record)) == PLM_OK

    def last_position(self) -> int:
        """Position of the last record written, -1 when there was none."""
        position = _i64()
        self._library.call("plm_mailbox_last_position", self._handle, ctypes.byref(position))
        return position.value

    def close(self) -> None:
        handle, self._handle = self._handle, _u64()
        if handle.value:
            self._library.call("plm_mailbox_close", handle)


# ---- counters -------------------------------------------------------------------------------------------------------


class _View(NamedTuple):
    """Where a tensor is and how it looks; owner keeps it there."""

    owner: Any
    address: int
    element_bytes: int
    dtype: str
    shape: Tuple[int, ...]
    contiguous: bool
    device: str
    index: Optional[int]


def _look_at(tensor: Any, what: str) -> _View:
    if hasattr(tensor, "data_ptr"):
        return _View(tensor, tensor.data_ptr(), tensor.element_size(), str(tensor.dtype).split(".")[-1],
                     tuple(tensor.shape), tensor.is_contiguous(), tensor.device.type, tensor.device.index)
    if hasattr(tensor, "__array_interface__"):
        return _View(tensor, tensor.__array_interface__["data"][0], tensor.itemsize, str(tensor.dtype),
                     tuple(tensor.shape), bool(tensor.flags.c_contiguous), "cpu", None)
    try:
        memory = memoryview(tensor)
        owner = (_char * memory.nbytes).from_buffer(memory)  # as long as it lives, the buffer cannot be resized
    except (TypeError, ValueError, BufferError) as error:
        raise PlimsollError(PLM_E_ARG, "%s is a %s, which is no tensor and no writable buffer: %s"
                            % (what, type(tensor).__name__, error)) from error
    kind = memory.format.lstrip("@=<")
    dtype = ("int%d" if kind in "ilq" else "uint%d" if kind in "ILQ" else kind + "%d") % (8 * memory.itemsize)
    return _View(owner, ctypes.addressof(owner), memory.itemsize, dtype, memory.shape, memory.c_contiguous, "cpu", None)


class _Counters:
    """One kind of counters: the engine's own where they only grow, else accumulators of ours that they are added to."""

    def __init__(self, worker: "Worker", kind: int, tensors: Any, zeroed: bool):
        self.kind, self.zeroed = kind, zeroed
        self.name = "load" if kind == PLM_SEGMENT_LOAD else "routed"
        self._row = (worker.slots_per_rank,) if kind == PLM_SEGMENT_LOAD else ()
        self._all = (worker.layers,) + self._row
        self._device = (_DEVICES[worker.backend], worker.device)
        pieces = self._pieces(tensors)
        self.sums: List[Tuple[Any, Any]] = []  # an accumulator, and what is added to it or gives that
        if zeroed:
            total, _ = _zeros_like(pieces[0][2].owner, self._all, "int64", self.name)
            self.sums = self._pair(total, tensors, pieces)
            pieces = [(0, worker.layers, self._check(total, self._all, "the accumulator"))]
        self.pieces = pieces

    def rebind(self, tensors: Any) -> None:
        """Other tensors of the same shape. Where the engine zeroes them, the accumulators and their totals stay."""
        pieces = self._pieces(tensors)
        if self.zeroed:
            self.sums = self._pair(self.pieces[0][2].owner, tensors, pieces)
        else:
            self.pieces = pieces

    def segments(self) -> List[Any]:
        return [_new(plm_segment, address=view.address, kind=self.kind, element_bytes=view.element_bytes,
                     first_layer=first, layers=layers) for first, layers, view in self.pieces]

    def accumulate(self) -> None:
        for accumulator, source in self.sums:
            if callable(source):
                source = source()
                if tuple(source.shape) != tuple(accumulator.shape):  # adding would broadcast it
                    raise PlimsollError(PLM_E_ARG, "the %s counters were given with shape %s, and have shape %s now"
                                        % (self.name, tuple(accumulator.shape), tuple(source.shape)))
            operator.iadd(accumulator, source)

    def _pieces(self, tensors: Any) -> List[Tuple[int, int, _View]]:
        if callable(tensors):
            if not self.zeroed:
                raise PlimsollError(PLM_E_ARG, "a function can give %s counters that are zeroed each step only: "
                                    "those that grow are read at their address" % self.name)
            tensors = tensors()
        if not isinstance(tensors, (list, tuple, Mapping)):
            return [(0, self._all[0], self._check(tensors, self._all, "the %s counters" % self.name))]
        layers = dict(tensors) if isinstance(tensors, Mapping) else dict(enumerate(tensors))
        if sorted(layers) != list(range(self._all[0])):
            missing = sorted(set(range(self._all[0])) - set(layers))
            extra = sorted(set(layers) - set(range(self._all[0])), key=str)
            raise PlimsollError(PLM_E_ARG, "the %s counters must cover MoE layers 0 to %d, each once: %s missing, %s "
                                "too many" % (self.name, self._all[0] - 1, missing, extra))
        return [(layer, 1, self._check(layers[layer], self._row, "layer %d of the %s counters" % (layer, self.name)))
                for layer in sorted(layers)]

    def _pair(self, total: Any, tensors: Any, pieces: List[Tuple[int, int, _View]]) -> List[Tuple[Any, Any]]:
        if not isinstance(tensors, (list, tuple, Mapping)):
            return [(total, tensors)]
        # Brought together first: two operations in place of one for each layer.
        layers = [view.owner for _, _, view in pieces]
        shape = self._all[:1] + tuple(layers[0].shape)
        together, module = _zeros_like(layers[0], shape, pieces[0][2].dtype, self.name)
        return [(total.reshape(shape), lambda: module.stack(layers, out=together))]

    def _check(self, tensor: Any, shape: Tuple[int, ...], what: str) -> _View:
        view = _look_at(tensor, what)
        count = functools.reduce(operator.mul, shape, 1)
        flat = view.owner is not tensor or not shape  # buffers have one dimension; a layer's routed counter may be [1]
        if view.shape != shape and not (flat and view.shape == (count,)):
            raise PlimsollError(PLM_E_ARG, "%s have shape %s where %s is needed" % (what, view.shape, shape))
        if view.dtype not in ("int32", "int64", "uint32", "uint64"):
            raise PlimsollError(PLM_E_ARG, "%s are of type %s: int32 and int64 are possible" % (what, view.dtype))
        if not view.contiguous and not self.zeroed:
            raise PlimsollError(PLM_E_ARG, "%s are not contiguous, so they cannot be copied from one address: attach "
                                "the tensor that the engine adds to, not a slice or transpose of it" % what)
        if view.device != self._device[0] or (view.device != "cpu" and view.index not in (None, self._device[1])):
            raise PlimsollError(PLM_E_ARG, "%s are on device %s:%s, the back end reads %s:%s"
                                % ((what, view.device, view.index) + self._device))
        if view.address == 0:
            raise PlimsollError(PLM_E_ARG, "%s have no memory: are they asleep, or on the meta device?" % what)
        return view


def _zeros_like(tensor: Any, shape: Tuple[int, ...], dtype: str, name: str) -> Tuple[Any, Any]:
    """A tensor of the same library on the same device, and the library."""
    roots = {of.__module__.split(".")[0] for of in type(tensor).__mro__}
    if "torch" in roots:
        torch = importlib.import_module("torch")
        # An inference tensor could not be added to outside inference mode; a normal one can be everywhere.
        with torch.inference_mode(False):
            return torch.zeros(shape, dtype=getattr(torch, dtype), device=tensor.device), torch
    if "numpy" in roots:
        numpy = importlib.import_module("numpy")
        return numpy.zeros(shape, dtype=dtype), numpy
    raise PlimsollError(PLM_E_ARG, "%s counters that are zeroed each step must be tensors of torch or numpy, to be "
                        "added up" % name)


# ---- the worker -----------------------------------------------------------------------------------------------------


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    """With on_error "disable" a failure switches the worker off, unless a vote of 2 makes that unsafe."""

    @functools.wraps(method)
    def call(self: "Worker", *arguments: Any, **named: Any) -> Any:
        if self.disabled is not None:
            return None
        try:
            return method(self, *arguments, **named)
        except Exception as error:
            if self.on_error != "disable" or self._last_level == 2 or isinstance(error, FlipUnknown):
                raise
            self._disable(error)
            return None

    return call


class Worker:
    """One rank's heat ring. All but close() and snapshot() belong to the engine's dispatch thread."""

    def __init__(self, *, deployment: str, incarnation: int, rank: int, ranks: int, layers: int, slots_per_rank: int,
                 ring: Any = None, boundary_steps: int = 16, backend: str = "host", device: int = 0,
                 library: Any = None, library_dir: Any = None, stream: Optional[Callable[[], int]] = None,
                 gather: str = "none", segment: Any = None, tcp: Optional[str] = None, secret_file: Any = None,
                 staging_bytes: int = 0, depth: int = 0, timeout_ms: int = 30_000, flip_timeout_ms: int = 5_000,
                 settled_version: int = 0, on_boundary: Optional[Callable[[Verdict], Optional[Vote]]] = None, 
                 accumulate_in_graph: bool = False, mailbox: Any = None, mailbox_bytes: int = 1 << 20,
                 on_error: Optional[str] = None):
        for what, value, known in (("backend", backend, _DEVICES), ("gather", gather, _GATHERS),
                                   ("on_error", on_error, ("raise", "disable", None))):
            if value not in known:
                raise ValueError("%s=%r is not one of %s" % (what, value, ", ".join(map(str, known))))
        if (gather == "host") != (segment is not None or tcp is not None) or (segment is not None and tcp is not None):
            raise ValueError("gather='host' goes with exactly one of segment= and tcp=, other modes with neither")
        if (tcp is None) != (secret_file is None):
            raise ValueError("tcp= and secret_file= go together")
        if stream is None and backend != "host":
            raise ValueError("backend=%r needs stream=, a function that gives the engine's current stream handle, such "
                             "as lambda: torch.cuda.current_stream().cuda_stream" % backend)
        self.deployment, self.incarnation, self.rank, self.ranks = deployment, incarnation, rank, ranks
        self.layers, self.slots_per_rank, self.boundary_steps = layers, slots_per_rank, boundary_steps
        self.backend, self.device, self.gather = backend, device, gather
        self.on_error = on_error or ("disable" if gather == "none" else "raise")
        self.idle_vote = Vote(settled_version=settled_version)  # cast where no other is given
        self.disabled: Optional[Exception] = None
        self.mailbox: Optional[Mailbox] = None
        self._ring_path, self._segment, self._tcp, self._secret_file = ring, segment, tcp, secret_file
        self._staging_bytes, self._depth, self._timeout_ms, self._flip_timeout_ms = (staging_bytes, depth, timeout_ms,
                                                                                     flip_timeout_ms)
        self._stream = stream or (lambda: 0)
        self._on_boundary, self._in_graph = on_boundary, accumulate_in_graph
        self._counters: List[Optional[_Counters]] = [None, None]  # by PLM_SEGMENT_*
        self._retired: List[Any] = []
        self._runtime, self._comm, self._ring = _u64(), _u64(), _u64()
        self._verdict = _new(plm_verdict)
        self._thread: Optional[int] = None
        self._step: Optional[int] = None
        self._last_level = 0
        self._disable_ms = 1_000  # that a failing device may cost the engine
        self._flip_unknown = self._closed = self._told_of_loss = False
        self._pid = os.getpid()
        self._library: Any = None
        self._open(library, library_dir, mailbox, mailbox_bytes)

    @_guarded
    def _open(self, library: Any, library_dir: Any, mailbox: Any, mailbox_bytes: int) -> None:
        self._library = library if isinstance(library, Library) else Library(library)
        # The engine has initialised its device and will end it: that is not for us to do.
        flags = 0 if self.backend == "host" else PLM_OPEN_ATTACH
        opts = _new(plm_open_opts, device=self.device, flags=flags, library_dir=_path(library_dir))
        self._call("plm_open", self.backend.encode(), ctypes.byref(opts), ctypes.byref(self._runtime))
        atexit.register(self.close)  # runs before what was registered earlier, so before torch goes
        if mailbox is not None:
            self.mailbox = Mailbox(mailbox, mailbox_bytes, self._library)

    @_guarded
    def attach_load(self, tensors: Any, zeroed_each_step: bool = False) -> None:
        """Tokens computed by each local slot: a tensor [layers, slots], or a list or dict of one [slots] per layer."""
        self._attach(PLM_SEGMENT_LOAD, tensors, zeroed_each_step)

    @_guarded
    def attach_routed(self, tensors: Any, zeroed_each_step: bool = False) -> None:
        """Assignments (tokens x top-k) made by this rank's router: a tensor [layers], or a scalar or [1] per layer."""
        self._attach(PLM_SEGMENT_ROUTED, tensors, zeroed_each_step)

    def _attach(self, kind: int, tensors: Any, zeroed: bool) -> None:
        self._require_open()
        if self._ring:
            raise PlimsollError(PLM_E_STATE, "the worker has started: attach before that, afterwards use rebind()")
        counters = _Counters(self, kind, tensors, zeroed)
        if zeroed and self._in_graph:
            # A captured graph goes on writing to it, also when this worker is gone.
            _kept_for_ever.append(counters.pieces[0][2].owner)
        self._counters[kind] = counters

    def comm_id(self) -> bytes:
        """gather="device": the id of a new communicator, made by one rank and brought to all, for start()."""
        buffer, length = ctypes.create_string_buffer(8192), _u32()
        self._call("plm_comm_id", self._runtime, buffer, len(buffer), ctypes.byref(length))
        return buffer[:length.value]

    @_guarded
    def start(self, comm_id: Optional[bytes] = None) -> None:
        """Joins the group and creates the ring and its file. Waits for nobody, except with gather="device"."""
        self._require_open()
        if self._ring:
            raise PlimsollError(PLM_E_STATE, "the worker has started before")
        if self._counters[PLM_SEGMENT_LOAD] is None:
            raise PlimsollError(PLM_E_STATE, "no counters: call attach_load() first")
        if (comm_id is None) == (self.gather == "device"):
            raise PlimsollError(PLM_E_ARG, "start(comm_id) is needed with gather='device', and only there")
        if self.gather != "none" and not self._comm:
            transport = (PLM_TRANSPORT_NODE if self._segment is not None else
                         PLM_TRANSPORT_TCP if self._tcp is not None else PLM_TRANSPORT_DEVICE)
            address = _path(self._segment) if self._segment is not None else self._tcp and self._tcp.encode()
            identity = comm_id or b""
            opts = _new(plm_comm_opts, transport=transport, members=self.ranks, rank=self.rank, group=self.incarnation,
                        gather_bytes=ctypes.sizeof(plm_vote) + 8 * self.layers * (self.slots_per_rank + 1),
                        staging_bytes=self._staging_bytes, timeout_ms=self._timeout_ms, address=address,
                        secret_file=_path(self._secret_file), id=ctypes.cast(identity, _any) if identity else None,
                        id_bytes=len(identity))
            self._call("plm_comm_open", self._runtime, ctypes.byref(opts), ctypes.byref(self._comm))
        opts = _new(plm_ring_opts, rank=self.rank, ranks=self.ranks, layers=self.layers, depth=self._depth,
                    slots_per_rank=self.slots_per_rank, boundary_steps=self.boundary_steps,
                    gather=_GATHERS[self.gather], incarnation=self.incarnation, timeout_ms=self._timeout_ms)
        segments = self._segments()
        self._call("plm_ring_create", self._runtime, self._comm, _path(self._ring_path), self.deployment.encode(),
                   ctypes.byref(opts), segments, len(segments), ctypes.byref(self._ring))

    @_guarded
    def rebind(self, load: Any = None, routed: Any = None) -> None:
        """Other tensors of the same shape from the next step on, for example after the engine slept and woke."""
        for kind, tensors in ((PLM_SEGMENT_LOAD, load), (PLM_SEGMENT_ROUTED, routed)):
            counters = self._counters[kind]
            if tensors is not None:
                if counters is None:
                    raise PlimsollError(PLM_E_STATE, "no such counters were attached before the start")
                self._retired.append((counters.pieces, counters.sums))  # the device may be copying from them
                counters.rebind(tensors)
        if self._ring:
            segments = self._segments()
            self._call("plm_ring_rebind", self._ring, segments, len(segments))

    @_guarded
    def accumulate(self) -> None:
        """Adds zeroed-each-step counters to ours; step_end() does so too, unless accumulate_in_graph."""
        self._accumulate()

    def _accumulate(self) -> None:
        for counters in self._counters:
            if counters is not None and counters.sums:
                counters.accumulate()

    def step_end(self, step: Optional[int] = None) -> Optional[Verdict]:
        """After every forward pass, dummy passes too. At a boundary asks on_boundary for a vote; gives the verdict."""
        verdict = self.begin(step)
        if verdict is None:
            return None
        vote = None
        try:
            if self._on_boundary is not None:
                vote = self._on_boundary(verdict)
        finally:
            self.end(vote)  # also when on_boundary failed: a boundary that stays open would hold up the whole group
        return verdict

    @_guarded
    def begin(self, step: Optional[int] = None) -> Optional[Verdict]:
        """The first half of step_end(): None, or at a boundary a verdict, after which end() has to be called."""
        if self._flip_unknown:
            self._raise_flip_unknown()
        if not self._ring:
            self.start()
            if self.disabled is not None:
                return None
        if self._thread is not None and threading.get_ident() != self._thread:
            # Before anything is added to an accumulator. The library refuses this one, in its own words.
            self._call("plm_boundary_end", self._ring, ctypes.byref(self._c_vote(self.idle_vote)))
        if step is None:
            step = 1 if self._step is None else self._step + 1
        elif self._step is not None and step != self._step + 1:
            raise PlimsollError(PLM_E_ARG, "step %d follows step %d: tell every pass, dummy passes too, once each"
                                % (step, self._step))
        if not self._in_graph:
            self._accumulate()
        self._step = step
        if step % self.boundary_steps != 0:
            return None
        stream = self._stream()  # anew each time: frameworks queue work behind it, and reading it submits that
        try:
            self._call("plm_boundary_begin", self._ring, stream, step, self._flip_timeout_ms,
                       ctypes.byref(self._verdict))
        except PlimsollError as error:
            # Unless it was refused at once, the verdict on the last vote went with it.
            if self._last_level == 2 and error.status not in (PLM_E_ARG, PLM_E_STATE):
                self._flip_unknown = True
                self._raise_flip_unknown(error)
            raise
        self._thread = threading.get_ident()
        self._retired.clear()  # the stream has gone on to the new ones
        verdict = Verdict(step, Outcome(self._verdict.outcome), self._verdict.epoch, self._verdict.batch,
                          self._verdict.level)
        self._flip_unknown = verdict.outcome == Outcome.TIMED_OUT and self._last_level == 2
        if verdict.outcome in (Outcome.TIMED_OUT, Outcome.FAILED) and not self._told_of_loss:
            self._told_of_loss = True
            logger.warning("rank %d lost its group before step %d (%s): from here on it publishes alone and cannot "
                           "vote", self.rank, step, verdict.outcome.name)
        return verdict

    @_guarded
    def end(self, vote: Optional[Vote] = None) -> None:
        """Ends the boundary that begin() opened with a vote; None: idle_vote. Never waits."""
        try:
            self._call("plm_boundary_end", self._ring, ctypes.byref(self._c_vote(vote or self.idle_vote)))
            self._last_level = vote.level if vote is not None else 0
        except (PlimsollError, TypeError) as error:
            if vote is not None and getattr(error, "status", PLM_E_ARG) == PLM_E_ARG:
                # The vote was refused and the boundary is still open: end it without, for the others' sake.
                self._call("plm_boundary_end", self._ring, ctypes.byref(self._c_vote(self.idle_vote)))
                self._last_level = 0
            raise
        if self._flip_unknown:
            self._raise_flip_unknown()

    @_guarded
    def publish_state(self, state: RankState) -> None:
        """Writes the rank's protocol state into the header of its heat ring."""
        values = state._asdict()
        values["incarnation"] = self.incarnation if state.incarnation is None else state.incarnation
        self._call("plm_state_publish", self._ring, ctypes.byref(_new(plm_rank_state, **values)))

    @_guarded
    def read_plan(self) -> Optional[Tuple[int, bytes]]:
        """The next record of the plan mailbox as (position, bytes), or None."""
        if self.mailbox is None:
            raise PlimsollError(PLM_E_STATE, "the worker was made without mailbox=")
        return self.mailbox.read()

    def wait(self, step: int, timeout_ms: int) -> None:
        """Waits until the boundary at step is published; raises what it ended with. For tests and shutdown."""
        if self.disabled is None:
            self._call("plm_ring_wait", self._ring, step, timeout_ms)

    def snapshot(self) -> Optional[Snapshot]:
        """A copy of the newest complete snapshot that nobody has taken, or None. Any thread."""
        if self.disabled is not None:
            return None
        found = _new(plm_snapshot)
        if self._call("plm_slot_acquire", self._ring, ctypes.byref(found)) == PLM_PENDING:
            return None
        size = 8 * found.words_per_rank
        raw = [ctypes.string_at(found.words + rank * size, size) for rank in range(found.ranks)]
        self._call("plm_slot_release", self._ring, found.step)
        votes = [plm_vote.from_buffer_copy(row) for row in raw]
        loads = ctypes.sizeof(plm_vote) + 8 * self.layers * self.slots_per_rank
        known = self._counters[PLM_SEGMENT_ROUTED] is not None
        return Snapshot(
            found.step, found.captured_nanos, found.first_rank, found.ranks,
            tuple(Vote(*(getattr(vote, field) for field in Vote._fields)) for vote in votes),
            tuple(bool(vote.flags & PLM_VOTE_HEAT_VALID) for vote in votes),
            array("q", b"".join(row[ctypes.sizeof(plm_vote):loads] for row in raw)),
            array("q", b"".join(row[loads:] for row in raw)) if known else None)

    def stats(self) -> dict:
        """What the ring has counted, by the names in plm_ring_counts."""
        counts = _new(plm_ring_counts)
        self._call("plm_ring_stats", self._ring, ctypes.byref(counts))
        return {name: getattr(counts, name) for name, _ in plm_ring_counts._fields_ if name != "size"}

    def close(self, timeout_ms: int = 5_000) -> None:
        """Ends the ring, marks its file as closed, lets go of the tensors. May be called again, also after an error."""
        self._closed = True
        if os.getpid() != self._pid:
            return  # a forked child has a copy of this object, but none of the library's threads
        # In this order: each was made from the next. One that fails is still there, with its tensors, for another try.
        for name, handle in (("plm_ring_destroy", self._ring), ("plm_comm_close", self._comm)):
            if handle:
                self._library.call(name, handle, timeout_ms)
                handle.value = 0
        if self.mailbox is not None:
            self.mailbox.close()
        if self._runtime:
            self._library.call("plm_close", self._runtime, timeout_ms)
            self._runtime.value = 0
        self._counters = [None, None]
        self._retired.clear()
        atexit.unregister(self.close)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _require_open(self) -> None:
        if self._closed:
            raise PlimsollError(PLM_E_STATE, "the worker of rank %d is closed" % self.rank)

    def _call(self, name: str, *arguments: Any) -> int:
        self._require_open()
        return self._library.call(name, *arguments)

    def _c_vote(self, vote: Vote) -> Any:
        values = vote._asdict()
        values["incarnation"] = self.incarnation if vote.incarnation is None else vote.incarnation
        return _new(plm_vote, **values)

    def _segments(self) -> Any:
        made = [segment for counters in self._counters if counters is not None for segment in counters.segments()]
        return (plm_segment * len(made))(*made)

    def _raise_flip_unknown(self, cause: Optional[Exception] = None) -> None:
        raise FlipUnknown(PLM_E_TIMEOUT, "rank %d voted 2 and its gather did not end in time: others may have flipped. "
                          "Run no further step, and leave the group" % self.rank) from cause

    def _disable(self, error: Exception) -> None:
        logger.error("expert load of rank %d is no longer captured, the engine goes on: %s", self.rank, error,
                     exc_info=not isinstance(error, PlimsollError))
        self.disabled = error
        try:
            if self._comm:
                self._library.call("plm_comm_abort", self._comm)  # so that neither we nor the others wait
            self.close(self._disable_ms)
        except PlimsollError as late:
            _kept_for_ever.append(self)
            logger.warning("rank %d: not all could be closed, and stays until the process ends: %s", self.rank, late)


# ---- for operators --------------------------------------------------------------------------------------------------


def self_check(library: Any = None) -> str:
    """Takes three snapshots with the host back end into a ring in a temporary directory; raises what goes wrong."""
    loaded = Library(library)
    for backend in _DEVICES:
        info = loaded.probe(backend)
        print("%s: %s" % (backend, ("available, " + (info.version or info.library).decode()) if info.available
                          else "not available: " + info.reason.decode()))
    counters = memoryview(bytearray(8 * 6)).cast("q")
    with tempfile.TemporaryDirectory() as directory:
        ring = os.path.join(directory, "ring-0")
        with Worker(deployment="self-check", incarnation=1, rank=0, ranks=1, layers=2, slots_per_rank=3, ring=ring,
                    boundary_steps=4, library=loaded, on_error="raise") as worker:
            worker.attach_load(counters)
            worker.start()
            for step in range(1, 13):
                for i in range(6):
                    counters[i] += i
                if worker.step_end(step) is not None:
                    worker.wait(step, 10_000)
            snapshot = worker.snapshot()
            expected = array("q", (12 * i for i in range(6)))
            if snapshot is None or snapshot.load != expected:
                raise PlimsollError(PLM_E_STATE, "expected %s at step 12, captured %s" % (expected, snapshot))
            size = os.path.getsize(ring)
    return "OK: 3 snapshots with exact counters through %s, a ring of %d bytes" % (loaded.path, size)


def main() -> int:
    parser = argparse.ArgumentParser(prog="plimsoll_worker", description="Checks that libplimsoll.so works here.")
    parser.add_argument("--self-check", action="store_true", required=True)
    parser.add_argument("--library", help="libplimsoll.so; else PLIMSOLL_LIBRARY, else the one beside this module")
    try:
        print(self_check(parser.parse_args().library))
        return 0
    except PlimsollError as error:
        print("FAILED: %s" % error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
