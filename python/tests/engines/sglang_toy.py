"""One rank of a toy model under SGLang's own balancer: its modules as released, around a model and a runner of ours.

SGLang's: the loading of plug-ins, the published configuration, parallel groups, expert location, recorder, EPLB manager, dispatch and
the updater that moves weights. Ours: four MoE layers of 16 experts after a dense one, whose tokens travel over gloo and are compared
with what the chosen expert makes of them; the order of calls in ModelRunner.initialize and ModelRunner.forward; and where a model's
numbers of layers and experts come from (ModelConfigForExpertLocation.from_model_config, which would load a known architecture).
"""
import json
import logging
import os
import time
from types import SimpleNamespace
from typing import NamedTuple, Optional

import numpy
import torch
import torch.distributed as dist

LAYERS, EXPERTS, RANKS, SLOTS, TOP_K, WIDTH, INNER = range(1, 5), 16, 4, 5, 2, 8, 4
TOKENS = 24


def weights_of(layer, expert):
    """w13, w2 and scales of an expert, everywhere the same, of three types."""
    random = torch.Generator().manual_seed(1 + layer * EXPERTS + expert)
    return (torch.randn(2 * INNER, WIDTH, generator=random), torch.randn(WIDTH, INNER, generator=random).half(),
            torch.rand(INNER, generator=random).double() + 0.5)


def compute(tokens, which, w13, w2, scales):
    """Each token by the expert that stands at its place in which."""
    gate, up = (w13[which] @ tokens.unsqueeze(-1)).squeeze(-1).chunk(2, dim=-1)
    return (w2[which].float() @ (torch.tanh(gate) * up * scales[which].float()).unsqueeze(-1)).squeeze(-1)


class Model:
    def __init__(self, rank, options):
        self.rank, self.options = rank, options
        self.reference = {layer: [torch.stack(parts) for parts in zip(*(weights_of(layer, expert) for expert in range(EXPERTS)))]
                          for layer in LAYERS}
        self.routed_experts_weights_of_layer = {}
        self.random = torch.Generator().manual_seed(options.seed if options.dispatch == "dynamic" else 100 * options.seed + rank)
        self.misrouted = self.unserved = self.served = 0

    def load(self, placement):
        for layer in LAYERS:
            mine = placement[layer][self.rank * SLOTS:(self.rank + 1) * SLOTS]
            self.routed_experts_weights_of_layer[layer] = [part[mine].clone() for part in self.reference[layer]]

    def wrong_slots(self, layer, placement):
        """How many of this rank's slots do not hold, byte by byte, what the map says."""
        mine = placement[layer][self.rank * SLOTS:(self.rank + 1) * SLOTS]
        held = self.routed_experts_weights_of_layer[layer]
        return sum(not all(part[slot].equal(due[expert]) for part, due in zip(held, self.reference[layer]))
                   for slot, expert in enumerate(mine))

    def route(self, layer, step, tokens):
        """[token][k] experts: some are popular, and which ones changes as time goes by."""
        position = (torch.arange(EXPERTS) - (step / self.options.period + 5 * layer)) % EXPERTS
        popularity = 3.0 * torch.exp(-position / 3.0)
        return (torch.randn(tokens, EXPERTS, generator=self.random) + popularity).topk(TOP_K, dim=-1).indices

    def forward(self, step, recorder, batch, sent, chosen):
        """sent: [layer, slot] of this pass, the second count; chosen: [layer, expert]. With an all-to-all each rank has tokens of its own, else all the same."""
        from sglang.srt.eplb.expert_location_dispatch import ExpertLocationDispatchInfo, topk_ids_logical_to_physical
        tokens = len(batch.input_ids)
        for index, layer in enumerate(LAYERS):
            hidden = torch.randn(tokens, WIDTH, generator=self.random)
            experts = self.route(layer, step, tokens)
            slots = topk_ids_logical_to_physical(experts, ExpertLocationDispatchInfo.init_new(layer))
            with recorder.with_current_layer(layer):
                recorder.on_select_experts(topk_ids=slots)
            experts, slots = experts.reshape(-1), slots.reshape(-1)
            sent[index] = torch.bincount(slots, minlength=RANKS * SLOTS).numpy()
            chosen[index] = torch.bincount(experts, minlength=EXPERTS).numpy()
            through = self.through_all if self.options.dispatch == "dynamic" else self.through_one
            computed, results = through(layer, hidden.repeat_interleave(TOP_K, dim=0), slots)
            due = compute(hidden.repeat_interleave(TOP_K, dim=0), experts, *self.reference[layer])
            right = (results - due).abs().amax(dim=-1) < 1e-4
            self.unserved += int((computed != 1).sum())
            self.misrouted += int(((computed == 1) & ~right).sum())
            self.served += int(((computed == 1) & right).sum())

    def through_one(self, layer, tokens, slots):
        """To the rank that has the slot, and back."""
        outgoing = torch.zeros(RANKS, TOKENS * TOP_K, 1 + WIDTH)  # slot + 1 or 0, token
        rank, place = slots // SLOTS, torch.arange(len(slots))
        outgoing[rank, place, 0] = (slots % SLOTS + 1).float()
        outgoing[rank, place, 1:] = tokens
        incoming, back, results = (torch.zeros_like(outgoing) for _ in range(3))
        dist.all_to_all_single(incoming, outgoing)
        mine = incoming[..., 0] > 0
        results[..., 0][mine] = 1
        results[..., 1:][mine] = compute(incoming[..., 1:][mine], incoming[..., 0][mine].long() - 1,
                                         *self.routed_experts_weights_of_layer[layer])
        dist.all_to_all_single(back, results)
        return back[rank, place, 0], back[rank, place, 1:]

    def through_all(self, layer, tokens, slots):
        """All ranks have all tokens, compute what is theirs, and add it up."""
        mine = slots // SLOTS == self.rank
        results = torch.zeros(len(slots), 1 + WIDTH)
        results[mine, 0] = 1
        results[mine, 1:] = compute(tokens[mine], slots[mine] % SLOTS, *self.routed_experts_weights_of_layer[layer])
        dist.all_reduce(results)
        return results[:, 0], results[:, 1:]


