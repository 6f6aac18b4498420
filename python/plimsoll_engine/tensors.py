"""Where tensors of torch, arrays of NumPy and plain memory are."""
import ctypes
import math
from typing import Any, NamedTuple

from plimsoll_engine import abi
from plimsoll_engine.abi import PlimsollError


def require(fits, text, *values):
    if not fits:
        raise PlimsollError(abi.PLM_E_ARG, text % values)


class View(NamedTuple):
    shape: tuple
    dtype: str
    element_bytes: int
    contiguous: bool
    device: tuple
    owner: Any  # keeps the memory where it is
    address: int
    strides: tuple  # bytes

    def is_on(self, kind, index):
        return self.device[0] == kind and (kind == "cpu" or self.device[1] in (None, index))

    def nonzero(self):
        """Whether anything in it is not 0; waits for the device."""
        if hasattr(self.owner, "data_ptr"):
            return bool((self.owner != 0).any())
        return any(ctypes.string_at(self.address, self.element_bytes * math.prod(self.shape)))


def look_at(tensor, what):
    if hasattr(tensor, "data_ptr"):  # torch
        size = tensor.element_size()
        return View(tuple(tensor.shape), str(tensor.dtype).replace("torch.", ""), size, tensor.is_contiguous(),
                    (tensor.device.type, tensor.device.index), tensor, tensor.data_ptr(),
                    tuple(size * stride for stride in tensor.stride()))
    try:  # NumPy, array, ctypes: all that has writable memory to show
        memory = memoryview(tensor)
        if memory.readonly:
            raise TypeError("it is read-only")
        owner = ctypes.c_char.from_buffer(memory) if memory.c_contiguous else memory
    except (TypeError, ValueError) as error:
        raise PlimsollError(abi.PLM_E_ARG, "%s are a %s, which is no tensor and no writable buffer: %s"
                            % (what, type(tensor).__name__, error)) from error
    dtype = str(getattr(tensor, "dtype", memory.format.lstrip("@=<")))
    address = ctypes.addressof(owner) if memory.c_contiguous else 0
    return View(memory.shape, dtype, memory.itemsize, memory.c_contiguous, ("cpu", None), owner, address, memory.strides)
