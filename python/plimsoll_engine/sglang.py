"""The plug-in of SGLang: hooks in sglang.srt.eplb, releases 0.5.11 to 0.5.23.

SGLang ends each forward pass of its main model with a turn of a generator, EPLBManager._entrypoint. Ours stands in its place:
it adds up what the recorder has of the pass, ends a step, and then either lets the engine's own generator have its turn or,
while steering, has the engine rebalance once the ranks have voted for it, to the map that was ordered. The engine moves its
weights itself, and maps are read back from it.
"""
import functools
import logging

from plimsoll_engine.group import Group
from plimsoll_engine.plugin import PluginError, activate
from plimsoll_engine.steering import LeaveGroup, Model, NotStarted, Session
from plimsoll_engine.surface import Need, Surface, Surfaces

logger = logging.getLogger("plimsoll")
MANAGER, RECORDER = "sglang.srt.eplb.eplb_manager", "sglang.srt.eplb.expert_distribution"
LOCATION = "sglang.srt.eplb.expert_location"
SHARES = {"static": "local-first", "dynamic": "even", "fake": "even", "lp": "fitted", None: "even"}
TOP_K = ("num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_top_k", "moe_k", "top_k_experts", "experts_per_token")


def _surface(*settings):
    """settings: what maps are made with before the model's configuration, until 0.5.18."""
    return Surface("sglang", (
        Need(MANAGER, "EPLBManager._entrypoint", ("self",)),
        Need(MANAGER, "EPLBManager.rebalance", ("self",)),
        Need(MANAGER, "EPLBManager.on_forward_pass_end", ("self",)),
        Need(MANAGER, "EPLBManager._check_rebalance_needed", ("self", "average_utilization_rate_over_window")),
        Need(RECORDER, "_StatAccumulator.append",
             ("self", "forward_pass_id", "gatherer_key", "single_pass_data", "outputs")),
        Need(RECORDER, "_ExpertDistributionRecorderReal._on_forward_pass_start", ("self", "forward_batch")),
        Need(RECORDER, "_SelectExpertsSinglePassGatherer"),
        Need(RECORDER, "_DeepepLowLatencySinglePassGatherer"),
        Need(RECORDER, "get_global_expert_distribution_recorder", ()),
        Need(LOCATION, "get_global_expert_location_metadata", ()),
        Need(LOCATION, "ExpertLocationMetadata.init_by_eplb", settings + ("model_config", "logical_count")),
        Need(LOCATION, "ExpertLocationMetadata.init_by_mapping",
             settings + ("model_config", "physical_to_logical_map", "moe_ep_rank")),
        Need("sglang.srt.distributed.parallel_state", "get_tp_group", ())))


SURFACE = Surfaces("sglang", (_surface(), _surface("server_args")))


def register():
    """The entry point, in sglang.srt.plugins."""
    try:
        activate(SURFACE, install)
    except PluginError as error:
        # SGLang swallows exceptions of plug-ins and goes on without; PLIMSOLL_STRICT=1 asks that it does not.
        raise SystemExit(str(error)) from error


def install(settings, hooks):
    from sglang.srt.eplb import eplb_manager, expert_distribution, expert_location
    rank = Rank(settings)
    hooks.around(expert_distribution._ExpertDistributionRecorderReal, "_on_forward_pass_start", rank.pass_starts)
    hooks.around(expert_distribution._StatAccumulator, "append", rank.pass_recorded)
    hooks.around(eplb_manager.EPLBManager, "rebalance", rank.rebalance)
    hooks.around(eplb_manager.EPLBManager, "_entrypoint", rank.turns)
    if settings.steer:
        hooks.around(eplb_manager.EPLBManager, "_check_rebalance_needed", rank.is_needed)
        hooks.around(expert_location.ExpertLocationMetadata, "init_by_eplb", rank.new_map)


def _ours(method):
    """An error of ours ends the capture and not the engine; LeaveGroup is the one that has to end it."""

    @functools.wraps(method)
    def call(self, *arguments):
        try:
            return method(self, *arguments)
        except LeaveGroup:
            raise
        except Exception as error:
            self._fail(error)
            return None

    return call


