"""One rank of a toy MoE around vLLM's own balancing modules, of a tree or a release, unmodified: started by vllm_source.py.

vLLM's are: plug-in loader, process groups, EplbState and all below it (policy, communicator, transfer, the second thread). Ours are: a model
of two tensors per expert, tokens that are only routed, and, as there is no GPU, what vllm_on_cpu.py puts in place of events and
streams. Four ranks as with data parallelism 4: each routes its own tokens. Prints one line of JSON.
"""
import argparse
import json
import logging
import os
import sys
import time
import types

import numpy
import torch
import torch.distributed as dist

import vllm_on_cpu
from drift import drifts

LAYERS, EXPERTS, RANKS, SLOTS, TOP_K = 4, 16, 4, 5, 2
BOUNDARY = int(os.environ.get("PLIMSOLL_BOUNDARY", "8"))


def expert(layer, number):
    random = torch.Generator().manual_seed(1000 * layer + number)
    return torch.randn(6, 4, generator=random), torch.randn(3, generator=random).double()


class Toy:
    """vLLM's MixtureOfExperts, as far as its balancer asks."""

    num_expert_groups, num_shared_experts, num_moe_layers = 1, 0, LAYERS
    num_logical_experts = num_routed_experts = EXPERTS
    num_physical_experts, num_local_physical_experts, num_redundant_experts = RANKS * SLOTS, SLOTS, RANKS * SLOTS - EXPERTS

    def __init__(self, rank, placement, layer_state):
        self.rank = rank
        self.moe_layers = [types.SimpleNamespace(layer_name="model.layers.%d.mlp.experts" % (layer + 1), top_k=TOP_K,
                                                 eplb_state=layer_state()) for layer in range(LAYERS)]
        self.expert_weights = [[torch.stack(parts) for parts in zip(*(expert(layer, one) for one in self.mine(placement[layer])))]
                               for layer in range(LAYERS)]

    def mine(self, row):
        return row[self.rank * SLOTS:(self.rank + 1) * SLOTS]

    def set_eplb_state(self, *tensors):
        for layer, one in enumerate(self.moe_layers):
            one.eplb_state.set_layer_state(layer, *tensors)

    def wrong_slots(self, placement):
        """Slots whose bytes are not those of the expert that the map has there."""
        return sum(not all(torch.equal(found[slot], due) for found, due in zip(self.expert_weights[layer], expert(layer, number)))
                   for layer in range(LAYERS) for slot, number in enumerate(self.mine(placement[layer])))


def join(directory, rank):
    """vLLM's own groups: all ranks with experts, once more for the balancer, and stages of one."""
    from vllm.distributed import parallel_state
    parallel_state.init_distributed_environment(RANKS, rank, "file://" + os.path.join(directory, "gloo"), 0, "gloo")

    def made(ranks, name):
        return parallel_state.init_model_parallel_group(ranks, rank, "gloo", group_name=name, use_device_communicator=False)
    parallel_state._EP = made([list(range(RANKS))], "ep")
    parallel_state._EPLB = made([list(range(RANKS))], "eplb")
    parallel_state._PP = made([[one] for one in range(RANKS)], "pp")
    return parallel_state._EP.cpu_group


