"""A double of vllm-ascend's balancer of model runner v1, with the names that the plug-in relies on; ours, and as simple as can be.

put_in(test) gives modules of these names to the importer. A rank's planner is no process: it answers when it is woken, while it is
alive.
"""
import queue
import sys
import types

import torch

LAYERS, SLOTS, EXPERTS = 2, 3, 5
START = [[0, 1, 2, 3, 4, 0]] * LAYERS  # of two ranks


class Layer:
    top_k = 2

    def __init__(self, number, rank, placement):
        row = placement[rank * SLOTS:(rank + 1) * SLOTS]
        self.layer_name = "model.layers.%d.mlp.experts" % (number + 3)
        self.moe_load = torch.zeros(SLOTS, dtype=torch.int64)
        self.global_expert_map = torch.full((len(placement) // SLOTS, EXPERTS), -1)
        self.map = torch.tensor([row.index(expert) if expert in row else -1 for expert in range(EXPERTS)])


class VllmEplbAdaptor:
    config = types.SimpleNamespace(model_type="double")

    def __init__(self, rank, placement):
        self.moe_layers = [Layer(number, rank, row) for number, row in enumerate(placement)]
        self.num_moe_layers, self.num_local_experts = len(placement), SLOTS
        self.expert_map_per_layer_cpu = {number: layer.map for number, layer in enumerate(self.moe_layers)}
        self.expert_param_per_layer = {0: [[torch.zeros(4), torch.zeros(2, dtype=torch.int8)]]}

    def get_rank_expert_workload(self):
        return torch.stack([layer.moe_load for layer in self.moe_layers])

    def clear_all_moe_loads(self):
        for layer in self.moe_layers:
            layer.moe_load.zero_()

    def do_update_expert_map(self, layer_id, updated_expert_map):
        self.expert_map_per_layer_cpu[layer_id].copy_(updated_expert_map)


class OwnPolicy:
    to = None  # a map, or None: all stays as it is

    def rebalance_experts(self, current_expert_table, expert_workload):
        return 0, None, current_expert_table if self.to is None else torch.tensor(self.to).reshape(current_expert_table.shape)


class PolicyFactory:
    @staticmethod
    def generate_policy(policy_type):
        return OwnPolicy()


class EplbWorker:
    """Its own idea of the map is as old as its last answer, as in the engine."""

    def __init__(self, shared_dict, rank):
        self.policy, self.shared_dict, self.rank = PolicyFactory.generate_policy(2), shared_dict, rank
        self.old_expert_maps = None

    def calculate_rebalance_experts(self, load_info, old_placement):
        return self.policy.rebalance_experts(old_placement, load_info)

    def do_update(self):
        maps = self.old_expert_maps
        table = torch.full((*maps.shape[:2], SLOTS), -1)
        for layer, rank, expert in (maps >= 0).nonzero().tolist():
            table[layer, rank, maps[layer, rank, expert]] = expert
        target = self.calculate_rebalance_experts(self.shared_dict["moe_load"], table)[2]
        made = torch.full_like(maps, -1)
        for layer, rank, slot in (target >= 0).nonzero().tolist():
            made[layer, rank, target[layer, rank, slot]] = slot
        self.old_expert_maps = made
        return [made[layer, self.rank] for layer in range(len(made))]


class Planner:
    pid, alive = 0, True

    def is_alive(self):
        return self.alive


class EplbProcess:
    def __init__(self, shared_dict, rank, placement):
        self.shared_dict, self.block_update_q = shared_dict, queue.Queue(1)
        self.worker = EplbWorker(shared_dict, rank)
        self.worker.old_expert_maps = torch.full((len(placement), len(placement[0]) // SLOTS, EXPERTS), -1)
        for layer, row in enumerate(placement):
            for slot, expert in enumerate(row):
                self.worker.old_expert_maps[layer, slot // SLOTS, expert] = slot % SLOTS
        self.own = self.block_update_q
        self.planner = self._launch_process()

    def worker_process(self, planner_q, block_update_q):
        block_update_q.put(self.worker.do_update())

    def _launch_process(self):
        return Planner()


class EplbUpdator:
    expert_heat_collection_interval, algorithm_execution_interval = 4, 2
    expert_map_record_path, pp_rank = None, 0

    def __init__(self, process):
        self.eplb_process, self.shared_dict, self.cur_iterations = process, process.shared_dict, 0

    def set_adaptor(self, adaptor):
        self.adaptor, self.num_moe_layers = adaptor, adaptor.num_moe_layers

    def update_iteration(self):
        self.cur_iterations += 1
        if self.cur_iterations == self._first() + self.num_moe_layers:
            self.adaptor.clear_all_moe_loads()
            self.cur_iterations = 0

    def _first(self):
        return self.expert_heat_collection_interval + self.algorithm_execution_interval

    def wakeup_eplb_worker_flag(self):
        return self.cur_iterations == self.expert_heat_collection_interval - 1

    def forward_before(self):
        if self.cur_iterations == self._first() - 1:
            self.answer = self.eplb_process.block_update_q.get()

    def forward_end(self, eplb_heat_collection_status=True):
        if self.wakeup_eplb_worker_flag():
            self.shared_dict["moe_load"] = self.adaptor.get_rank_expert_workload()
            if self.eplb_process.planner.alive:
                self.eplb_process.worker_process(None, self.eplb_process.own)
        layer = self.cur_iterations - self._first()
        if 0 <= layer < self.num_moe_layers:
            self.adaptor.do_update_expert_map(layer, self.answer[layer])
        if self.cur_iterations >= self.expert_heat_collection_interval - 1 or eplb_heat_collection_status:
            self.update_iteration()


def get_ep_group():
    raise AssertionError("the tests give their own group")


MODULES = {
    "vllm": {}, "vllm.distributed": {}, "vllm.distributed.parallel_state": {"get_ep_group": get_ep_group}, "vllm_ascend": {}, "vllm_ascend.eplb": {},
    "vllm_ascend.eplb.eplb_updator": {"EplbUpdator": EplbUpdator}, "vllm_ascend.eplb.adaptor": {},
    "vllm_ascend.eplb.adaptor.vllm_adaptor": {"VllmEplbAdaptor": VllmEplbAdaptor}, "vllm_ascend.eplb.core": {},
    "vllm_ascend.eplb.core.eplb_worker": {"PolicyFactory": PolicyFactory, "EplbProcess": EplbProcess, "EplbWorker": EplbWorker}}


def put_in(test):
    for name, contents in MODULES.items():
        module = types.ModuleType(name)
        module.__path__ = []
        vars(module).update(contents)
        sys.modules[name] = module
        test.addCleanup(sys.modules.pop, name, None)