class Rank:
    """This process's rank: one manager, one recorder, one model."""

    def __init__(self, settings):
        self._settings = settings
        self._session = self._group = None
        self._off = False  # on all ranks alike: before the start, or when they said so
        self._tokens, self._counts = 0, None  # of the pass that runs or has just ended
        self._target = None  # while the engine rebalances because it was ordered to
        self._load = self._routed = None

    # What SGLang calls.

    def pass_starts(self, original, recorder, forward_batch):
        self._begin(forward_batch)
        return original(recorder, forward_batch)

    def pass_recorded(self, original, accumulator, forward_pass_id, gatherer_key, single_pass_data, outputs):
        # A draft model's passes come here too, between those of the main model: what counts is the last one before a turn.
        self._counts = single_pass_data.get("global_physical_count")
        return original(accumulator, forward_pass_id, gatherer_key, single_pass_data, outputs)

    def turns(self, original, manager):
        """In place of the engine's generator: a turn after each pass of the main model, which acts before it yields."""
        engine, ordered = original(manager), None
        while True:
            boundary = self._step_end(manager)
            if ordered is None and boundary is not None and boundary.move:
                self._target = self._session.target()
                if self._target is not None:
                    ordered = manager.rebalance()
            if ordered is not None:
                if next(ordered, self) is self:  # to its next chunk of layers, or to its end
                    ordered = None
            elif self._engine_balances():
                next(engine)
            yield

    def rebalance(self, original, manager):
        """Frames all that changes the map: because we have ordered it, or by the engine's own rules."""
        ordered, before = self._target is not None, self._map().clone()
        if not ordered:
            self._busy()
        try:
            yield from original(manager)
        finally:
            self._target = None
        self._is_over(ordered, before)

    def is_needed(self, original, manager, average_utilization_rate_over_window):
        # The engine's own threshold is of its own decisions.
        return self._target is not None or original(manager, average_utilization_rate_over_window)

    def new_map(self, original, *arguments, **named):
        """init_by_eplb: the map that was ordered in place of the engine's own solution."""
        if self._target is None:
            return original(*arguments, **named)
        import inspect

        from sglang.srt.eplb.expert_location import ExpertLocationMetadata
        told = inspect.signature(original).bind(*arguments, **named).arguments
        target = self._map().clone()
        for layer, experts in zip(self._layer_ids, self._target):
            target[layer] = target.new_tensor(experts)
        # Without moe_ep_rank, as the engine's own: with it, candidates under an all-to-all are the local replica alone.
        return ExpertLocationMetadata.init_by_mapping(
            **{name: told[name] for name in ("server_args", "model_config") if name in told}, physical_to_logical_map=target)

    # What we do then.

    def _engine_balances(self):
        return not self._settings.steer or self._off or (self._session is not None and self._session.withdrawn)

    @_ours
    def _begin(self, forward_batch):
        self._counts, tokens = None, forward_batch.input_ids
        self._tokens = 0 if tokens is None else len(tokens)  # before the engine pads them

    @_ours
    def _step_end(self, manager):
        if self._off:
            return None
        if self._session is None:
            self._open(manager)
            return None
        if self._counts is not None and self._load is not None:
            self._load += self._counts[self._rows][:, self._columns]
            if self._routed is not None:
                self._routed += self._tokens * self._assignments
        return self._session.step_end()

    def _open(self, manager):
        """After the first pass: the model is loaded, its recorder has recorded, and all ranks are here."""
        from sglang.srt.distributed.parallel_state import get_tp_group
        self._group = Group.of_torch(get_tp_group().cpu_group)  # of the thread that we are on, and not of the balancer
        model = fault = None
        try:
            model = self._describe(manager)
        except Exception as error:
            fault = "rank %d: %s" % (self._group.rank, error if isinstance(error, NotStarted) else repr(error))
        try:
            faults = [one for one in self._group.gather(fault) if one]
            if faults:
                raise NotStarted("; ".join(faults))
            self._session = Session(self._settings, model, self._group, **self._device())
            kind = {"computed": "load", "routed-to": "routed_to", "replicated": "replicated"}[model.load]
            self._session.attach(routed=self._routed, **{kind: self._load})
            self._session.start()
        except NotStarted as error:
            self._off, self._load = True, None
            logger.error("no expert load is captured, and sglang balances by its own rules: %s", error)

    def _describe(self, manager):
        """What the engine is like, and the totals that it is counted in."""
        import torch.distributed as dist
        from sglang.version import __version__
        runner = getattr(manager, "_model_runner", None)  # until 0.5.15
        network, config = (runner.model, runner.model_config) if runner else (manager._get_model(), manager._model_config)
        options, ranks = _options(manager), dist.get_world_size()
        if self._counts is None:
            raise NotStarted("the first pass was not recorded: --expert-distribution-recorder-mode has to be stat")
        if options.elastic_ep_backend is not None:
            raise NotStarted("with --elastic-ep-backend ranks come and go, and those that stay could not agree with them")
        if self._metadata().ep_size != ranks or self._group.size != ranks:
            raise NotStarted("experts are spread over %d of %d ranks: --ep-size has to be --tp-size, without pipeline stages"
                             % (self._metadata().ep_size, ranks))
        weights = network.routed_experts_weights_of_layer
        self._layer_ids, slots = sorted(weights.keys()), self._map().shape[1] // ranks
        load, self._columns = _kind(options), slice(None)
        if load == "computed":  # in the columns of all slots, of which the others are zeros
            self._columns = slice(self._group.rank * slots, (self._group.rank + 1) * slots)
        top_k = _top_k(config)
        self._make_totals(load, top_k)
        return Model(name=str(getattr(config, "model_path", "") or type(network).__name__), layer_ids=self._layer_ids,
                     experts=self._metadata().num_logical_experts, top_k=top_k, slots_per_rank=slots, load=load,
                     engine="sglang " + __version__, share=SHARES.get(options.ep_dispatch_algorithm, "fitted"),
                     expert_bytes=sum(part[0].numel() * part.element_size() for part in weights[self._layer_ids[0]]),
                     placement=self._placement())

    def _make_totals(self, load, top_k):
        import torch
        ids, counts = self._layer_ids, self._counts
        # Dense layers have rows of zeros in the engine's counters; a view leaves them out where layers are evenly spaced.
        stride = ids[1] - ids[0] if len(ids) > 1 else 1
        with torch.inference_mode(False):
            evenly = ids == list(range(ids[0], ids[-1] + 1, stride))
            self._rows = slice(ids[0], ids[-1] + 1, stride) if evenly else torch.tensor(ids, device=counts.device)
            self._load = torch.zeros_like(counts[self._rows][:, self._columns], dtype=torch.int64)
            # Rows of padding are not routed, and not counted, but where tokens of several data-parallel groups lie one after
            # another: there windows had better say that they do not know.
            if _parallel("attn_cp_size") == 1 and (load != "replicated" or _parallel("attn_dp_size") == 1):
                self._routed = torch.zeros(len(ids), dtype=torch.int64, device=counts.device)
        # All ranks of a group of tensor-parallel attention have the same tokens.
        self._assignments = top_k if _parallel("attn_tp_rank") == 0 else 0

    def _device(self):
        import torch
        device = self._counts.device
        if device.type == "cpu":
            return dict(backend="host")
        if device.type == "npu":
            return dict(backend="ascend", device=device.index, stream=lambda: torch.npu.current_stream().npu_stream)
        return dict(backend="cuda", device=device.index, stream=lambda: torch.cuda.current_stream().cuda_stream)

    @_ours
    def _busy(self):
        if self._session is not None:
            self._session.moving(True)

    @_ours
    def _is_over(self, ordered, before):
        if self._session is None or self._off:
            return
        if ordered:
            self._session.moved(self._placement())
        elif before.equal(self._map()):  # it thought better of it
            self._session.moving(False)
        else:
            try:
                self._session.changed(self._placement())
            except NotStarted as error:
                self._off = True
                logger.error("expert load is no longer captured, and sglang balances by its own rules: %s", error)

    @staticmethod
    def _metadata():
        from sglang.srt.eplb.expert_location import get_global_expert_location_metadata
        return get_global_expert_location_metadata()

    def _map(self):
        return self._metadata().physical_to_logical_map_cpu

    def _placement(self):
        return self._map()[self._layer_ids].tolist()

    def _fail(self, error):
        self._load = None
        if self._session is not None:
            self._session.give_up(error)
        else:
            self._off = True
            logger.error("no expert load is captured, sglang goes on: %s", error, exc_info=True)


