"""What vLLM says of a model that it balances: its layers, its map, and what its counters count, which is checked."""
import re

from plimsoll_engine.group import Group
from plimsoll_engine.steering import Model, NotStarted


def ep_group():
    """All ranks that hold experts of these layers, by their group on the CPU. The balancer's thread talks in another, get_eplb_group()."""
    from vllm.distributed.parallel_state import get_ep_group
    found = get_ep_group()
    stateless = getattr(found, "tcp_store_group", None)  # elastic EP: torch.distributed does not know its groups
    if stateless is not None:
        return Group(found.rank_in_group, found.world_size, stateless.all_gather_obj)
    return Group.of_torch(found.cpu_group)


def device(found):
    """Session's options for the device that the counters are on."""
    if found.type == "cpu":
        return {"backend": "host"}
    import torch
    if found.type == "cuda" and torch.version.hip is None:
        return {"backend": "cuda", "device": torch.cuda.current_device() if found.index is None else found.index,
                "stream": lambda: torch.cuda.current_stream().cuda_stream}
    raise NotStarted("counters on %s cannot be read: there are back ends for CUDA and for plain memory" % found)


def describe(state, config, parallel, group, tokens):
    """The Model of an EplbModelState. tokens: of this pass, without padding; None: a dummy pass, or nobody knows. Waits for all ranks."""
    import vllm
    model, layers = state.model, list(state.model.moe_layers)
    top_k = _top_k(layers[0], config)
    load = _configured_load(parallel, layers[0])
    answers = group.gather((tokens, state.expert_load_pass.sum(dim=1).tolist()))
    fault = miscounted(load, [(told and told * top_k, counted) for told, counted in answers], parallel.tensor_parallel_size)
    if fault:
        raise NotStarted("by its configuration this vllm counts load %s, and it does not: %s" % (load, fault))
    suffix = "-draft" if getattr(config, "runner_type", None) == "draft" else ""
    stage = _pipeline_stage()
    return Model(
        name=config.model, layer_ids=layer_ids([getattr(layer, "layer_name", "") for layer in layers]),
        experts=model.num_logical_experts, top_k=top_k, slots_per_rank=model.num_physical_experts // group.size,
        engine="vllm %s" % vllm.__version__, load=load, share="hashed-row",
        expert_bytes=sum(weight[0].numel() * weight.element_size() for weight in model.expert_weights[0]),
        placement=state.physical_to_logical_map.tolist(), suffix=suffix + ("-pp%d" % stage if stage else ""))


def _configured_load(parallel, layer):
    """Who routes which tokens. Ranks of tensor parallelism route the same ones, unless each takes its part of a sequence.

    So do all ranks where the batches of data parallelism are gathered before routing, which a layer says of itself.
    """
    apart = parallel.data_parallel_size * getattr(parallel, "prefill_context_parallel_size", 1)
    if apart == 1 or getattr(layer, "do_naive_dispatch_combine", False):
        return "replicated"
    return "routed-to"


def miscounted(load, answers, tensor_parallel):
    """What is wrong with the load of one pass, in words, or None. answers: per rank, assignments of its tokens (None: not to be
    looked at) and load that it counted, per layer."""
    blocks = [range(first, min(first + tensor_parallel, len(answers))) for first in range(0, len(answers), tensor_parallel)]
    blocks = [block for block in blocks if all(answers[rank][0] is not None for rank in block)]
    total = sum(answers[block[0]][0] for block in blocks)
    for block in blocks:
        own = answers[block[0]][0]
        for layer in range(len(answers[0][1])):
            counted = [answers[rank][1][layer] for rank in block]
            if load == "replicated":
                right = all(one == total for one in counted)
            else:  # with tensor parallelism, up to what padding of its parts adds, or as many times as ranks route the same
                right = own <= sum(counted) <= own * tensor_parallel
            if not right:
                return "ranks %d to %d counted %s in layer %d of %d assignments of their own and %d of all" % (
                    block[0], block[-1], counted, layer, own, total)
    return None


def layer_ids(names):
    """The model's own numbers of its MoE layers, by their names such as model.layers.3.mlp.experts; else 0, 1, …"""
    found = [re.search(r"(?:^|\.)(?:layers|h|blocks)\.(\d+)\.", name) for name in names]
    numbers = [int(one.group(1)) for one in found if one]
    return numbers if len(numbers) == len(names) and numbers == sorted(set(numbers)) else list(range(len(names)))


def _top_k(layer, config):
    for found in (getattr(layer, "top_k", None), getattr(getattr(layer, "moe_config", None), "experts_per_token", None),
                  getattr(getattr(config, "hf_text_config", None), "num_experts_per_tok", None)):
        if isinstance(found, int) and found > 0:
            return found
    raise NotStarted("neither %s nor the model's configuration says to how many experts a token goes" % type(layer).__name__)


def _pipeline_stage():
    from vllm.distributed.parallel_state import get_pp_group
    return get_pp_group().rank_in_group
