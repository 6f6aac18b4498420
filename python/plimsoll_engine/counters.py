"""Where an engine's counters are, and whether they can be read there; totals of those that are zeroed each step."""
import ctypes
from typing import Any, NamedTuple

from plimsoll_engine import abi
from plimsoll_engine.abi import PlimsollError, new

DEVICES = {"host": "cpu", "cuda": "cuda", "ascend": "npu"}  # back end: torch's name of its device


def _require(fits, text, *values):
    if not fits:
        raise PlimsollError(abi.PLM_E_ARG, text % values)


class _View(NamedTuple):
    shape: tuple
    dtype: str
    element_bytes: int
    contiguous: bool
    device: tuple
    owner: Any  # keeps the memory where it is
    address: int


def _look_at(tensor, what):
    if hasattr(tensor, "data_ptr"):  # torch
        return _View(tuple(tensor.shape), str(tensor.dtype).replace("torch.", ""), tensor.element_size(),
                     tensor.is_contiguous(), (tensor.device.type, tensor.device.index), tensor, tensor.data_ptr())
    try:  # NumPy, array, ctypes: all that has writable memory to show
        memory = memoryview(tensor)
        owner = ctypes.c_char.from_buffer(memory) if memory.c_contiguous else memory
    except (TypeError, ValueError) as error:
        raise PlimsollError(abi.PLM_E_ARG, "%s are a %s, which is no tensor and no writable buffer: %s"
                            % (what, type(tensor).__name__, error)) from error
    dtype = str(getattr(tensor, "dtype", memory.format.lstrip("@=<")))
    address = ctypes.addressof(owner) if memory.c_contiguous else 0
    return _View(memory.shape, dtype, memory.itemsize, memory.c_contiguous, ("cpu", None), owner, address)


def _zeros(tensor, shape):
    """int64 counters by the library that made the tensor, on its device; and that library's way to stack tensors."""
    if hasattr(tensor, "data_ptr"):
        import torch
        with torch.inference_mode(False):  # an inference tensor could not be added to outside of inference mode
            return torch.zeros(shape, dtype=torch.int64, device=tensor.device), torch.stack
    _require(hasattr(tensor, "__array_interface__"), "counters that are zeroed each step must be tensors of torch or "
             "NumPy, to be added up")
    import numpy
    return numpy.zeros(shape, dtype="int64"), numpy.stack


class Counters:
    """The engine's counters where they only grow, else totals of ours that accumulate() adds them to."""

    def __init__(self, worker, kind, tensors, zeroed, before):
        self._device = (DEVICES[worker.backend], worker.device)
        name = "load" if kind == abi.PLM_SEGMENT_LOAD else "routed"
        row = (worker.slots_per_rank,) if kind == abi.PLM_SEGMENT_LOAD else ()
        shape, each = (worker.layers,) + row, isinstance(tensors, (list, tuple))
        _require(before is None or zeroed == (before.total is not None), "the %s counters were attached with "
                 "zeroed_each_step=%s before", name, not zeroed)
        if each:
            tensors = tuple(tensors)
            _require(len(tensors) == worker.layers, "the %s counters are %d tensors, and %d MoE layers need one each",
                     name, len(tensors), worker.layers)
        views = [self._check(tensor, row, zeroed, "layer %d of the %s counters" % (layer, name))
                 for layer, tensor in enumerate(tensors)] if each else [
                     self._check(tensors, shape, zeroed, "the %s counters" % name)]
        self.total = self._added = None
        if zeroed:
            self.total, stack = _zeros(tensors[0] if each else tensors, shape)
            if before is not None:
                self.total = before.total  # goes on where tensors are replaced
            # Layers are stacked first: two operations in place of one for each.
            self._added = (lambda: stack(tensors).reshape(shape)) if each else (lambda: tensors)
            views = [_look_at(self.total, "the totals")]
        self._owners = [view.owner for view in views]
        self.segments = [new(abi.plm_segment, address=view.address, kind=kind, element_bytes=view.element_bytes,
                             first_layer=first, layers=worker.layers // len(views))
                         for first, view in enumerate(views)]

    def accumulate(self):
        if self._added is not None:
            self.total += self._added()

    def _check(self, tensor, shape, zeroed, what):
        view = _look_at(tensor, what)
        _require(view.shape == shape or (view.shape, shape) == ((1,), ()), "%s have shape %s where %s is needed",
                 what, view.shape, shape)
        _require(view.dtype in ("int32", "int64", "i", "l", "q"), "%s are of type %s: int32 and int64 are possible",
                 what, view.dtype)
        _require(view.contiguous or zeroed, "%s are not contiguous, so they cannot be copied from one address: attach "
                 "the tensor that the engine adds to, not a slice or transpose of it", what)
        _require(view.device[0] == self._device[0] and (view.device[0] == "cpu" or
                                                        view.device[1] in (None, self._device[1])),
                 "%s are on device %s:%s, the back end reads %s:%s", what, *view.device, *self._device)
        _require(view.address or zeroed, "%s have no memory: are they asleep, or on the meta device?", what)
        return view