def _options(manager):
    """The engine's options about experts: of the server's arguments until 0.5.18."""
    arguments = getattr(manager, "_server_args", None)
    if arguments is not None:
        return arguments
    from sglang.srt.runtime_context import get_exec
    return get_exec().moe


def _kind(options):
    from sglang.srt.eplb import expert_distribution
    recorder = expert_distribution.get_global_expert_distribution_recorder()
    gatherers = list(recorder._single_pass_gatherers.values())
    if all(isinstance(one, expert_distribution._SelectExpertsSinglePassGatherer) for one in gatherers):
        # Without an all-to-all all ranks route the tokens of all.
        return "replicated" if options.moe_a2a_backend in (None, "none") else "routed-to"
    if all(isinstance(one, expert_distribution._DeepepLowLatencySinglePassGatherer) for one in gatherers):
        return "computed"
    raise NotStarted("%s does not count every token once: --expert-distribution-recorder-mode has to be stat"
                     % " and ".join(sorted(type(one).__name__ for one in gatherers)))


def _top_k(config):
    for text in (getattr(config, "hf_text_config", None), getattr(config, "hf_config", None)):
        for name in TOP_K:
            found = getattr(text, name, None)
            if isinstance(found, int):
                return found
    raise NotStarted("the model's configuration says by none of %s how many experts a token has" % ", ".join(TOP_K))


def _parallel(name):
    """The engine's own word on where this rank stands: attn_tp_rank, attn_dp_size, attn_cp_size."""
    try:
        from sglang.srt.runtime_context import get_parallel
        return getattr(get_parallel(), name)
    except (ImportError, AttributeError):  # until 0.5.15
        from sglang.srt.layers import dp_attention
        return getattr(dp_attention, "get_" + name.replace("attn", "attention"))()
