"""The membership of a deployment, as roles in Java read it: membership.avro, written without them."""
import os
import struct
import time
from typing import NamedTuple, Optional, Sequence

_ID = 170053  # Membership, version 3, in schemas/src/main/resources/dev/plimsoll/wire/ids.tsv
_IDS = (170002, 170045, _ID)  # all begin alike: summary, deployment, incarnation
_FILE = "membership.avro"
# The order of symbols in Membership.v3.avsc; 0 is UNKNOWN in each.
_PHASES = ("unknown", "prefill", "decode", "all")
_GATHERS = ("unknown", "device", "host", "none")
_LOADS = ("unknown", "computed", "routed-to", "replicated")
_SHARES = ("unknown", "even", "by-source", "local-first", "hashed-row", "fitted")


class Membership(NamedTuple):
    """Who takes part in one incarnation of a deployment, and the schedule that all keep.

    layer_ids: the model's own numbers of its MoE layers, ascending. node_of_rank: [rank]. placement: [layer][slot] expert that the
    engine starts with; None: slot s holds expert s mod experts.
    """

    deployment: str
    incarnation: int
    model: str
    experts: int
    top_k: int
    layer_ids: Sequence[int]
    node_of_rank: Sequence[int]
    slots_per_rank: int
    engine: str
    phase: str
    gather: str
    boundary_steps: int
    window_steps: int
    expert_bytes: int
    moves_weights: bool
    load: str
    share: str
    accept_boundaries: int = 0
    progress_boundaries: int = 0
    placement: Optional[Sequence[Sequence[int]]] = None

    def encode(self):
        """The framed record: a zero, the schema's id in four bytes, and Avro's binary form."""
        flat = [] if self.placement is None else [expert for row in self.placement for expert in row]
        return b"".join((
            struct.pack(">BI", 0, _ID),
            _text("%s incarnation %d: %d ranks x %d slots, written by its engine"
                  % (self.deployment, self.incarnation, len(self.node_of_rank), self.slots_per_rank)),
            _text(self.deployment), _number(self.incarnation), _text(self.model), _number(self.experts),
            _number(self.top_k), _numbers(self.layer_ids), _numbers(self.node_of_rank), _number(self.slots_per_rank),
            _text(self.engine), _number(_PHASES.index(self.phase)), _number(_GATHERS.index(self.gather)),
            _number(self.boundary_steps), _number(self.window_steps), _number(self.expert_bytes),
            _number(self.expert_bytes),  # staging memory: room for one, as the engine has its own
            b"\0",  # no idle slots: these engines use every slot
            bytes([self.moves_weights]), _number(_LOADS.index(self.load)), _number(_SHARES.index(self.share)),
            _number(self.accept_boundaries), _number(self.progress_boundaries), _numbers(flat)))

    def write(self, directory):
        """Replaces the file of an earlier incarnation, whole."""
        fresh = os.path.join(directory, "%s.%d.tmp" % (_FILE, os.getpid()))
        with open(fresh, "wb") as file:
            file.write(self.encode())
        os.replace(fresh, os.path.join(directory, _FILE))


def next_incarnation(directory, now_ms=None):
    """At least the time in milliseconds, and above what stands in a directory, whatever its clock was."""
    now_ms = int(time.time() * 1000) if now_ms is None else now_ms
    return max(now_ms, incarnation_in(directory) + 1)


def incarnation_in(directory):
    """Of the membership that stands there; 0: none does, or what stands there is of no version that we know."""
    try:
        with open(os.path.join(directory, _FILE), "rb") as file:
            record = file.read()
    except FileNotFoundError:
        return 0
    if len(record) < 5 or struct.unpack(">BI", record[:5]) not in [(0, known) for known in _IDS]:
        return 0
    try:
        at = 5
        for _ in ("summary", "deployment"):
            length, at = _read(record, at)
            at += length
        return _read(record, at)[0]
    except IndexError:
        return 0  # cut short


def _number(value):
    """Avro's zigzag number of variable length."""
    rest, out = value << 1 if value >= 0 else (-value << 1) - 1, bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def _read(record, at):
    value = shift = 0
    while True:
        value |= (record[at] & 0x7F) << shift
        shift += 7
        at += 1
        if record[at - 1] < 0x80:
            return value >> 1 ^ -(value & 1), at


def _text(value):
    encoded = value.encode()
    return _number(len(encoded)) + encoded


def _numbers(values):
    block = _number(len(values)) + b"".join(map(_number, values)) if len(values) else b""
    return block + b"\0"