class Runner:
    """The order of calls in SGLang 0.5.23's ModelRunner."""

    def __init__(self, rank, options):
        from sglang.srt.eplb import expert_location
        from sglang.srt.eplb.eplb_manager import EPLBManager
        from sglang.srt.eplb.expert_distribution import ExpertDistributionRecorder, set_global_expert_distribution_recorder
        from sglang.srt.eplb.expert_location_updater import ExpertLocationUpdater
        self.metadata = expert_location.get_global_expert_location_metadata
        config = SimpleNamespace(model_path="toy/moe", hf_config=SimpleNamespace(num_experts_per_tok=TOP_K))
        expert_location.ModelConfigForExpertLocation.from_model_config = staticmethod(
            lambda _: expert_location.ModelConfigForExpertLocation(num_layers=len(LAYERS) + 1, num_logical_experts=EXPERTS))
        expert_location.set_global_expert_location_metadata(
            expert_location.compute_initial_expert_location_metadata(model_config=config, moe_ep_rank=rank))
        set_global_expert_distribution_recorder(ExpertDistributionRecorder.init_new(self.metadata(), rank=rank))
        self.model = Model(rank, options)
        self.eplb_manager = EPLBManager(
            model_config=config, get_model=lambda: self.model, get_expert_location_updater=lambda: updater,
            get_expert_backup_client=lambda: None, get_weight_updater=lambda: SimpleNamespace(update_weights_from_disk=None))
        updater = ExpertLocationUpdater()
        self.model.load(self.placement())
        self.forward_pass_id = 0
        self.turn_ns = []

    def placement(self):
        return self.metadata().physical_to_logical_map_cpu.tolist()

    def forward(self, batch, sent, chosen):
        from sglang.srt.eplb.expert_distribution import get_global_expert_distribution_recorder
        self.forward_pass_id += 1
        recorder = get_global_expert_distribution_recorder()
        with recorder.with_forward_pass(self.forward_pass_id, batch):
            self.model.forward(self.forward_pass_id, recorder, batch, sent, chosen)
        begin = time.perf_counter_ns()
        self.eplb_manager.on_forward_pass_end()
        self.turn_ns.append(time.perf_counter_ns() - begin)


def configure(rank, options):
    """SGLang's own way to have a configuration without a model's files, its ranks and its groups."""
    from sglang.srt.distributed import parallel_state
    from sglang.srt.runtime_context import get_context, get_parallel
    get_context().override_server_args(
        device="cpu", tp_size=RANKS, ep_size=RANKS, enable_eplb=True, ep_num_redundant_experts=RANKS * SLOTS - EXPERTS,
        moe_a2a_backend="none" if options.dispatch == "dynamic" else "deepep", deepep_mode="normal",
        expert_distribution_recorder_mode="stat", expert_distribution_recorder_buffer_size=1,
        eplb_rebalance_num_iterations=options.iterations, eplb_rebalance_layers_per_chunk=options.chunk,
        ep_dispatch_algorithm=options.dispatch, init_expert_location=options.init, disable_overlap_schedule=True).install()
    get_parallel().override_permanently(
        tp_rank=rank, moe_ep_rank=rank, pp_rank=0, attn_cp_rank=0,
        attn_tp_rank=rank if options.dispatch == "dynamic" else 0, attn_dp_rank=0 if options.dispatch == "dynamic" else rank,
        attn_tp_size=RANKS if options.dispatch == "dynamic" else 1, attn_dp_size=1 if options.dispatch == "dynamic" else RANKS)
    parallel_state.init_distributed_environment(
        world_size=RANKS, rank=rank, local_rank=0, backend="gloo",
        distributed_init_method="file://" + os.path.join(options.directory, "gloo"))
    parallel_state.initialize_model_parallel(backend="gloo")


