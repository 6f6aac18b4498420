"""vllm-ascend's balancer of model runner v2: vLLM's, and what of it is other than vLLM has it.

Its EplbState is a class below vLLM's that calls it, so vLLM's hooks see all of it. What differs: the counters hold tokens that own
slots computed, also in dummy passes, when other ranks' tokens are computed here; a policy may be an object of vllm-ascend's; a
rearrangement is left out where no rank has recorded load since the last; and layers moved in the background are committed by a
function of its own. `_move_to_workspace` is wrapped by vllm-ascend, and is left alone.
"""
from plimsoll_engine import vllm, vllm_model
from plimsoll_engine.ascend import version, where
from plimsoll_engine.steering import Session
from plimsoll_engine.surface import Need, Surface

_STATE, _PATCH = "vllm_ascend.distributed.eplb.eplb_state", "vllm_ascend.patch.platform.patch_eplb"
_COMMIT = "_commit_ascend_maps_for_layer"
SURFACE = Surface("vllm-ascend v2", [
    *vllm.SURFACE.needs,
    Need(_STATE, "AscendEplbState.add_model", ("self", "model", "model_config")),
    Need(_STATE, "AscendEplbState.step", ("self", "is_dummy", "is_profile", "log_stats")),
    Need(_STATE, "AscendEplbState.rearrange", ("self", "is_profile", "rank_mapping")),
    Need(_STATE, "AscendEplbState._has_global_fresh_recorded_load", ("self",)),
    Need(_PATCH, _COMMIT, ("model_state", "physical_to_logical_map", "logical_to_physical_map", "logical_replica_count",
                           "layer_idx")),
])


def install(settings, hooks):
    from vllm_ascend.patch.platform import patch_eplb
    commit = vllm.install(settings, hooks, Balancer)
    hooks.around(patch_eplb, _COMMIT, commit)


class Policy:
    """Gives the maps that were ordered, one for each model, and where none were, what the engine's own policy gives.

    Not one that brings statistics of its own, as the engine's may be: then the engine takes vLLM's way to a new map.
    """

    def __init__(self, own, ordered):
        self._own, self._ordered = own, ordered

    def rebalance_experts(self, *loads_and_shape, **named):
        if not self._ordered:
            return self._own.rebalance_experts(*loads_and_shape, **named)
        import torch
        return torch.tensor(self._ordered.popleft(), dtype=torch.int64)


class Balancer(vllm.Balancer):
    keeps_window = False  # it asks at other places than vLLM does whether to count

    def before(self, is_dummy):
        super().before(False)  # a dummy pass counts: what it computed came from others

    def _order(self):
        self._state._has_fresh_recorded_load = True  # else the engine would ask whether it is worth it
        super()._order()

    def _open(self, is_dummy):
        group = vllm_model.ep_group()
        for key, model in self._models.items():
            model.state = self._state.model_states[key]
            described = vllm_model.describe(model.state, model.config, self._state.parallel_config, group, None)._replace(
                # Its routing table deals the rows of a batch out to replicas in turn.
                engine=version(), load="computed", share="even")
            model.known, model.ordered, model.committed = described.placement, False, False
            first = group.rank * described.slots_per_rank
            load = model.state.expert_load_pass
            model.session = Session(self._settings, described, group, **where(load))
            model.session.attach(load=load[:, first:first + described.slots_per_rank], zeroed_each_step=True)
            model.session.start()
        if self._settings.steer:
            self._own = self._state.expert_rearrangement_step_interval, self._state.policy
            self._state.expert_rearrangement_step_interval = vllm.NEVER
            self._state.policy = Policy(self._state.policy, self._ordered)
