"""The part of plimsoll.h that plimsoll_worker.py uses, for ctypes. The tests compare it with the header."""
import ctypes
import os

ABI_MAJOR, ABI_MINOR = 2, 1

PLM_OK, PLM_PENDING, PLM_BUSY = 0, 1, 2
PLM_E_ARG, PLM_E_UNAVAILABLE, PLM_E_DEVICE, PLM_E_TIMEOUT, PLM_E_STATE, PLM_E_NOMEM, PLM_E_ABORTED = range(-1, -8, -1)
PLM_OPEN_ATTACH = 1
PLM_TRANSPORT_NODE, PLM_TRANSPORT_TCP, PLM_TRANSPORT_DEVICE = 0, 1, 2
PLM_SEGMENT_LOAD, PLM_SEGMENT_ROUTED, PLM_SEGMENT_ROUTED_TO, PLM_SEGMENT_REPLICATED = 0, 1, 2, 3
PLM_GATHER_NONE, PLM_GATHER_HOST, PLM_GATHER_DEVICE = 0, 1, 2

_ERRORS = {-1: "ARG", -2: "UNAVAILABLE", -3: "DEVICE", -4: "TIMEOUT", -5: "STATE", -6: "NOMEM", -7: "ABORTED"}
_u8, _u16, _u32, _u64 = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_uint64
_i32, _i64, _text, _any, _to = ctypes.c_int32, ctypes.c_int64, ctypes.c_char_p, ctypes.c_void_p, ctypes.POINTER


class PlimsollError(RuntimeError):
    """What went wrong, in the library's words or ours; status is its PLM_E_ number."""

    def __init__(self, status: int, text: str):
        super().__init__("%s: %s" % (_ERRORS.get(status, status), text))
        self.status = status


def _struct(name, **fields):
    return type(name, (ctypes.Structure,), {"_fields_": list(fields.items())})


plm_probe_info = _struct("plm_probe_info", size=_u32, available=_i32, devices=_i32, reserved=_u32,
                         library=ctypes.c_char * 512, version=ctypes.c_char * 128, reason=ctypes.c_char * 512,
                         degraded=ctypes.c_char * 1024)
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
plm_rank_state = _struct("plm_rank_state", size=_u32, settled_version=_i32, incarnation=_i64, epoch=_i32, phase=_i32,
                         batches_flipped=_i32, refusal=_i32, plan_hash=_i64, command_number=_i64, step=_i64, fatal=_i32,
                         reserved=_i32)
plm_flip_cost = _struct("plm_flip_cost", size=_u32, epoch=_i32, batch=_i32, reserved=_u32, received_bytes=_i64,
                        transfer_nanos=_i64, flip_nanos=_i64)
plm_snapshot = _struct("plm_snapshot", size=_u32, first_rank=_u32, ranks=_u32, words_per_rank=_u32, step=_i64,
                       captured_nanos=_i64, words=_to(_i64), resets=_i64)
STRUCTS = (plm_probe_info, plm_open_opts, plm_comm_opts, plm_segment, plm_ring_opts, plm_vote, plm_verdict,
           plm_rank_state, plm_flip_cost, plm_snapshot)

SIGNATURES = {
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
    "plm_ring_idle": (_u64, _i64),
    "plm_ring_clock": (_u64, _i64, _i64),
    "plm_state_publish": (_u64, _to(plm_rank_state)),
    "plm_flip_publish": (_u64, _to(plm_flip_cost)),
    "plm_mailbox_open": (_text, _u32, _to(_u64)),
    "plm_mailbox_read": (_u64, _any, _u32, _to(_u32), _to(_i64)),
    "plm_mailbox_close": (_u64,),
}


def new(struct, **values):
    """A struct with its size set. ctypes cuts off what does not fit a field, which would turn a level of 258 into 2."""
    fields = dict(struct._fields_)
    for name in values:
        if name not in fields:
            raise PlimsollError(PLM_E_ARG, "%s has no %s" % (struct.__name__, name))
    made = struct(**values)
    for name, value in values.items():
        if isinstance(value, int) and getattr(made, name) != value:
            raise PlimsollError(PLM_E_ARG, "%s.%s cannot hold %d" % (struct.__name__, name, value))
    if "size" in fields:
        made.size = ctypes.sizeof(struct)
    return made


class Library:
    """libplimsoll.so: the file that was named, else PLIMSOLL_LIBRARY, else the one beside this module."""

    def __init__(self, path=None):
        environment = os.environ.get("PLIMSOLL_LIBRARY")
        beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libplimsoll.so")
        self.path = os.path.abspath(path or environment or beside)
        origin = "the library argument" if path else "PLIMSOLL_LIBRARY" if environment else "beside plimsoll_abi.py"
        looked = "%s (%s)" % (self.path, origin)
        if not os.path.isfile(self.path):
            raise PlimsollError(PLM_E_UNAVAILABLE, "there is no libplimsoll.so at " + looked)
        try:
            # Not PyDLL: calls may wait, and a device runtime may call back into Python on its own threads.
            self._c = ctypes.CDLL(self.path)
            self._c.plm_abi_version.restype = _u32
            self._c.plm_last_error.restype = _text
            version = self._c.plm_abi_version()
        except (OSError, AttributeError) as error:
            raise PlimsollError(PLM_E_UNAVAILABLE, "cannot load %s: %s" % (looked, error)) from error
        if version >> 16 != ABI_MAJOR or version & 0xFFFF < ABI_MINOR:
            raise PlimsollError(PLM_E_UNAVAILABLE, "%s has ABI %d.%d, this module needs %d.%d: take both from one release"
                                % (looked, version >> 16, version & 0xFFFF, ABI_MAJOR, ABI_MINOR))
        for name, types in SIGNATURES.items():
            function = getattr(self._c, name)
            function.argtypes, function.restype = types, _i32

    def call(self, name: str, *arguments) -> int:
        """Calls a function; gives its state when that is not negative, else raises its error."""
        status = getattr(self._c, name)(*arguments)
        if status < 0:
            raise PlimsollError(status, self._c.plm_last_error().decode("utf-8", "replace"))
        return status
