"""What vLLM's CPU backend lacks for its own expert load balancer, put in place in the test's own processes.

A plug-in of the tests (vllm.general_plugins), not of the package: nothing of it is for use. vLLM 0.32 on CPU:
1. ParallelConfig refuses enable_eplb where the platform is not CUDA, ROCm or XPU: it is told that it is one, there only.
2. base_router maps logical to physical experts and counts in a Triton kernel, and on CPU gives ids back as they are: the
   same mapping and counting in torch.
3. The CPU's MoE kernel takes local experts only and ignores expert_map: ids are mapped, other ranks' get weight 0.
4. CPUModelRunner.load_model does not give the model to an EplbState, as GPUModelRunner's does.
5. Events and streams of an accelerator: on a CPU all is done when a call returns, so theirs do nothing.
"""
import functools


def register():
    import torch
    import vllm.config.parallel as parallel
    parallel.current_platform = _AlikeTo(parallel.current_platform)
    from vllm.model_executor.layers.fused_moe.router import base_router
    base_router.eplb_map_to_physical_and_record = map_and_record
    from vllm.model_executor.layers.fused_moe.experts import cpu_moe
    _wrap(cpu_moe.CPUUnquantizedExperts, "apply", _with_expert_map)
    from vllm.v1.worker import cpu_model_runner
    _wrap(cpu_model_runner.CPUModelRunner, "load_model", _and_add_model)
    without_accelerator()
    watch()


def without_accelerator():
    """The balancer's modules, and nothing else, see a torch with an accelerator that is done at once."""
    import importlib
    import torch
    for name in ("async_worker", "eplb_communicator", "eplb_state", "eplb_utils", "rebalance_execute"):
        try:
            importlib.import_module("vllm.distributed.eplb." + name).torch = _Torch(torch)
        except ModuleNotFoundError:
            pass  # of a later release
    from vllm.distributed.eplb import eplb_state
    _wrap(eplb_state.EplbState, "__init__", _with_device_index)


def older_mapping():
    """Whether from_mapping wants to be told how many slots are in use."""
    import inspect
    from vllm.distributed.eplb.eplb_state import EplbState
    return "num_valid_physical_experts" in inspect.signature(EplbState.from_mapping).parameters


class _Torch:
    """torch with an accelerator that is done at once. Changed for all, it would be Dynamo's as well, which fails."""

    def __init__(self, torch):
        self._torch = torch
        self.Event, self.Stream, self.accelerator = _Event, _Stream, _Accelerator

    def __getattr__(self, name):
        return getattr(self._torch, name)


class _Accelerator:
    @staticmethod
    def current_stream(*_):
        return _Stream()

    @staticmethod
    def current_accelerator(*_):
        return "cpu"

    @staticmethod
    def nothing(*_):
        pass

    set_stream = set_device_index = synchronize = nothing


class _AlikeTo:
    def __init__(self, platform):
        self._platform = platform

    def is_cuda_alike(self):
        return True

    def __getattr__(self, name):
        return getattr(self._platform, name)


class _Event:
    def __init__(self, *_, **__):
        pass

    def record(self, *_):
        pass

    def wait(self, *_):
        pass

    def synchronize(self):
        pass

    def query(self):
        return True

    def elapsed_time(self, _):
        return 0.0


class _Stream:
    device = "cpu"

    def __init__(self, *_, **__):
        pass

    def synchronize(self):
        pass

    def wait_stream(self, *_):
        pass


def _wrap(owner, name, wrapper):
    original = getattr(owner, name)
    if getattr(original, "_on_cpu", False):
        return

    @functools.wraps(original)  # the plug-in compares signatures
    def call(*args, **kwargs):
        return wrapper(original, *args, **kwargs)
    call._on_cpu = True
    setattr(owner, name, call)


def map_and_record(topk_ids, expert_load_view, logical_to_physical_map, logical_replica_count, record_enabled,
                   num_unpadded_tokens=None):
    import torch
    ids = topk_ids.long()
    rows = torch.arange(ids.shape[0]).unsqueeze(1)
    replica = (rows * 2654435769 & 0xFFFFFFFF) % logical_replica_count[ids].clamp_min(1)
    physical = logical_to_physical_map[ids, replica]
    real = physical if num_unpadded_tokens is None else physical[:int(num_unpadded_tokens)]
    counted = torch.bincount(real.flatten(), minlength=expert_load_view.shape[0])
    seen["pass"][expert_load_view.data_ptr()] = seen["pass"].get(expert_load_view.data_ptr(), 0) + counted
    if record_enabled is None or bool(record_enabled):
        expert_load_view += counted.to(expert_load_view.dtype)
    return physical.to(topk_ids.dtype)


def _with_expert_map(original, self, output, hidden_states, w1, w2, topk_weights, topk_ids, activation,
                     global_num_experts, expert_map, *args, **kwargs):
    if expert_map is not None:
        local = expert_map[topk_ids.long()]
        topk_weights = topk_weights.masked_fill(local < 0, 0.0)
        topk_ids = local.clamp_min(0).to(topk_ids.dtype)
    return original(self, output, hidden_states, w1, w2, topk_weights, topk_ids, activation, global_num_experts,
                    None, *args, **kwargs)


