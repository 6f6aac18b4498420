"""One rank of a toy model whose experts vLLM's EplbState balances as vllm-ascend's model runner v2 has it: both unmodified, on CPU.

PLIMSOLL_ASCEND_SOURCE and PLIMSOLL_VLLM_SOURCE name trees of releases that go together, such as 0.30.0rc2 and 0.30.0. As in
ascend_rank.py tokens travel and are checked; the engine's own functions map, count and move. Every 7th pass is a dummy pass of one of the ranks:
it has no tokens of its own, and computes those of others.
"""
import argparse
import json
import logging
import os
import sys
import time
import types

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ascend_stubs  # noqa: E402
from drift import drifts  # noqa: E402
from ascend_toy import EXPERTS, LAYERS, RANKS, REFERENCE, SLOTS, TOP_K, Tokens, percentile, wrong_slots  # noqa: E402


class Layer:
    top_k = TOP_K

    def __init__(self, number, state):
        self.layer_name, self.eplb_state = "model.layers.%d.mlp.experts" % (number + 1), state
        self.weights = []


class Model:
    """vLLM's MixtureOfExperts, as far as the balancer asks."""

    num_moe_layers, num_logical_experts, num_routed_experts, num_expert_groups = LAYERS, EXPERTS, EXPERTS, 1
    num_physical_experts, num_local_physical_experts = RANKS * SLOTS, SLOTS
    num_redundant_experts = RANKS * SLOTS - EXPERTS

    def __init__(self, rank, start, layer_state):
        self.moe_layers = [Layer(number, layer_state()) for number in range(LAYERS)]
        held = start[rank * SLOTS:(rank + 1) * SLOTS]
        for number, layer in enumerate(self.moe_layers):
            layer.weights = [part[held].clone() for part in REFERENCE[number]]
        self.expert_weights = [layer.weights for layer in self.moe_layers]

    def set_eplb_state(self, expert_load_view, logical_to_physical_map, logical_replica_count):
        for number, layer in enumerate(self.moe_layers):
            layer.eplb_state.set_layer_state(number, expert_load_view, logical_to_physical_map, logical_replica_count)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--directory", required=True)
    parser.add_argument("--name", default="ascend")
    parser.add_argument("--interval", type=int, default=100_000)
    parser.add_argument("--policy", default="default")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--warm-up", type=int, default=100)
    parser.add_argument("--drift-file")
    parser.add_argument("--stop-file")
    parser.add_argument("--skew", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    logging.basicConfig(format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("plimsoll").setLevel(logging.INFO)
    torch.set_num_threads(1)
    ascend_stubs.join(options.directory, options.name, options.rank, RANKS)
    ascend_stubs.install_v2(os.environ["PLIMSOLL_ASCEND_SOURCE"], os.environ["PLIMSOLL_VLLM_SOURCE"])
    from vllm_ascend.patch.platform import patch_eplb  # noqa: F401  as vllm-ascend does it when its platform is taken
    plugins = ascend_stubs.load_plugins()
    from plimsoll_engine import vllm as plug_in
    from vllm.distributed.eplb.eplb_state import EplbState
    from vllm_ascend.distributed.eplb.eplb_state import EXPERT_MAPPING_EP_SIZE, AscendEplbLayerState, AscendEplbState
    from vllm_ascend.distributed.eplb.policy.factory import create_eplb_policy
    from vllm_ascend.ops.fused_moe.eplb import map_to_physical, record_expert_tokens
    parallel = types.SimpleNamespace(
        enable_eplb=True, enable_elastic_ep=False, data_parallel_size=RANKS, tensor_parallel_size=1, num_ubatches=0,
        eplb_config=types.SimpleNamespace(window_size=100, step_interval=options.interval, use_async=False, policy=options.policy,
                                          communicator="torch_gloo", log_balancedness=False, log_balancedness_interval=1))
    config = types.SimpleNamespace(model="toy", runner_type="generate", compute_hash=lambda: "toy")
    state = AscendEplbState(parallel, torch.device("cpu"), create_eplb_policy(options.policy, None))
    EXPERT_MAPPING_EP_SIZE.set(RANKS)
    start = list(EplbState.build_initial_global_physical_to_logical_map(EXPERTS, RANKS * SLOTS - EXPERTS))
    model = Model(options.rank, start, AscendEplbLayerState)
    state.add_model(model, config)
    of = state.model_states["toy"]
    tokens = Tokens(options.rank, options.seed, options.skew)
    balancers, truth, bases, wrong = [], {}, {}, 0
    between, at_boundaries, calls = [], [], []
    for name in ("before", "after"):
        timed(plug_in.Balancer, name, balancers, calls)
    step, seconds, dummies = 0, 0.0, 0
    while step < options.steps and not tokens.stopping:
        step += 1
        look = step % 16 == 0
        if look:
            tokens.drifted = drifts(options.drift_file)
        stop = look and bool(options.stop_file) and os.path.exists(options.stop_file)
        dummy = step > 4 and step % 7 == 0 and step // 7 % RANKS == options.rank
        dummies += dummy
        began = time.perf_counter()
        for number, layer in enumerate(model.moe_layers):
            own = layer.eplb_state
            counted = tokens.through(number, lambda ids, own=own: map_to_physical(ids, own.expert_replica_routing_table),
                                     layer.weights, stop, dummy)
            record_expert_tokens(counted, own.expert_load_view, own.should_record_tensor, 1, own.local_expert_start)
        state._has_fresh_recorded_load = True
        calls.clear()
        state.step(is_dummy=dummy)
        seconds += time.perf_counter() - began if step > options.warm_up else 0
        session = balancers[0]._counted[0].session if balancers and balancers[0]._counted else None
        if session is not None and session.alive:
            key, steps = str(session.incarnation), session._steps
            if key not in bases:
                bases[key] = tokens.sent.clone()
            at_boundary = steps and steps % session._settings.boundary_steps == 0
            (at_boundaries if at_boundary else between).append(sum(calls))
            if at_boundary:
                truth.setdefault(key, {})[steps] = (tokens.sent - bases[key]).tolist()
        if look or tokens.stopping:
            for number, layer in enumerate(model.moe_layers):
                row = of.physical_to_logical_map[number].tolist()[options.rank * SLOTS:(options.rank + 1) * SLOTS]
                wrong += wrong_slots(number, row, layer.weights)
    rows = of.physical_to_logical_map.tolist()
    print(json.dumps({
        "rank": options.rank, "plugins": plugins, "alive": bool(balancers and balancers[0]._counted), "steps": step,
        "steps_per_second": round((step - options.warm_up) / seconds, 1) if seconds else None, "dummies": dummies,
        "served": tokens.served, "misrouted": tokens.misrouted, "wrong_slots": wrong,
        "map": [row[options.rank * SLOTS:(options.rank + 1) * SLOTS] for row in rows], "outputs": tokens.outputs.hexdigest(),
        "truth": truth, "hooked": hasattr(EplbState.step, "__wrapped__"),
        "us_between": [percentile(between, part) for part in (0.5, 0.99)],
        "us_boundary": [percentile(at_boundaries, part) for part in (0.5, 0.99)]}), flush=True)
    os._exit(0)


def timed(owner, name, balancers, into):
    original = getattr(owner, name)

    def call(balancer, *arguments):
        if balancer not in balancers:
            balancers.append(balancer)
        began = time.perf_counter_ns()
        try:
            return original(balancer, *arguments)
        finally:
            into.append(time.perf_counter_ns() - began)

    setattr(owner, name, call)


if __name__ == "__main__":
    main()
