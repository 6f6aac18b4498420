"""What of plimsoll.h an engine in Python needs, for ctypes, by the same names. The tests compare it with the header."""
import ctypes
import os

ABI_MAJOR, ABI_MINOR = 3, 2
LEAST_MINOR = 2  # the first that has all functions below

PLM_OK, PLM_PENDING, PLM_BUSY = 0, 1, 2
(PLM_E_ARG, PLM_E_UNAVAILABLE, PLM_E_DEVICE, PLM_E_TIMEOUT, PLM_E_STATE, PLM_E_NOMEM, PLM_E_ABORTED, PLM_E_DIFFERS,
 PLM_E_UNDECIDED) = range(-1, -10, -1)
PLM_OPEN_ATTACH = 1
PLM_TRANSPORT_NODE, PLM_TRANSPORT_TCP, PLM_TRANSPORT_DEVICE, PLM_TRANSPORT_NODES = 0, 1, 2, 3
PLM_SEGMENT_LOAD, PLM_SEGMENT_ROUTED, PLM_SEGMENT_ROUTED_TO, PLM_SEGMENT_REPLICATED = 0, 1, 2, 3
PLM_GATHER_NONE, PLM_GATHER_HOST, PLM_GATHER_DEVICE = 0, 1, 2
PLM_VOTE_HEAT_VALID, PLM_VOTE_MIXED = 1, 2
(PLM_OUTCOME_RESOLVED, PLM_OUTCOME_PENDING, PLM_OUTCOME_TIMED_OUT, PLM_OUTCOME_FAILED, PLM_OUTCOME_NONE,
 PLM_OUTCOME_UNDECIDED) = range(6)
PLM_STATE_DEAF, PLM_STATE_OBSERVES, PLM_STATE_CHANGED = 1, 2, 4
(PLM_PHASE_SERVING, PLM_PHASE_REFUSED, PLM_PHASE_ACCEPTED, PLM_PHASE_WILLING, PLM_PHASE_TRANSFERRING, PLM_PHASE_READY,
 PLM_PHASE_DONE, PLM_PHASE_ABORTING, PLM_PHASE_ABORTED, PLM_PHASE_FATAL, PLM_PHASE_MOVING) = range(11)
(PLM_REFUSAL_NONE, PLM_REFUSAL_STALE_BASE, PLM_REFUSAL_FOREIGN_INCARNATION, PLM_REFUSAL_INVALID_PLAN,
 PLM_REFUSAL_NO_MEMORY, PLM_REFUSAL_BUSY, PLM_REFUSAL_HASH_MISMATCH, PLM_REFUSAL_OBSERVE_ONLY,
 PLM_REFUSAL_TRANSFER_FAILED, PLM_REFUSAL_DEAF, PLM_REFUSAL_BEHIND, PLM_REFUSAL_ENGINE_CHANGED) = range(-1, 11)
(PLM_ORDER_TERM, PLM_ORDER_PROPOSE, PLM_ORDER_PERMIT, PLM_ORDER_ABORT, PLM_ORDER_SETTLED, PLM_ORDER_VOID) = range(6)
PLM_ORDER_AGAIN = 1
PLM_RANK_OBSERVES, PLM_RANK_ENGINE_MOVES = 1, 2
(PLM_EVENT_VERDICT, PLM_EVENT_ORDER, PLM_EVENT_TRANSFER_ENDED, PLM_EVENT_STAGING_FREED, PLM_EVENT_VOTED,
 PLM_EVENT_FLIP_FAILED, PLM_EVENT_DEAF, PLM_EVENT_ENGINE_BUSY, PLM_EVENT_MOVED, PLM_EVENT_CHANGED, PLM_EVENT_RELOAD,
 PLM_EVENT_RELOADED) = range(12)
PLM_MAP_OTHER, PLM_MAP_TARGET, PLM_MAP_BASE = 0, 1, 2
PLM_RELOAD_NONE, PLM_RELOAD_ASKED, PLM_RELOAD_UNDER_WAY, PLM_RELOAD_LATE = range(4)
(PLM_EFFECT_START_TRANSFERS, PLM_EFFECT_FLIP, PLM_EFFECT_FREE_STAGING, PLM_EFFECT_CANCEL_TRANSFERS,
 PLM_EFFECT_ABANDON_GROUP, PLM_EFFECT_LEAVE_GROUP, PLM_EFFECT_REFUSED, PLM_EFFECT_IGNORED,
 PLM_EFFECT_MOVE) = range(1, 10)
