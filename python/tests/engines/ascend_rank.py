"""One rank of a toy model whose experts vllm-ascend's own, unmodified modules of model runner v1 balance, on CPU over gloo.

4 MoE layers x 16 experts on 4 ranks x 5 slots, real tensors. Tokens travel: each rank routes its own, by the engine's table, the
rank of the slot computes them with what is in the slot, and the rank they came from compares the result with that of the expert that
was chosen. Our part of a model runner is what calls the balancer before and after each pass. One line of JSON at the end.
"""
import argparse
import json
import logging
import multiprocessing
import os
import signal
import sys
import time
import types

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ascend_stubs  # noqa: E402
from drift import drifts  # noqa: E402
from ascend_toy import (EXPERTS, LAYERS, RANKS, REFERENCE, SLOTS, TOP_K, Tokens, percentile, wrong_slots)  # noqa: E402

ascend_stubs.install(os.environ["PLIMSOLL_ASCEND_SOURCE"])  # here: a spawned planner process reads this file again


class Layer:
    """A MoE layer as the adaptor wants it: maps by the engine's own function, weights, and a counter."""

    top_k = TOP_K

    def __init__(self, number, rank, config, tp_size):
        from vllm_ascend.eplb.adaptor.vllm_adaptor import VllmEplbAdaptor
        from vllm_ascend.eplb.core.eplb_utils import init_eplb_config
        moe = types.SimpleNamespace(num_experts=EXPERTS, ep_size=RANKS, ep_rank=rank)
        self.global_expert_map, self.expert_map, self.log2phy, extra = init_eplb_config(config, number, moe, tp_size=tp_size)
        assert extra == RANKS * SLOTS - EXPERTS, extra
        self.layer_name = "model.layers.%d.mlp.experts" % (number + 1)  # layer 0 is dense
        self.number, self.ep_rank, self.local_num_experts = number, rank, SLOTS
        self.w13_weight, self.w2_weight = (part[self.held()].clone() for part in REFERENCE[number])
        self.moe_load = torch.zeros(SLOTS, dtype=torch.int64)
        VllmEplbAdaptor.register_layer(self)

    def held(self):
        """[slot] expert, of this rank; a slot that nobody looks up holds expert 0."""
        held = [0] * SLOTS
        for expert, slot in enumerate(self.global_expert_map[self.ep_rank].tolist()):
            if slot >= 0:
                held[slot] = expert
        return held

    def get_log2phy_map(self):
        return self.log2phy

    def clear_moe_load(self):
        self.moe_load.zero_()


class Model:
    quant_config = None
    config = types.SimpleNamespace(first_k_dense_replace=1, model_type="toy_moe", num_experts_per_tok=TOP_K)


class Engine:
    """What model runner v1 does for its balancer, and a forward pass."""

    def __init__(self, rank, options):
        from vllm_ascend.eplb.adaptor.vllm_adaptor import VllmEplbAdaptor
        from vllm_ascend.eplb.core.eplb_device_transfer_loader import D2DExpertWeightLoader
        from vllm_ascend.eplb.core.eplb_worker import EplbProcess
        from vllm_ascend.eplb.eplb_updator import EplbUpdator
        config = types.SimpleNamespace(
            dynamic_eplb=True, expert_map_path=options.map, num_redundant_experts=RANKS * SLOTS - EXPERTS,
            expert_heat_collection_interval=options.heat, algorithm_execution_interval=options.planning,
            eplb_policy_type=options.policy, expert_map_record_path=None)
        self.layers = [Layer(number, rank, config, options.tp) for number in range(LAYERS)]
        loader = D2DExpertWeightLoader()
        self.manager = multiprocessing.Manager()
        shared = self.manager.dict({"expert_map": None, "moe_load": None, "expert_maps": None})
        self.process = EplbProcess(shared_dict=shared, policy_type=options.policy, enable_d2d=True, tp_size=options.tp)
        self.planner = self.process._launch_process()
        self.updator = EplbUpdator(config, loader, self.process, self.planner)
        self.adaptor = VllmEplbAdaptor(model=Model())
        loader.set_adator(self.adaptor)
        self.updator.set_adaptor(self.adaptor)
        self.updator.warm_up_eplb()
        self.tokens = Tokens(rank, options.seed, options.skew)
        self.wrong_slots = 0

    def a_pass(self, stop):
        self.updator.forward_before()
        for layer in self.layers:
            layer.moe_load.add_(self.tokens.through(
                layer.number, lambda experts: layer.log2phy[experts], (layer.w13_weight, layer.w2_weight), stop))
        self.updator.forward_end(True)

    def map(self):
        """[layer][slot] expert of this rank, of the map that the engine looks up; -1: none."""
        rows = []
        for layer in range(LAYERS):
            row = [-1] * SLOTS
            for expert, slot in enumerate(self.adaptor.expert_map_per_layer_cpu[layer].tolist()):
                if slot >= 0:
                    row[slot] = expert
            rows.append(row)
        return rows

    def compare(self):
        """Every byte of this rank's slots with what the map says is in them."""
        for layer, row in zip(self.layers, self.map()):
            self.wrong_slots += wrong_slots(layer.number, row, (layer.w13_weight, layer.w2_weight))


