"""vLLM: its expert load out, and its own balancer (EPLB) made to move to the maps that Plimsoll decides on.

Needs enable_eplb, as only then vLLM counts and can move. Nothing of vLLM's computation changes: counting is never paused, and while
steering the interval of rearrangements is out of reach, so that they happen on verdicts only.
"""
import collections
import logging
import sys
import weakref

from plimsoll_engine import ascend, vllm_model
from plimsoll_engine.plugin import activate
from plimsoll_engine.steering import LeaveGroup, NotStarted, Session
from plimsoll_engine.surface import Need, Surface

logger = logging.getLogger("plimsoll")
_STATE = "vllm.distributed.eplb.eplb_state"
SURFACE = Surface("vllm", [
    Need("vllm.distributed.eplb.policy", "DefaultEplbPolicy.rebalance_experts",
         ("cls", "weight", "num_replicas", "num_groups", "num_nodes", "num_ranks", "old_global_expert_indices")),
    Need("vllm.distributed.parallel_state", "get_ep_group", ()),
    Need("vllm.distributed.parallel_state", "get_pp_group", ()),
    Need(_STATE, "EplbState.add_model", ("self", "model", "model_config")),
    Need(_STATE, "EplbState.step", ("self", "is_dummy", "is_profile", "log_stats")),
    Need(_STATE, "EplbState.rearrange", ("self", "is_profile", "rank_mapping")),
    Need(_STATE, "_commit_eplb_maps", ("model_state", "new_physical_to_logical_map")),
    Need(_STATE, "_commit_eplb_maps_for_layer", ("model_state", "new_physical_to_logical_map", "layer")),
    # Since 0.20, 2026-04: before, counting was never paused.
    Need(_STATE, "EplbState._should_record_current_step", ("self", "log_stats"), optional=True),
    # Since 0.25, 2026-07: before, says how many tokens are not padding, and windows cannot tell what was lost.
    Need(_STATE, "EplbState.prepare_forward", ("self", "model_config", "num_unpadded_tokens", "ubatch_slices"), optional=True),
])
NEVER = sys.maxsize  # steps until the engine would rearrange experts by itself
_UNKNOWN = "a target that is being asked for"


def register():
    """The entry point: vLLM calls it in every process that it starts. On vllm-ascend it is ascend.register() that acts."""
    if not ascend.installed():
        activate(SURFACE, install)


def install(settings, hooks, balancer_class=None):
    """Puts the hooks in; nothing happens until a worker process has loaded its model and passes step() for the second time.

    balancer_class: of an engine that builds on this one. Returns the hook of functions that commit a map.
    """
    from vllm.distributed.eplb import eplb_state
    balancers = weakref.WeakKeyDictionary()  # by EplbState: one in a process, another after elastic scaling
    state_class = eplb_state.EplbState

    def add_model(original, state, model, model_config, *arguments, **named):
        original(state, model, model_config, *arguments, **named)
        if state not in balancers:
            balancers[state] = (balancer_class or Balancer)(settings, state)
        balancers[state].add(model_config)

    def step(original, state, is_dummy=False, is_profile=False, log_stats=False):
        balancer = balancers.get(state)
        if is_profile or balancer is None:
            return original(state, is_dummy, is_profile, log_stats)
        balancer.in_step = True
        try:
            balancer.guarded(balancer.before, is_dummy)
            balancer.guarded(balancer.lend, is_dummy, log_stats)
            original(state, is_dummy, is_profile, log_stats)
            if balancer.guarded(balancer.due):
                state.rearrange()  # not guarded: what fails in it is the engine's own
            balancer.guarded(balancer.after)
            balancer.guarded(balancer.clear, is_dummy)
        finally:
            balancer.in_step = False

    def rearrange(original, state, is_profile=False, rank_mapping=None, *arguments, **named):
        balancer = balancers.get(state)
        if balancer is not None and not is_profile and not balancer.in_step:
            balancer.end()  # ranks come or go: what is there after it begins anew
        return original(state, is_profile, rank_mapping, *arguments, **named)

    def prepare_forward(original, state, model_config, num_unpadded_tokens, *arguments, **named):
        balancer = balancers.get(state)
        if balancer is not None:
            balancer.routes(model_config, num_unpadded_tokens)
        return original(state, model_config, num_unpadded_tokens, *arguments, **named)

    def recording(original, state, *arguments, **named):
        balancer = balancers.get(state)
        own = original(state, *arguments, **named)
        return own if balancer is None else balancer.records(own)

    def commit(original, model_state, *arguments, **named):
        original(model_state, *arguments, **named)
        for balancer in balancers.values():
            balancer.committed(model_state)

    hooks.around(state_class, "add_model", add_model)
    hooks.around(state_class, "step", step)
    hooks.around(state_class, "rearrange", rearrange)
    if hasattr(state_class, "_should_record_current_step"):
        hooks.around(state_class, "_should_record_current_step", recording)
    # rearrange and _move_to_workspace find these by name in their module, at each call.
    hooks.around(eplb_state, "_commit_eplb_maps", commit)
    hooks.around(eplb_state, "_commit_eplb_maps_for_layer", commit)
    if hasattr(state_class, "prepare_forward"):
        hooks.around(state_class, "prepare_forward", prepare_forward)
    return commit