def _and_add_model(original, self, *args, **kwargs):
    original(self, *args, **kwargs)
    if not self.parallel_config.enable_eplb:
        return
    from vllm.distributed.eplb.eplb_state import EplbState
    from vllm.model_executor.models.interfaces import get_mixture_of_experts_model
    self.eplb_state = EplbState(self.parallel_config, self.device)
    self._moe_model = get_mixture_of_experts_model(self.model)
    self.eplb_state.add_model(self._moe_model, self.model_config)
    if self.eplb_state.is_async:
        self.eplb_state.start_async_loop()


def _with_device_index(original, self, *args, **kwargs):
    original(self, *args, **kwargs)
    self.device_index = 0


# What the tests ask a worker: parallel worker processes, asked by LLM.collective_rpc.

seen = {"steps": 0, "dummies": 0, "pass": {}, "truth": 0, "at_boundaries": {}, "calls_s": [], "digests": None, "rearranged": 0}


def watch():
    """The engine's own counters, pass by pass, beside our plug-in; and what our calls take."""
    import os
    import time
    import torch
    from vllm.distributed.eplb import eplb_state
    boundary = int(os.environ.get("PLIMSOLL_BOUNDARY", "8"))

    def step(original, self, is_dummy=False, is_profile=False, log_stats=False):
        if not is_profile:
            seen["steps"] += 1
            seen["dummies"] += is_dummy
            # By address, so by layer. Of the first two steps nothing goes out: from the third on the plug-in counts them.
            counted = torch.stack([seen["pass"][layer] for layer in sorted(seen["pass"])])
            seen["truth"] = (seen["truth"] if seen["steps"] > 3 else 0 * counted) + (0 * counted if is_dummy else counted)
            if (seen["steps"] - 2) % boundary == 0 and seen["steps"] > 2:
                seen["at_boundaries"][seen["steps"] - 2] = seen["truth"].tolist()
            seen["pass"].clear()
        return original(self, is_dummy, is_profile, log_stats)

    def rearrange(original, self, *args, **kwargs):
        seen["rearranged"] += 1
        return original(self, *args, **kwargs)

    _wrap(eplb_state.EplbState, "step", step)
    _wrap(eplb_state.EplbState, "rearrange", rearrange)
    try:
        from plimsoll_engine import steering
        from plimsoll_engine import vllm as ours
    except ImportError:
        return

    def guarded(original, self, act, *arguments):
        begin = time.perf_counter()
        try:
            return original(self, act, *arguments)
        finally:
            if act.__name__ == "before":
                seen["calls_s"].append(0.0)  # the first of ours in a step
            seen["calls_s"][-1] += time.perf_counter() - begin

    def started(original, self):
        original(self)
        seen["begun"] = self

    _wrap(ours.Balancer, "guarded", guarded)
    _wrap(steering.Session, "start", started)


def _digests(model):
    import hashlib
    return [[hashlib.sha256(b"".join(weight[slot].contiguous().view(-1).numpy().tobytes() for weight in layer)).hexdigest()
             for slot in range(layer[0].shape[0])] for layer in model.expert_weights]


class Report:
    """worker_extension_cls: what the driver may ask every worker process."""

    def report(self):
        import torch.distributed as dist
        from vllm.distributed.parallel_state import get_ep_group
        runner = self.model_runner
        state = next(iter(runner.eplb_state.model_states.values()))
        placement = state.physical_to_logical_map.tolist()
        group = get_ep_group()
        slots = len(placement[0]) // group.world_size
        first = group.rank_in_group * slots
        now = _digests(state.model)
        wrong = sum(now[layer][slot] != seen["digests"][layer][placement[layer][first + slot]]
                    for layer in range(len(placement)) for slot in range(slots))
        told = {"rank": group.rank_in_group, "placement": placement, "wrong_slots": wrong, "slots": slots * len(placement),
                "steps": seen["steps"], "dummies": seen["dummies"], "rearranged": seen["rearranged"],
                "calls_s": seen["calls_s"],
                "at_boundaries": seen["at_boundaries"]}
        session = seen.get("begun")
        if session is not None:
            told.update(alive=session.alive, incarnation=session.incarnation, withdrawn=session.withdrawn)
        dist.barrier(group=group.cpu_group)
        return told

    def moves(self):
        return seen["rearranged"]

    def remember(self):
        """Digests of every expert, from the slots that hold them now."""
        import torch.distributed as dist
        from vllm.distributed.parallel_state import get_ep_group
        group = get_ep_group()
        state = next(iter(self.model_runner.eplb_state.model_states.values()))
        placement = state.physical_to_logical_map.tolist()
        all_ranks = [None] * group.world_size
        dist.all_gather_object(all_ranks, _digests(state.model), group=group.cpu_group)
        seen["digests"] = []
        for layer, row in enumerate(placement):
            known = {}
            for slot, digest in enumerate(digest for rank in all_ranks for digest in rank[layer]):
                assert known.setdefault(row[slot], digest) == digest, "replicas of one expert differ before any move"
            assert len(set(known.values())) == len(known), "two experts are the same"
            seen["digests"].append(known)