(PLM_IGNORED_DUPLICATE, PLM_IGNORED_OLD_TERM, PLM_IGNORED_FOREIGN_INCARNATION, PLM_IGNORED_OLD_EPOCH,
 PLM_IGNORED_OUT_OF_PLACE, PLM_IGNORED_FATAL) = range(6)
PLM_MOST_EFFECTS = 8
(PLM_NOTE_TRANSFERS_STARTED, PLM_NOTE_TRANSFER_FAILED, PLM_NOTE_FLIPPED, PLM_NOTE_REFUSED, PLM_NOTE_IGNORED,
 PLM_NOTE_UNREADABLE, PLM_NOTE_UNTIMED, PLM_NOTE_GROUP_ABANDONED, PLM_NOTE_FATAL, PLM_NOTE_MOVE) = range(10)

_ERRORS = {-1: "ARG", -2: "UNAVAILABLE", -3: "DEVICE", -4: "TIMEOUT", -5: "STATE", -6: "NOMEM", -7: "ABORTED",
           -8: "DIFFERS", -9: "UNDECIDED"}
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
                        secret_file=_text, id=_any, id_bytes=_u32, reserved=_u32, node_of_rank=_to(_u32),
                        segment=_text)
plm_segment = _struct("plm_segment", address=_u64, kind=_u32, element_bytes=_u32, first_layer=_u32, layers=_u32)
plm_ring_opts = _struct("plm_ring_opts", size=_u32, rank=_u32, ranks=_u32, layers=_u32, slots_per_rank=_u32,
                        boundary_steps=_u32, gather=_u32, depth=_u32, flags=_u32, reserved=_u32, incarnation=_i64,
                        timeout_ms=_i64)
plm_vote = _struct("plm_vote", incarnation=_i64, settled_version=_i32, epoch=_i32, batches_flipped=_u16, batch=_u16,
                   level=_u8, flags=_u8, reserved=_u16, plan_hash=_i64)
plm_verdict = _struct("plm_verdict", size=_u32, outcome=_i32, epoch=_i32, batch=_i32, level=_i32)
plm_rank_state = _struct("plm_rank_state", size=_u32, settled_version=_i32, incarnation=_i64, epoch=_i32, phase=_i32,
                         batches_flipped=_i32, refusal=_i32, plan_hash=_i64, command_number=_i64, step=_i64, fatal=_i32,
                         refused_epoch=_i32, refused_hash=_i64, refused_stopped=_i32, flags=_u32, refused_peer=_i32,
                         reserved=_u32)
plm_flip_cost = _struct("plm_flip_cost", size=_u32, epoch=_i32, batch=_i32, reserved=_u32, received_bytes=_i64,
                        transfer_nanos=_i64, flip_nanos=_i64)
plm_snapshot = _struct("plm_snapshot", size=_u32, first_rank=_u32, ranks=_u32, words_per_rank=_u32, step=_i64,
                       captured_nanos=_i64, words=_to(_i64), resets=_i64)
plm_order = _struct("plm_order", size=_u32, kind=_u16, flags=_u16, incarnation=_i64, term=_i64, number=_i64, epoch=_i32,
                    based_on=_i32, plan_hash=_i64, batches=_i32, refusal=_i32)
plm_order_batch = _struct("plm_order_batch", sends=_u32, receives=_u32, changes=_u32, reserved=_u32)
plm_order_transfer = _struct("plm_order_transfer", layer=_u32, local_slot=_u32, peer=_u32, tag=_u32)
plm_order_change = _struct("plm_order_change", layer=_u32, slot=_u32, expert=_u32, in_use=_u32)
plm_rank = _struct("plm_rank", size=_u32, flags=_u32, incarnation=_i64, settled_version=_i32, phase=_i32, epoch=_i32,
                   batches=_i32, plan_hash=_i64, batches_flipped=_i32, transferring=_i32, transfer_runs=_i32,
                   staging_busy=_i32, moving=_i32, moved=_i32, refusal=_i32, refused_epoch=_i32, refused_hash=_i64,
                   refused_stopped=_i32, observes=_i32, deaf=_i32, engine_busy=_i32, changed=_i32, reloading=_i32,
                   term=_i64, command_number=_i64, staged=plm_vote, cast=plm_vote, generation=_i64)
