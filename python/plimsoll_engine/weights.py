"""Experts as tensors: where those of each local slot are, and what they are like."""
import ctypes
import hashlib
import math

from plimsoll_engine import abi
from plimsoll_engine.abi import new
from plimsoll_engine.tensors import look_at, require


class Weights:
    """The tensors of all MoE layers. The first dimension of each is the local slot; an expert is a row of each, in order."""

    def __init__(self, layers, slots, device):
        self._layers, self._slots, self._device = layers, slots, device
        self._views, self._like = {}, None

    def put(self, layer, tensors):
        require(0 <= layer < self._layers, "there is no MoE layer %s: 0 to %d are known", layer, self._layers - 1)
        views = [look_at(tensor, "weights %d of layer %d" % (i, layer)) for i, tensor in enumerate(tensors)]
        require(views, "layer %d has no weights", layer)
        for i, view in enumerate(views):
            what = "weights %d of layer %d" % (i, layer)
            require(view.shape[:1] == (self._slots,), "%s have shape %s: the first dimension is the local slot, of which there "
                    "are %d", what, view.shape, self._slots)
            require(_in_one_piece(view), "%s of shape %s have strides of %s bytes: an expert must be in one piece", what,
                    view.shape, view.strides)
            require(view.address, "%s have no memory: are they asleep, or on the meta device?", what)
            require(view.is_on(*self._device), "%s are on device %s:%s, the back end reads %s:%s", what, *view.device,
                    *self._device)
        like = [(view.dtype, view.shape[1:]) for view in views]
        require(self._like in (None, like), "an expert of layer %d is %s, where those of other layers are %s: one size is "
                "needed", layer, like, self._like)
        self._like = like
        self._views[layer] = views

    def __bool__(self):
        return bool(self._views)

    def expert_bytes(self):
        """Of one expert in one layer: what the membership has to say."""
        return sum(_row_bytes(view) for view in next(iter(self._views.values())))

    def manifest(self):
        """Ranks with other types or shapes refuse each other's weights."""
        return int.from_bytes(hashlib.sha256(repr(self._like).encode()).digest()[:8], "little", signed=True)

    def structs(self):
        missing = [layer for layer in range(self._layers) if layer not in self._views]
        require(not missing, "layers %s have no weights: give those of every MoE layer", missing)
        made = [new(abi.plm_weights, address=view.address, stride=view.strides[0], bytes=_row_bytes(view), layer=layer)
                for layer in range(self._layers) for view in self._views[layer]]
        return (abi.plm_weights * len(made))(*made), len(made)


def placement(given, layers, slots, experts):
    """An array of the C ABI, [layer][slot] expert, of lists, a tensor, or None: slot s holds expert s mod experts."""
    count = layers * slots
    if given is None:
        return (ctypes.c_int32 * count)(*[slot % experts for _ in range(layers) for slot in range(slots)])
    rows = given.tolist() if hasattr(given, "tolist") else given
    flat = [int(expert) for row in rows for expert in row] if rows and hasattr(rows[0], "__len__") else list(rows)
    require(len(flat) == count, "a map of %d experts, where %d layers x %d slots are needed", len(flat), layers, slots)
    return (ctypes.c_int32 * count)(*flat)


def _row_bytes(view):
    return view.element_bytes * math.prod(view.shape[1:])


def _in_one_piece(view):
    expected = view.element_bytes
    for length, stride in zip(reversed(view.shape[1:]), reversed(view.strides[1:])):
        if length != 1 and stride != expected:
            return False
        expected *= length
    return view.shape[0] == 1 or view.strides[0] >= expected
