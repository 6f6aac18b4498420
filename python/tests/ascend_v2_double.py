"""A double of vllm-ascend's balancer of model runner v2, on top of the double of vLLM's: its names, and what it does otherwise."""
import sys
import types
from unittest import mock

import vllm_double as vllm


class StairPolicy:
    """An object, not a class as vLLM's are, that brings statistics of its own."""

    def prepare_local_load_stats(self, samples):
        return samples

    def rebalance_experts(self, *arguments, **named):
        raise AssertionError("the engine's own policy was asked, while a map was ordered or none was due")


class AscendEplbState(vllm.EplbState):
    def __init__(self, parallel_config, device, policy=None):
        super().__init__(parallel_config, device)
        self._has_fresh_recorded_load = False
        self.configured = policy or StairPolicy()

    def add_model(self, model, model_config, *name):
        super().add_model(model, model_config, *name)
        self.policy = self.configured

    def step(self, is_dummy=False, is_profile=False, log_stats=False):
        super().step(is_dummy=is_dummy, is_profile=is_profile, log_stats=log_stats)

    def _has_global_fresh_recorded_load(self):
        return self._has_fresh_recorded_load

    def rearrange(self, is_profile=False, rank_mapping=None):
        if not is_profile and not self._has_global_fresh_recorded_load():
            return None
        assert not hasattr(self.policy, "prepare_local_load_stats"), "a way to a new map that no target can take"
        self._has_fresh_recorded_load = False
        return super().rearrange(is_profile=is_profile, rank_mapping=rank_mapping)


def _commit_ascend_maps_for_layer(model_state, physical_to_logical_map, logical_to_physical_map, logical_replica_count,
                                  layer_idx):
    model_state.physical_to_logical_map[layer_idx].copy_(physical_to_logical_map)


def _move_changed_layer_to_workspace(state):
    layer, new = state.pending.pop(0)
    sys.modules["vllm_ascend.patch.platform.patch_eplb"]._commit_ascend_maps_for_layer(state, new, None, None, layer)
    state.rebalanced = bool(state.pending)


def put_in(test):
    vllm.put_in(test)
    contents = {"vllm_ascend.distributed.eplb.eplb_state": {"AscendEplbState": AscendEplbState},
                "vllm_ascend.patch.platform.patch_eplb": {_commit_ascend_maps_for_layer.__name__: _commit_ascend_maps_for_layer}}
    for name in ("vllm_ascend", "vllm_ascend.distributed", "vllm_ascend.distributed.eplb", "vllm_ascend.patch",
                 "vllm_ascend.patch.platform", *contents):
        module = types.ModuleType(name)
        module.__path__ = []
        vars(module).update(contents.get(name, {}))
        sys.modules[name] = module
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], last, module)
        test.addCleanup(sys.modules.pop, name, None)
    patch = mock.patch.object(vllm, "_move_to_workspace", _move_changed_layer_to_workspace)
    patch.start()
    test.addCleanup(patch.stop)