plm_rank_event = _struct("plm_rank_event", size=_u32, kind=_i32, outcome=_i32, epoch=_i32, batch=_i32, level=_i32,
                         good=_i32, reserved=_u32, order=plm_order, vote=plm_vote, generation=_i64)
plm_rank_effect = _struct("plm_rank_effect", kind=_i32, epoch=_i32, batch=_i32, code=_i32)
plm_rank_effects = _struct("plm_rank_effects", size=_u32, count=_u32, effects=plm_rank_effect * PLM_MOST_EFFECTS)
plm_weights = _struct("plm_weights", address=_u64, stride=_u64, bytes=_u64, layer=_u32, reserved=_u32)
# user, layer, slots, experts, in_use, count
plm_flip_fn = ctypes.CFUNCTYPE(_i32, _u64, _i32, _to(_i32), _to(_i32), _to(_i32), _i32)
plm_agent_opts = _struct("plm_agent_opts", size=_u32, flags=_u32, settled_version=_i32, experts=_u32,
                         placement=_to(_i32), staging_address=_u64, staging_bytes=_u64, flip_timeout_ms=_i64,
                         manifest=_i64, least_bytes_per_second=_u64, flip=plm_flip_fn, user=_u64)
plm_boundary = _struct("plm_boundary", size=_u32, leave=_i32, outcome=_i32, phase=_i32, move=_i32, notes=_i32)
plm_note = _struct("plm_note", size=_u32, kind=_i32, epoch=_i32, batch=_i32, code=_i32, reserved=_u32, step=_i64,
                   text=ctypes.c_char * 256)
STRUCTS = (plm_probe_info, plm_open_opts, plm_comm_opts, plm_segment, plm_ring_opts, plm_vote, plm_verdict,
           plm_rank_state, plm_flip_cost, plm_snapshot, plm_order, plm_order_batch, plm_order_transfer,
           plm_order_change, plm_rank, plm_rank_event, plm_rank_effect, plm_rank_effects, plm_weights, plm_agent_opts,
           plm_boundary, plm_note)

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
    "plm_rank_begin": (_to(plm_rank), _i64, _i32, _u32),
    "plm_rank_on": (_to(plm_rank), _to(plm_rank_event), _to(plm_rank_effects)),
    "plm_rank_vote": (_to(plm_rank), _to(plm_vote)),
    "plm_rank_describe": (_to(plm_rank), _to(plm_rank_state)),
    "plm_votes_verdict": (_to(plm_vote), _u32, _to(plm_verdict)),
    "plm_agent_open": (_u64, _u64, _u64, _to(plm_agent_opts), _to(plm_weights), _u32, _to(_u64)),
    "plm_agent_rebind": (_u64, _to(plm_weights), _u32),
    "plm_agent_boundary": (_u64, _u64, _i64, _to(plm_boundary)),
    "plm_agent_note": (_u64, _to(plm_note)),
    "plm_agent_target": (_u64, _to(_i32), _u32),
    "plm_agent_moved": (_u64, _to(_i32), _u32),
    "plm_agent_busy": (_u64, _i32),
    "plm_agent_changed": (_u64,),
    "plm_agent_reload": (_u64,),
    "plm_agent_reloaded": (_u64, _i64),
    "plm_agent_state": (_u64, _to(plm_rank)),
    "plm_agent_close": (_u64, _i64),
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
        origin = ("the library argument" if path else "PLIMSOLL_LIBRARY" if environment
                  else "beside plimsoll_engine/abi.py")
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
        if version >> 16 != ABI_MAJOR or version & 0xFFFF < LEAST_MINOR:
            raise PlimsollError(PLM_E_UNAVAILABLE, "%s has ABI %d.%d, this module needs %d.%d: take both from one release"
                                % (looked, version >> 16, version & 0xFFFF, ABI_MAJOR, LEAST_MINOR))
        for name, types in SIGNATURES.items():
            function = getattr(self._c, name)
            function.argtypes, function.restype = types, _i32

    def call(self, name: str, *arguments) -> int:
        """Calls a function; gives its state when that is not negative, else raises its error."""
        status = getattr(self._c, name)(*arguments)
        if status < 0:
            raise PlimsollError(status, self._c.plm_last_error().decode("utf-8", "replace"))
        return status