def popularity(layer, drifted):
    """Of experts: a few are hot, others after each drift."""
    weight = 1.0 / (1 + numpy.arange(EXPERTS)) ** 1.2
    order = numpy.random.default_rng(7 + layer + 100 * drifted).permutation(EXPERTS)
    return (weight / weight.sum())[order]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rank", type=int, required=True)
    options.add_argument("--directory", required=True)
    options.add_argument("--steps", type=int, default=1_000_000)
    options.add_argument("--wait", action="store_true", help="after its steps, for the file `stop`: what it counted is read meanwhile")
    options.add_argument("--interval", type=int, default=1_000_000)
    options.add_argument("--asynchronous", action="store_true")
    options.add_argument("--start", help="a map to start with, as JSON")
    options = options.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    rank = options.rank
    from vllm.plugins import load_general_plugins
    load_general_plugins()
    from vllm.distributed.eplb import eplb_state
    vllm_on_cpu.without_accelerator()
    hooked = hasattr(eplb_state.EplbState.step, "__wrapped__")
    vllm_on_cpu.watch()
    group = join(options.directory, rank)
    placement = json.loads(options.start) if options.start else [[slot % EXPERTS for slot in range(RANKS * SLOTS)]] * LAYERS
    model = Toy(rank, placement, eplb_state.EplbLayerState)
    config = types.SimpleNamespace(model="toy", compute_hash=lambda: "toy", runner_type="generate")
    parallel = types.SimpleNamespace(
        data_parallel_size=RANKS, tensor_parallel_size=1, prefill_context_parallel_size=1, enable_elastic_ep=False, num_ubatches=0,
        eplb_config=types.SimpleNamespace(
            use_async=options.asynchronous, window_size=32, step_interval=options.interval, policy="default", communicator="torch_gloo",
            log_balancedness=False, log_balancedness_interval=1, num_redundant_experts=RANKS * SLOTS - EXPERTS,
            migration_batching_enabled=False))
    device = torch.device("cpu")
    if options.start:
        state = eplb_state.EplbState.from_mapping(model, config, device, parallel, torch.tensor(placement),
                                                  *([RANKS * SLOTS] if vllm_on_cpu.older_mapping() else []))
    else:
        state = eplb_state.EplbState(parallel, device)
        state.add_model(model, config)
    if options.asynchronous:
        state.start_async_loop()
    found = state.model_states["toy"]
    seen = vllm_on_cpu.seen
    tells = hasattr(state, "prepare_forward")
    told = {"misrouted": 0, "wrong_slots": 0, "served": 0, "maps": 0, "hooked": hooked, "truth": {}, "steps": 0}
    totals, passes, ratios, last = {}, {}, [], found.physical_to_logical_map.tolist()
    served_at = time.perf_counter()
    while told["steps"] < options.steps:
        stop = torch.tensor([int(os.path.exists(os.path.join(options.directory, "stop")))])
        dist.all_reduce(stop, group=group)  # and this is where the layers of an engine would wait for each other
        if stop.item():
            break
        step, drifted = told["steps"], drifts(os.path.join(options.directory, "drift"))
        random, dummy = numpy.random.default_rng(step * RANKS + rank), step % 11 == 3 + rank
        tokens = 17 + (7 * step + 3 * rank) % 9
        padded = 32 if tells else tokens  # who does not tell them apart counts them all
        if tells and not dummy:
            state.prepare_forward(config, tokens)
        sent = numpy.zeros((LAYERS, RANKS * SLOTS), dtype=int)
        for layer, one in enumerate(model.moe_layers):
            ids = torch.tensor(numpy.array([random.choice(EXPERTS, TOP_K, replace=False, p=popularity(layer, drifted))
                                            for _ in range(padded)]), dtype=torch.int32)
            on, seat = one.eplb_state, numpy.array(last[layer])
            physical = vllm_on_cpu.map_and_record(
                ids, on.expert_load_view, on.logical_to_physical_map, on.logical_replica_count,
                getattr(on, "should_record_tensor", None), on.num_unpadded_tokens_tensors[0] if tells else None).numpy()
            told["misrouted"] += int((seat[physical] != ids.numpy()).sum())
            numpy.add.at(sent[layer], physical[:tokens].flatten(), 1)
        told["served"] += 0 if dummy else tokens
        session = seen.get("begun")
        incarnation = session.incarnation if session is not None else None
        state.step(is_dummy=dummy)
        told["steps"] += 1
        if incarnation is not None:
            passes[incarnation] = passes.get(incarnation, 0) + 1
            totals[incarnation] = totals.get(incarnation, 0) + (0 if dummy else sent)
            if passes[incarnation] % BOUNDARY == 0:
                told["truth"].setdefault(str(incarnation), {})[str(passes[incarnation])] = (totals[incarnation] + 0 * sent).tolist()
        now = found.physical_to_logical_map.tolist()
        if now != last:
            told["maps"] += 1
            told["wrong_slots"] += model.wrong_slots(now)
            last = now
    took = time.perf_counter() - served_at
    told.update(map=last, wrong_slots=told["wrong_slots"] + model.wrong_slots(last), steps_per_second=round(told["steps"] / took, 1),
                calls_s=seen["calls_s"], rearranged=seen["rearranged"],
                interval=state.expert_rearrangement_step_interval, alive=session.alive if session is not None else None)
    print(json.dumps(told), flush=True)
    while options.wait and not os.path.exists(os.path.join(options.directory, "stop")):
        time.sleep(0.1)
    dist.barrier(group=group)
    os._exit(0)  # the balancer's second thread has no end


if __name__ == "__main__":
    main()
