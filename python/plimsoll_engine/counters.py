"""Where an engine's counters are, and whether they can be read there; what of them does not count, taken off on the device."""
from plimsoll_engine import abi
from plimsoll_engine.abi import PlimsollError, new
from plimsoll_engine.tensors import look_at, require

DEVICES = {"host": "cpu", "cuda": "cuda", "ascend": "npu"}  # back end: torch's name of its device
NAMES = {abi.PLM_SEGMENT_LOAD: "load", abi.PLM_SEGMENT_ROUTED: "routed", abi.PLM_SEGMENT_ROUTED_TO: "routed_to",
         abi.PLM_SEGMENT_REPLICATED: "replicated"}


def _zeros(tensor, shape, like):
    """Counters by the library that made the tensor, on its device; and that library's way to stack tensors."""
    if hasattr(tensor, "data_ptr"):
        import torch
        with torch.inference_mode(False):  # an inference tensor could not be added to outside of inference mode
            return torch.zeros(shape, dtype=tensor.dtype if like else torch.int64, device=tensor.device), torch.stack
    require(hasattr(tensor, "__array_interface__"), "counters that are zeroed each step, that passes are discarded from, or "
            "that are not zero at start(), must be tensors of torch or NumPy: something has to be added up or taken off")
    import numpy
    return numpy.zeros(shape, dtype=tensor.dtype if like else "int64"), numpy.stack


class Counters:
    """Counters of one kind. Read where the engine has them, where they only grow from 0 and every pass counts.

    Else they are read from a tensor of ours: totals, that counters which are zeroed each step are added to; or the engine's
    counters less a base: what was there at start(), and what discarded passes have added.
    """

    def __init__(self, worker, kind, tensors, zeroed, discardable, before):
        self._device = (DEVICES[worker.backend], worker.device)
        self.kind, self._layers, self._zeroed = kind, worker.layers, zeroed
        self._what = "the %s counters" % NAMES[kind]
        wide = kind in (abi.PLM_SEGMENT_ROUTED_TO, abi.PLM_SEGMENT_REPLICATED)
        row = () if kind == abi.PLM_SEGMENT_ROUTED else (worker.slots_per_rank * (worker.ranks if wide else 1),)
        self._shape, each = (worker.layers,) + row, isinstance(tensors, (list, tuple))
        require(before is None or zeroed == before._zeroed, "%s were attached with zeroed_each_step=%s before", self._what,
                not zeroed)
        if each:
            tensors = tuple(tensors)
            require(len(tensors) == worker.layers, "%s are %d tensors, and %d MoE layers need one each", self._what,
                    len(tensors), worker.layers)
        views = [self._check(tensor, row, "layer %d of %s" % (layer, self._what)) for layer, tensor in enumerate(tensors)
                 ] if each else [self._check(tensors, self._shape, self._what)]
        self._views, self._first = views, tensors[0] if each else tensors
        self._stack = None
        if each and row == ():  # of shape () or (1,), which do not stack
            tensors = tuple(tensor.reshape(row) if hasattr(tensor, "reshape") else tensor for tensor in tensors)
        # Layers are stacked first: two operations in place of one for each.
        self._now = (lambda: self._stack(tensors).reshape(self._shape)) if each else (lambda: tensors)
        self.published = self._base = self._seen = None  # what is read in place of the engine's own, in totals or less a base
        if zeroed:
            self.published = before.published if before is not None else self._ours(like=False)
            self._ours(like=False)
        elif before is not None and before._base is not None:  # goes on where tensors are replaced
            self._take_off(before._base)
            if bool((self._now() - self._base - before.published < 0).any()):
                self._base[...] = 0  # the new ones begin anew, which the library takes for the reset that it is
            if before._seen is not None:
                self._seen = self._ours(like=True)
                self._seen[...] = self._now()
        elif discardable:
            self._take_off(self._ours(like=True))
            self._seen = self._ours(like=True)
            self._seen[...] = self._now()

    @property
    def segments(self):
        views = self._views if self.published is None else [look_at(self.published, "the totals")]
        return [new(abi.plm_segment, address=view.address, kind=self.kind, element_bytes=view.element_bytes,
                    first_layer=first, layers=self._layers // len(views)) for first, view in enumerate(views)]

    def start(self):
        """What was counted up to now, in warm-up, counts as nothing."""
        if self._zeroed:
            self.published[...] = 0
        elif self._base is not None or any(view.nonzero() for view in self._views):
            if self._base is None:
                self._take_off(self._ours(like=True))
            self._base[...] = self._now()
            if self._seen is not None:
                self._seen[...] = self._base

    def accumulate(self):
        if self._zeroed:
            self.published += self._now()

    def end_of_pass(self, discard, accumulated):
        """accumulated: the pass has added its counters to the totals by itself, in a captured graph."""
        if self._zeroed:
            if accumulated and discard:
                self.published -= self._now()
            elif not accumulated and not discard:
                self.accumulate()
            return
        if self._seen is not None:
            if discard:
                self._base += self._now() - self._seen
            self._seen[...] = self._now()
        else:
            require(not discard, "%s grow where the engine has them: to take a pass off that must not count, attach them with "
                    "discardable=True", self._what)

    def before_boundary(self):
        if self._base is not None:
            self.published[...] = self._now() - self._base

    def _ours(self, like):
        made, self._stack = _zeros(self._first, self._shape, like)
        return made

    def _take_off(self, base):
        self.published, self._base = self._ours(like=True), base

    def _check(self, tensor, shape, what):
        view = look_at(tensor, what)
        require(view.shape == shape or (view.shape, shape) == ((1,), ()), "%s have shape %s where %s is needed",
                what, view.shape, shape)
        require(view.dtype in ("int32", "int64", "i", "l", "q"), "%s are of type %s: int32 and int64 are possible",
                what, view.dtype)
        require(view.contiguous or self._zeroed, "%s are not contiguous, so they cannot be copied from one address: attach "
                "the tensor that the engine adds to, not a slice or transpose of it", what)
        require(view.is_on(*self._device), "%s are on device %s:%s, the back end reads %s:%s", what, *view.device,
                *self._device)
        require(view.address or self._zeroed, "%s have no memory: are they asleep, or on the meta device?", what)
        return view
