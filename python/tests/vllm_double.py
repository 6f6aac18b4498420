"""Stands for vLLM in tests: modules of the names that the plug-in knows, a balancer that counts, rearranges and commits as vLLM's does.

Ranks are threads; all of vLLM's modules are this one, so that what is hooked in it is what its own functions call.
"""
import sys
import threading
import types

import torch

RANKS, LAYERS, EXPERTS, SLOTS, TOP_K = 2, 2, 3, 2, 2
__version__ = "double"
_this_rank = threading.local()


def put_in(test):
    """Has `import vllm` find it, for one test."""
    this = sys.modules[__name__]
    packages = {"vllm.distributed.eplb": dict(eplb_state=this, policy=this), "vllm.distributed": dict(parallel_state=this),
                "vllm": dict(__version__=__version__)}
    modules = {"vllm.distributed.parallel_state": this, "vllm.distributed.eplb.eplb_state": this, "vllm.distributed.eplb.policy": this}
    for name, contents in packages.items():
        modules[name] = types.ModuleType(name)
        vars(modules[name]).update(contents, __path__=[])
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "vllm"}
    sys.modules.update(modules)

    def take_out():
        for name in modules:
            sys.modules.pop(name, None)
        sys.modules.update(before)
    test.addCleanup(take_out)


class _ExpertGroup:
    def __init__(self, group):
        self.rank_in_group, self.world_size = group.rank, group.size
        self.tcp_store_group = types.SimpleNamespace(all_gather_obj=group.gather)


def is_rank(group):
    """This thread is a rank of that group."""
    _this_rank.group = _ExpertGroup(group)


def get_ep_group():
    return _this_rank.group


def get_pp_group():
    return types.SimpleNamespace(rank_in_group=0)


def parallel_config(tensor_parallel=RANKS, use_async=False):
    return types.SimpleNamespace(
        tensor_parallel_size=tensor_parallel, data_parallel_size=RANKS // tensor_parallel,
        eplb_config=types.SimpleNamespace(step_interval=1000, window_size=10, use_async=use_async))


def model_config(runner_type="generate"):
    return types.SimpleNamespace(model="double/moe", runner_type=runner_type)


def model():
    """Layers 3 and 4 of a model, 0 to 2 are dense."""
    layers = [types.SimpleNamespace(layer_name="model.layers.%d.mlp.experts" % (3 + layer), top_k=TOP_K) for layer in range(LAYERS)]
    return types.SimpleNamespace(moe_layers=layers, num_moe_layers=LAYERS, num_logical_experts=EXPERTS,
                                 num_physical_experts=RANKS * SLOTS, expert_weights=[[torch.zeros(SLOTS, 4)]] * LAYERS)


class DefaultEplbPolicy:
    """Its idea of a better map: all one slot further."""

    @classmethod
    def rebalance_experts(cls, weight, num_replicas, num_groups, num_nodes, num_ranks, old_global_expert_indices=None):
        return torch.roll(old_global_expert_indices, 1, dims=1)


class EplbModelState:
    def __init__(self, model):
        self.model, self.rebalanced, self.pending = model, False, None
        slots = model.num_physical_experts
        self.physical_to_logical_map = torch.tensor([[slot % EXPERTS for slot in range(slots)]] * LAYERS)
        self.expert_load_pass = torch.zeros(LAYERS, slots, dtype=torch.int32)


class EplbState:
    def __init__(self, parallel_config, device):
        self.parallel_config, self.device, self.model_states = parallel_config, device, {}
        self.policy, self.is_async = DefaultEplbPolicy, parallel_config.eplb_config.use_async
        self.expert_rearrangement_step = 0
        self.expert_rearrangement_step_interval = parallel_config.eplb_config.step_interval
        self.window = []  # of passes, as they were recorded
        self.should_record = True

    def add_model(self, model, model_config, model_name=None):
        self.policy = DefaultEplbPolicy
        self.model_states[model_name or len(self.model_states)] = EplbModelState(model)

    def prepare_forward(self, model_config, num_unpadded_tokens, ubatch_slices=None):
        pass

    def step(self, is_dummy=False, is_profile=False, log_stats=False):
        if is_profile:
            self.rearrange(is_profile=True)
            return
        if is_dummy or self._should_record_current_step(log_stats):
            if not is_dummy:
                self.window.append([state.expert_load_pass.tolist() for state in self.model_states.values()])
            for state in self.model_states.values():
                state.expert_load_pass.zero_()
        self.expert_rearrangement_step += 1
        for state in self.model_states.values():
            if state.rebalanced:
                _move_to_workspace(state)
        if self.expert_rearrangement_step >= self.expert_rearrangement_step_interval:
            if any(state.rebalanced for state in self.model_states.values()):
                return
            self.expert_rearrangement_step = 0
            self.rearrange()
        self._update_layer_should_record(log_stats)

    def _update_layer_should_record(self, log_stats=False):
        self.should_record = self._should_record_current_step(log_stats)

    def _should_record_current_step(self, log_stats=False):
        return self.expert_rearrangement_step_interval - self.expert_rearrangement_step <= 10

    def rearrange(self, is_profile=False, rank_mapping=None):
        for state in self.model_states.values():
            new = self.policy.rebalance_experts(None, None, None, None, None, state.physical_to_logical_map)
            if is_profile:
                continue
            if self.is_async:
                state.rebalanced, state.pending = True, [(layer, new[layer]) for layer in range(LAYERS)]
            else:
                _commit_eplb_maps(state, new)


def _move_to_workspace(state):
    layer, new = state.pending.pop(0)
    _commit_eplb_maps_for_layer(state, new, layer)
    state.rebalanced = bool(state.pending)


def _commit_eplb_maps(model_state, new_physical_to_logical_map):
    model_state.physical_to_logical_map.copy_(new_physical_to_logical_map)


def _commit_eplb_maps_for_layer(model_state, new_physical_to_logical_map, layer):
    model_state.physical_to_logical_map[layer].copy_(new_physical_to_logical_map)