def _ordered_policy(default, ordered):
    """The engine's policy, which gives the maps that were ordered, one for each model, and where none were, what it always gave.

    Of one EplbState, put into it: a policy is not told which model it is asked about, and the balancer's thread asks too.
    """

    class OrderedPolicy(default):
        @classmethod
        def rebalance_experts(cls, weight, num_replicas, num_groups, num_nodes, num_ranks, old_global_expert_indices=None):
            try:
                target = ordered.popleft()
            except IndexError:
                return super().rebalance_experts(weight, num_replicas, num_groups, num_nodes, num_ranks,
                                                 old_global_expert_indices)
            import torch
            return torch.tensor(target, dtype=torch.int64)

    return OrderedPolicy


class Counted:
    """One model that an EplbState balances."""

    def __init__(self, model_state, model_config):
        self.state, self.config = model_state, model_config
        self.session = self.routed = self.target = self.known = None
        self.tokens = self.routed_each = 0
        self.ordered = self.committed = self.mixed = False
        self.leftover = None

    def placement(self):
        return self.state.physical_to_logical_map.tolist()


class Balancer:
    """An EplbState of this rank, with a session for each of its models, of the dispatch thread.

    Sessions are opened at the second step that all ranks pass together, not in add_model: after it come warm-up passes, which leave
    their load behind until the first step clears it, and after elastic scaling new ranks alone pass add_model.
    """

    def __init__(self, settings, state):
        self._settings, self._state = settings, weakref.proxy(state)
        self._models, self._by_config = {}, {}
        self._steps, self._off = 0, False
        self._own = None  # while steering: the engine's interval and policy, to be given back
        self._ordered = collections.deque()
        self.in_step = False
        self._asking = self._window_asked = False
        self._recorded = True

    def add(self, model_config):
        key = next(reversed(self._state.model_states))
        self._models[key] = Counted(self._state.model_states[key], model_config)
        self._by_config[id(model_config)] = self._models[key]

    @property
    def _counted(self):
        return [model for model in self._models.values() if model.session is not None]

    def routes(self, model_config, tokens):
        model = self._by_config.get(id(model_config))
        if model is not None:
            model.tokens += tokens

    def committed(self, model_state):
        for model in self._models.values():
            if model.state is model_state:
                model.committed = True

    def guarded(self, act, *arguments):
        """An error of ours ends our capture on this rank, which goes on to pass with the others where all do; never the engine."""
        if self._off:
            return None
        try:
            return act(*arguments)
        except LeaveGroup:
            raise
        except Exception as error:
            # Others rearrange on that verdict, and would wait for this rank in it.
            if self._settings.strict or any(model.target for model in self._counted):
                raise
            for model in self._counted:
                model.session.give_up(error)
            self._off = not self._counted
            if self._off:
                logger.error("no expert load is captured, and vllm runs as without Plimsoll: %s", error,
                             exc_info=not isinstance(error, NotStarted))
            return None

    def before(self, is_dummy):
        """Before the engine's own step, which clears the counters of this pass."""
        self._steps += 1
        if self._steps == 2:
            self._open(is_dummy)
        elif self._steps > 2:
            for model in self._counted:
                if model.routed is not None:
                    model.routed.fill_(model.tokens * model.routed_each)
                boundary = model.session.step_end(discard=is_dummy)
                if boundary is not None and boundary.move and not model.session.withdrawn:
                    model.target = _UNKNOWN
                    model.target = model.session.target()
        for model in self._models.values():
            model.tokens = 0

    # vLLM counts only near its next rearrangement, and what it counts goes into its window. We have it always count, and its window be
    # what it would have been: where a pass does not belong there, we clear the counters in vLLM's place.

    keeps_window = True

    def records(self, own):
        """Whether vLLM is to count, where by itself it would have said `own`."""
        if self._off or self._asking:
            return own
        if self._window_asked:
            self._window_asked = False
            return self._recorded
        return True

    def lend(self, is_dummy, log_stats):
        """Before the engine's own step: has the pass go into its window if it would have, with what stood there since warm-up."""
        if not self.keeps_window or not hasattr(self._state, "_should_record_current_step"):
            return
        self._asking = True
        try:
            self._recorded = self._state._should_record_current_step(log_stats=log_stats)
        finally:
            self._asking = False
        self._window_asked = not is_dummy
        for model in self._models.values():
            if model.leftover is not None and (is_dummy or self._recorded):
                if not is_dummy:
                    model.state.expert_load_pass += model.leftover
                model.leftover = None

    def clear(self, is_dummy):
        if self._recorded or is_dummy:
            return
        for model in self._models.values():
            if self._steps == 1:
                model.leftover = model.state.expert_load_pass.clone()
            model.state.expert_load_pass.zero_()

    def due(self):
        """Whether the engine is to rearrange experts now: asked after its own step, and answered alike on all ranks."""
        if self._own is not None and any(model.session.withdrawn for model in self._counted):
            self._give_back()
        if not any(model.target for model in self._counted) or any(model.state.rebalanced for model in self._models.values()):
            return False  # the second thread is not through with the last one
        self._order()
        return True

    def after(self):
        """After all that may have moved experts in this step, or those of one layer."""
        for model in self._counted:
            if not model.committed:
                continue
            if model.state.rebalanced:
                if not model.ordered and not model.mixed:
                    model.mixed = True
                    model.session.changed()  # layer by layer: samples are of neither map
                continue
            model.committed, model.mixed, now = False, False, model.placement()
            if model.ordered:
                model.session.moved(now)
            elif now != model.known:
                model.session.changed(now)
            model.ordered, model.known = False, now

    def _order(self):
        """One rearrangement takes all models along: those that have no target stay where they are."""
        self._ordered.clear()
        self._ordered.extend(model.target or model.placement() for model in self._models.values())
        for model in self._models.values():
            model.ordered, model.target = model.target is not None, None

    def _give_back(self):
        """At the same step on all ranks, as session.withdrawn is."""
        logger.warning("vllm balances experts by its own rules again, every %d steps", self._own[0])
        for model in self._counted:
            model.session.withdrawn, model.target = True, None
        self._restore()
        self._state.expert_rearrangement_step = 0

    def _restore(self):
        if self._own is not None:
            self._state.expert_rearrangement_step_interval, self._state.policy = self._own
            self._own = None

    def end(self):
        """Closes all sessions; the second step from now begins anew. On all ranks together: elastic scaling."""
        for model in self._models.values():
            session, model.session, model.target = model.session, None, None
            if session is not None:
                session.close()
        self._restore()
        self._ordered.clear()
        self._steps = 0

    def _open(self, is_dummy):
        group = vllm_model.ep_group()
        counts_tokens = hasattr(self._state, "prepare_forward")
        for key, model in self._models.items():
            model.state = self._state.model_states[key]
            tokens = None if is_dummy or not counts_tokens else model.tokens
            described = vllm_model.describe(model.state, model.config, self._state.parallel_config, group, tokens)
            model.known, model.ordered, model.committed, model.mixed = described.placement, False, False, False
            model.session = Session(self._settings, described, group, **vllm_model.device(self._state.device))
            counters = {described.load.replace("-", "_"): model.state.expert_load_pass}
            if counts_tokens:
                import torch
                model.routed = torch.zeros(len(described.layer_ids), dtype=torch.int64, device=self._state.device)
                # Ranks of tensor parallelism have the tokens in common: one of them tells of them.
                leads = group.rank % self._state.parallel_config.tensor_parallel_size == 0
                model.routed_each = described.top_k if leads else 0
                counters["routed"] = model.routed
            model.session.attach(zeroed_each_step=True, **counters)
            model.session.start()
        if self._settings.steer:
            self._own = self._state.expert_rearrangement_step_interval, self._state.policy
            self._state.expert_rearrangement_step_interval = NEVER
            self._state.policy = _ordered_policy(self._state.policy, self._ordered)
