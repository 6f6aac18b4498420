"""What vllm-ascend says of a model that it balances, and its form of a map."""
import logging
import re

from plimsoll_engine.group import Group
from plimsoll_engine.steering import Model, NotStarted

logger = logging.getLogger("plimsoll")


def ep_group():
    """All ranks that share the experts. Never the balancer's own group."""
    from vllm.distributed.parallel_state import get_ep_group
    return Group.of_torch(get_ep_group().cpu_group)


def joined(ranks):
    """[layer][slot] expert of all ranks, of each one's [layer][local slot]."""
    return [[expert for row in rows for expert in row] for rows in zip(*ranks)]


def require_planned_slots(placement, model):
    """The engine's own planner dies of such a map in its first cycle."""
    for layer, row in enumerate(placement):
        if model.experts in row:
            slot = row.index(model.experts)
            raise NotStarted("layer %d: no table leads to slot %d of rank %d, as the start map has an expert twice on it"
                             % (layer, slot % model.slots_per_rank, slot // model.slots_per_rank))


def unmovable(served, target, slots_per_rank):
    """Why this engine would not take a map over, in words, or None: it knows one slot of an expert on a rank, and leaves it there."""
    for layer, (old, new) in enumerate(zip(served, target)):
        for first in range(0, len(new), slots_per_rank):
            old_row, new_row = old[first:first + slots_per_rank], new[first:first + slots_per_rank]
            for slot, expert in enumerate(new_row):
                if new_row.count(expert) > 1:
                    return "layer %d, rank %d has expert %d twice" % (layer, first // slots_per_rank, expert)
                if expert in old_row and old_row[slot] != expert:
                    return "layer %d, rank %d: expert %d changes its slot" % (layer, first // slots_per_rank, expert)
    return None


def expert_maps(placement, model):
    """[layer, rank, expert] local slot or -1: the engine's form of a map."""
    import torch
    slots = model.slots_per_rank
    made = torch.full((len(placement), len(placement[0]) // slots, model.experts), -1, dtype=torch.long)
    for layer, row in enumerate(placement):
        for slot, expert in enumerate(row):
            made[layer, slot // slots, expert] = slot % slots
    return made


def described(updator, settings):
    """What the engine says of its model. NotStarted: what this balancer has been told to do cannot be observed or steered."""
    adaptor, config = updator.adaptor, updator.adaptor.config
    layers, load = adaptor.moe_layers, adaptor.moe_layers[0].moe_load
    heat, planning = updator.expert_heat_collection_interval, updator.algorithm_execution_interval
    cycle = heat + planning + len(layers)
    if load.dim() != 1:
        raise NotStarted("eplb_policy_type=3 keeps the load of single passes, in rows: choose 0, 1 or 2")
    if settings.steer and (heat < 1 or planning < 1):
        raise NotStarted("expert_heat_collection_interval=%d and algorithm_execution_interval=%d must be at least 1"
                         % (heat, planning))
    if settings.steer and updator.expert_map_record_path is not None:
        raise NotStarted("expert_map_record_path=%s keeps the engine from moving experts: leave it out to steer"
                         % updator.expert_map_record_path)
    if not settings.steer and 2 * settings.window_steps > cycle:
        logger.warning("the engine may move its experts every %d passes, and a window of %d steps that a move falls into ends "
                       "early: set PLIMSOLL_WINDOW=%d or less", cycle, settings.window_steps, cycle // 2)
    first = updator.pp_rank
    spread = getattr(updator.eplb_process.worker, "tp_size", None) or 1
    return Model(
        name=str(getattr(config, "_name_or_path", None) or getattr(config, "model_type", "model")),
        layer_ids=layer_ids(layers), experts=int(layers[0].global_expert_map.shape[-1]),
        top_k=int(getattr(layers[0], "top_k", None) or getattr(config, "num_experts_per_tok", 1)),
        slots_per_rank=int(adaptor.num_local_experts), engine=version(), load="computed",
        # Each rank has one replica of an expert: that of its number, or with tensor parallelism one spread anew for each expert.
        share="by-source" if spread == 1 else "fitted",
        expert_bytes=sum(part.numel() * part.element_size() for part in adaptor.expert_param_per_layer[0][0]),
        progress_boundaries=-(-2 * (planning + len(layers) + 1) // settings.boundary_steps) + 60,
        suffix="-stage%d" % first if first else "")


def layer_ids(layers):
    """The model's own numbers of its MoE layers, by their names; else their order."""
    found = [re.search(r"(?:^|\.)layers\.(\d+)\.", str(getattr(layer, "layer_name", ""))) for layer in layers]
    numbers = [int(one.group(1)) for one in found if one]
    return numbers if len(numbers) == len(layers) and numbers == sorted(set(numbers)) else list(range(len(layers)))


def version():
    from importlib.metadata import PackageNotFoundError, version as of
    for package in ("vllm-ascend", "vllm_ascend"):
        try:
            return "vllm-ascend %s" % of(package)
        except PackageNotFoundError:
            pass
    return "vllm-ascend"


def where(tensor):
    """The back end that reads a tensor's memory, and the stream that the engine works on."""
    if tensor.device.type == "cpu":
        return {}
    import torch
    return dict(backend="ascend", device=tensor.device.index, stream=lambda: torch.npu.current_stream().npu_stream)