def change_a_parameter():
    """As a release would that renames a parameter."""
    from sglang.srt.eplb import expert_distribution

    def append(self, forward_pass_id, gatherer_key, data, outputs):
        self._global_physical_count_of_buffered_step.append(data["global_physical_count"])

    expert_distribution._StatAccumulator.append = append


def incarnation():
    from plimsoll_engine.membership import incarnation_in
    from plimsoll_engine.settings import from_environment
    settings = from_environment()
    return incarnation_in(settings.directory()) if settings else 0


class Options(NamedTuple):
    directory: str  # where ranks meet and report
    dispatch: str = "static"
    chunk: Optional[int] = None  # layers of a move that are moved at a time
    iterations: int = 1_000_000  # of the engine's own rebalancing
    init: str = "trivial"
    period: float = 1e9  # steps after which another expert is the most popular
    steps: int = 10**9
    seed: int = 7
    change_a_parameter: bool = False


def stand_in_for_a_device():
    """What a machine without any accelerator lacks."""
    from sglang.srt.eplb import expert_distribution
    expert_distribution.get_device = lambda: "cpu"
    torch.cpu.empty_cache = lambda: None


def run(rank, options):
    """In a process of its own, in which the modules of SGLang are loaded already."""
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s", level=logging.WARNING, force=True)
    logging.getLogger("plimsoll").setLevel(logging.INFO)
    torch.set_num_threads(1)
    stand_in_for_a_device()
    if options.change_a_parameter:
        change_a_parameter()
    from sglang.srt.plugins import load_plugins
    load_plugins()
    configure(rank, options)
    with torch.inference_mode():
        report = serve(Runner(rank, options), options)
    with open(os.path.join(options.directory, "rank-%d.json" % rank), "w", encoding="utf-8") as file:
        json.dump(report, file)
    dist.barrier()


def serve(runner, options):
    random = numpy.random.default_rng(options.seed if options.dispatch == "dynamic" else options.seed * 100 + runner.model.rank)
    sent, chosen, incarnations, flipped, wrong = [], [], [], [], 0
    before, stop = runner.placement(), torch.zeros(1, dtype=torch.int64)
    first, begin = before, time.monotonic()
    for step in range(1, options.steps + 1):
        sent.append(numpy.zeros((len(LAYERS), RANKS * SLOTS), dtype=numpy.int32))
        chosen.append(numpy.zeros((len(LAYERS), EXPERTS), dtype=numpy.int32))
        # Uneven batches, and sometimes none at all, as data-parallel ranks have them.
        tokens = int(random.integers(0, TOKENS + 1)) if random.random() > 0.05 else 0
        runner.forward(SimpleNamespace(input_ids=torch.zeros(tokens, dtype=torch.int64)), sent[-1], chosen[-1])
        now = runner.placement()
        for layer in LAYERS:
            if now[layer] != before[layer]:
                flipped.append((step, layer))
                wrong += runner.model.wrong_slots(layer, now)
        before = now
        if step % 8 == 0:
            if runner.model.rank == 0:
                with open(os.path.join(options.directory, "step"), "w", encoding="utf-8") as file:
                    file.write(str(step))
            stop[0] = os.path.exists(os.path.join(options.directory, "stop"))
            dist.all_reduce(stop, op=dist.ReduceOp.MAX)
            if stop[0]:
                break
        found = incarnation()
        if found and (not incarnations or incarnations[-1][1] != found):
            incarnations.append((step, found))  # the pass after this one is its first step
    seconds = time.monotonic() - begin
    wrong += sum(runner.model.wrong_slots(layer, now) for layer in LAYERS)
    for name, counts in (("sent", sent), ("chosen", chosen)):
        numpy.save(os.path.join(options.directory, "%s-%d.npy" % (name, runner.model.rank)), numpy.stack(counts))
    return dict(rank=runner.model.rank, steps=len(sent), seconds=seconds, served=runner.model.served,
                misrouted=runner.model.misrouted, unserved=runner.model.unserved, flipped=flipped, wrong_slots=wrong,
                incarnations=incarnations, first=[first[layer] for layer in LAYERS],
                placement=[now[layer] for layer in LAYERS], turn_ns=runner.turn_ns)
