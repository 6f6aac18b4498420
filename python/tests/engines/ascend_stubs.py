"""What vllm-ascend's balancing modules import and cannot have on a machine without NPU, in place of it: stubs of ours.

install(tree) leaves the modules of the tree as they are: the packages around them are empty, so that only what is imported runs.
The groups are made by join(), of gloo. Names are those that the modules ask for; nothing here is of vLLM or vllm-ascend.
"""
import contextlib
import datetime
import importlib
import logging
import os
import sys
import types

GROUPS = {}


class Logger(logging.Logger):
    def info_once(self, *arguments, **named):
        self.info(*arguments, **named)

    def warning_once(self, *arguments, **named):
        self.warning(*arguments, **named)


class Coordinator:
    """vLLM's group of ranks, as far as the balancers ask."""

    def __init__(self, rank, size):
        import torch.distributed as dist
        self.rank_in_group, self.world_size, self.ranks = rank, size, list(range(size))
        self.device_group = dist.new_group(self.ranks, backend="gloo")
        self.cpu_group = dist.new_group(self.ranks, backend="gloo")
        self.rank, self.is_first_rank, self.is_last_rank = rank, rank == 0, rank == size - 1

    def all_gather(self, tensor, dim=0):
        import torch
        import torch.distributed as dist
        shown = [torch.empty_like(tensor) for _ in range(self.world_size)]
        dist.all_gather(shown, tensor.contiguous(), group=self.device_group)
        return torch.cat(shown, dim=dim)


class One:
    """A group of this rank alone: of pipeline stages."""

    rank_in_group, world_size, is_first_rank, is_last_rank = 0, 1, True, True


def join(directory, name, rank, size):
    import torch.distributed as dist
    dist.init_process_group("gloo", init_method="file://" + os.path.join(os.path.abspath(directory), "gloo-" + name),
                            rank=rank, world_size=size, timeout=datetime.timedelta(seconds=120))
    for group in ("ep", "dynamic_eplb", "eplb"):
        GROUPS[group] = Coordinator(rank, size)


def module(name, path=None, **contents):
    """A module of this name; with path a package whose further modules are read there."""
    made = types.ModuleType(name)
    made.__path__ = [path] if path else []
    made.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
    vars(made).update(contents)
    sys.modules[name] = made
    parent, _, last = name.rpartition(".")
    if parent:
        if parent not in sys.modules:
            module(parent)
        setattr(sys.modules[parent], last, made)
    return made


def ep_group():
    return GROUPS["ep"]


def dynamic_eplb_group():
    return GROUPS["dynamic_eplb"]


def not_here(*_, **__):
    raise NotImplementedError("a stub: this is not had here")


def index_by_int32(torch):
    """Torch before 2.0 takes int64 as an index only, and the engines of today know no such torch."""
    def long(index):
        if isinstance(index, tuple):
            return tuple(map(long, index))
        return index.long() if isinstance(index, torch.Tensor) and index.dtype == torch.int32 else index

    put = torch.Tensor.__setitem__  # not __getitem__ too: that would make sequences of tensors without a dimension
    torch.Tensor.__setitem__ = lambda tensor, index, value: put(tensor, long(index), value)


def install(tree):
    import torch
    if torch.__version__ < "2":
        index_by_int32(torch)
    logging.setLoggerClass(Logger)
    log = logging.getLogger("vllm")
    logging.setLoggerClass(logging.Logger)
    torch.Tensor.npu = lambda tensor: tensor
    torch.npu = types.SimpleNamespace(device_count=lambda: 16)
    module("torch_npu")
    for name, contents in (("numba", {"njit": lambda *_, **__: lambda function: function}), 
                           ("scipy.stats", {"norm": types.SimpleNamespace(ppf=lambda _: 0.674)}),
                           ("scipy.optimize", {"linear_sum_assignment": not_here})):
        try:
            importlib.import_module(name)
        except ImportError:
            module(name, **contents)
    module("vllm.logger", logger=log, init_logger=lambda _: log)
    module("vllm.envs")
    module("vllm.distributed", get_ep_group=ep_group)
    module("vllm.distributed.parallel_state", get_ep_group=ep_group, get_pp_group=One)
    module("vllm.v1.utils", record_function_or_nullcontext=lambda _: contextlib.nullcontext())
    module("vllm.model_executor.layers.fused_moe.expert_map_manager", determine_expert_map=not_here)
    within = os.path.join(tree, "vllm_ascend")
    module("vllm_ascend", within)
    module("vllm_ascend.ascend_config", get_ascend_config=lambda: types.SimpleNamespace(enable_fused_mc2=0))
    module("vllm_ascend.distributed", os.path.join(within, "distributed"))
    module("vllm_ascend.distributed.parallel_state", get_dynamic_eplb_group=dynamic_eplb_group)
    module("vllm_ascend.quantization", os.path.join(within, "quantization"))


class Event:
    """Of an accelerator; on a CPU all is done when a call returns. So are streams."""

    def __init__(self, *_, **__):
        pass

    def nothing(self, *_, **__):
        pass

    record = wait = synchronize = nothing

    def elapsed_time(self, _):
        return 0.0


def install_v2(tree, vllm_tree):
    """vLLM is the real one of vllm_tree; torch does as if there were an accelerator."""
    import torch
    sys.path.insert(0, vllm_tree)
    module("torch_npu")
    torch.cuda.Event = torch.Event = Event
    torch.Tensor.pin_memory = lambda tensor, *_: tensor
    torch.accelerator.current_stream = lambda *_: Event()
    torch.accelerator.current_device_index = lambda: 0
    empty_like = torch.empty_like
    torch.empty_like = lambda tensor, pin_memory=False, **named: empty_like(tensor, **named)
    from vllm.utils import torch_utils
    torch_utils.PIN_MEMORY = False  # before others take it from there
    from vllm.distributed import parallel_state
    parallel_state._NODE_COUNT = 1
    for group in ("ep", "eplb"):
        setattr(parallel_state, "_" + group.upper(), GROUPS[group])
    parallel_state._PP = One()
    within = os.path.join(tree, "vllm_ascend")
    for name in ("", ".distributed", ".ops", ".ops.fused_moe", ".patch", ".patch.platform"):
        module("vllm_ascend" + name, os.path.join(within, *name.split(".")))
    module("vllm_ascend.ascend_config", StairConfig=type("StairConfig", (), {}))


def load_plugins():
    """As vLLM does: every entry point of the group is loaded and called; one that cannot be loaded is passed over."""
    from importlib.metadata import entry_points
    loaded = []
    for found in sorted(entry_points(group="vllm.general_plugins"), key=lambda one: one.name):
        try:
            register = found.load()
        except Exception:
            logging.getLogger("vllm").exception("Failed to load plugin %s", found.name)
            continue
        loaded.append(found.name)
        register()
    return loaded