class Watch:
    """Looks at our part of this rank from outside: what it should have counted, and what its calls take."""

    def __init__(self, kill):
        from plimsoll_engine import ascend
        self.rank, self.truth, self.bases = None, {}, {}
        self.between, self.at_boundaries, self.moves, self.killed = [], [], 0, False
        created, ended, move = ascend.Rank.__init__, ascend.Rank._pass_ended, ascend.Rank._move

        def create(rank, *arguments):
            created(rank, *arguments)
            self.rank = rank

        def timed(rank, updator, cycle_ended):
            before = time.perf_counter_ns()
            try:
                return ended(rank, updator, cycle_ended)
            finally:
                at_boundary = rank.session._steps % rank._settings.boundary_steps == 0
                (self.at_boundaries if at_boundary else self.between).append(time.perf_counter_ns() - before)

        def moving(rank, updator, target):
            move(rank, updator, target)
            self.moves += 1
            if kill and not self.killed:
                os.kill(updator.process.pid, signal.SIGKILL)
                self.killed = True

        ascend.Rank.__init__, ascend.Rank._pass_ended, ascend.Rank._move = create, timed, moving

    def after_pass(self, sent):
        session = self.rank.session if self.rank else None
        if session is None or not session.alive:
            return
        key = str(session.incarnation)
        if key not in self.bases:
            self.bases[key] = sent.clone()
        if session._steps and session._steps % self.rank._settings.boundary_steps == 0:
            self.truth.setdefault(key, {})[session._steps] = (sent - self.bases[key]).tolist()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--directory", required=True, help="where gloo meets and commands to the ranks lie")
    parser.add_argument("--name", default="ascend")
    parser.add_argument("--heat", type=int, default=40)
    parser.add_argument("--planning", type=int, default=8)
    parser.add_argument("--policy", type=int, default=2)
    parser.add_argument("--tp", type=int, default=1)
    parser.add_argument("--map", help="a start placement, in the engine's format")
    parser.add_argument("--start-method", default="spawn")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--warm-up", type=int, default=100, help="passes that are not timed")
    parser.add_argument("--drift-file", help="others are popular at each length of it")
    parser.add_argument("--stop-file", help="ends all ranks when it is there")
    parser.add_argument("--kill-planner", type=int, default=-1, help="this rank's planner process is killed when a move is ordered")
    parser.add_argument("--skew", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    logging.basicConfig(format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("plimsoll").setLevel(logging.INFO)
    torch.set_num_threads(1)
    multiprocessing.set_start_method(options.start_method)
    ascend_stubs.join(options.directory, options.name, options.rank, RANKS)
    watch = Watch(options.kill_planner == options.rank)
    plugins = ascend_stubs.load_plugins()
    engine = Engine(options.rank, options)
    tokens = engine.tokens
    from vllm_ascend.eplb.eplb_updator import EplbUpdator
    hooked = hasattr(EplbUpdator.forward_end, "__wrapped__")
    step, seconds = 0, 0.0
    while step < options.steps and not tokens.stopping:
        step += 1
        look = step % 16 == 0
        if look:
            tokens.drifted = drifts(options.drift_file)
        before = time.perf_counter()
        engine.a_pass(look and bool(options.stop_file) and os.path.exists(options.stop_file))
        seconds += time.perf_counter() - before if step > options.warm_up else 0
        watch.after_pass(tokens.sent)
        if look:
            engine.compare()
    engine.compare()
    session = watch.rank.session if watch.rank else None
    print(json.dumps({
        "rank": options.rank, "plugins": plugins, "hooked": hooked,
        "still_hooked": hasattr(EplbUpdator.forward_end, "__wrapped__"), "alive": bool(session and session.alive),
        "steps": step, "steps_per_second": round((step - options.warm_up) / seconds, 1) if seconds else None,
        "served": tokens.served, "misrouted": tokens.misrouted, "wrong_slots": engine.wrong_slots, "map": engine.map(),
        "outputs": tokens.outputs.hexdigest(), "truth": watch.truth, "moves": watch.moves, "planner_killed": watch.killed,
        "planner_alive": engine.planner.is_alive(),
        "us_between": [percentile(watch.between, part) for part in (0.5, 0.99)],
        "us_boundary": [percentile(watch.at_boundaries, part) for part in (0.5, 0.99)]}), flush=True)
    engine.updator.shutdown()
    if session:
        session.close()
    engine.manager.shutdown()
    os._exit(0)  # gloo waits for ranks that are gone


if __name__ == "__main__":
    main()
