"""vllm-ascend's balancer of model runner v1 (dynamic EPLB): its load out, and the maps that it is to move to in.

Every rank has a planner process of its own. In a cycle of passes the ranks gather their load, wake their planners, wait for the
answers, and take over one layer a pass. Observed, nothing of this changes. Steered, a cycle begins when a decision was agreed
on and at no other time; planners answer with its map; and what a dead planner leaves undone is worked out by its rank, as the
others would wait for it for ever. Model runner v2 balances by vLLM's rules: ascend_v2.
"""
import importlib.util
import logging
import os
import queue
import re
import time

from plimsoll_engine import plugin
from plimsoll_engine.group import Group
from plimsoll_engine.steering import LeaveGroup, Model, NotStarted, Session
from plimsoll_engine.surface import Need, Surface

_EPLB = "vllm_ascend.eplb."
SURFACE = Surface("vllm-ascend v1", (
    Need(_EPLB + "eplb_updator", "EplbUpdator.forward_before", ("self",)),
    Need(_EPLB + "eplb_updator", "EplbUpdator.forward_end", ("self", "eplb_heat_collection_status")),
    Need(_EPLB + "eplb_updator", "EplbUpdator.set_adaptor", ("self", "adaptor")),
    Need(_EPLB + "eplb_updator", "EplbUpdator.update_iteration", ("self",)),
    Need(_EPLB + "eplb_updator", "EplbUpdator.wakeup_eplb_worker_flag", ("self",)),
    Need(_EPLB + "adaptor.vllm_adaptor", "VllmEplbAdaptor.clear_all_moe_loads", ("self",)),
    Need(_EPLB + "adaptor.vllm_adaptor", "VllmEplbAdaptor.get_rank_expert_workload", ("self",)),
    Need(_EPLB + "adaptor.vllm_adaptor", "VllmEplbAdaptor.do_update_expert_map", ("self", "layer_id", "updated_expert_map")),
    Need(_EPLB + "core.eplb_worker", "PolicyFactory.generate_policy", ("policy_type",)),
    Need(_EPLB + "core.eplb_worker", "EplbProcess._launch_process", ("self",)),
    Need(_EPLB + "core.eplb_worker", "EplbProcess.worker_process", ("self", "planner_q", "block_update_q")),
    Need(_EPLB + "core.eplb_worker", "EplbWorker.do_update", ("self",)),
    Need(_EPLB + "core.eplb_worker", "EplbWorker.calculate_rebalance_experts", ("self", "load_info", "old_placement")),
    Need("vllm.distributed.parallel_state", "get_ep_group", ())))
_TARGET = "plimsoll_target"  # in the dictionary that a rank shares with its planner process
_DEAD_MS = 1_000  # how long an answer may still be on its way from a process that has ended
_STUCK_MS = 60_000
logger = logging.getLogger("plimsoll")


def register(environ=os.environ):
    """Entry point of vllm.general_plugins. Nothing where vllm-ascend is not installed: then it is vllm.register() that acts."""
    if not installed():
        return None
    import vllm_ascend
    # Its own plug-ins do this before anything else of it is imported, and ours may be called before them.
    getattr(vllm_ascend, "_ensure_global_patch", lambda: None)()
    if asks_for_v1(environ):
        return plugin.activate(SURFACE, install, environ)
    from plimsoll_engine import ascend_v2  # which builds on vllm's, and that asks us
    if not found("vllm_ascend.distributed.eplb.eplb_state"):
        return plugin.activate(Surface("vllm-ascend", ()), nothing_to_observe, environ)
    return plugin.activate(ascend_v2.SURFACE, ascend_v2.install, environ)


def installed():
    """Whether vLLM runs on vllm-ascend here. Its classes are vLLM's then, and what they count is not."""
    return found("vllm_ascend")


def found(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False  # a package above it is not there
    except ValueError:
        return True  # imported, by somebody who gave it no spec


def nothing_to_observe(settings, hooks):
    raise plugin.PluginError("it balances no experts, so it counts none: set DYNAMIC_EPLB=true and eplb_config.dynamic_eplb, as "
                             "README.md says. This release has no balancer for model runner v2")


def asks_for_v1(environ):
    """Model runner v1 balances only where one of these is set, and v2 refuses to start with them."""
    return environ.get("DYNAMIC_EPLB", "").lower() in ("true", "1") or environ.get("EXPERT_MAP_RECORD") == "true"


def install(settings, hooks):
    from vllm_ascend.eplb.adaptor.vllm_adaptor import VllmEplbAdaptor
    from vllm_ascend.eplb.core.eplb_worker import EplbProcess, PolicyFactory
    from vllm_ascend.eplb.eplb_updator import EplbUpdator
    rank = Rank(settings, hooks)
    hooks.around(VllmEplbAdaptor, "clear_all_moe_loads", rank.clear)
    hooks.around(VllmEplbAdaptor, "get_rank_expert_workload", rank.workload)
    hooks.around(EplbUpdator, "forward_end", rank.forward_end)
    if settings.steer:
        hooks.around(PolicyFactory, "generate_policy", lambda original, *what, **named: Policy(original(*what, **named)))
        hooks.around(EplbProcess, "_launch_process", rank.launch)


class Policy:
    """The engine's policy, and in its place a target where there is one. Goes to the planner process, forked or spawned, as it is."""

    def __init__(self, own):
        self.own, self.shared = own, {}

    def rebalance_experts(self, current_expert_table, expert_workload):
        target = self.shared.get(_TARGET)
        if target is None:
            return self.own.rebalance_experts(current_expert_table, expert_workload)
        import torch
        return 1, None, torch.tensor(target).reshape(current_expert_table.shape)


class Answers:
    """Stands for the queue that the engine takes its planner's answers from, for as long as the planner takes.

    Of a planner that has died or hangs the answer is worked out here: the others send experts by theirs, and wait for this rank's.
    """

    def __init__(self, process, planner):
        self.own, self.base = process.block_update_q, None
        self._process, self._planner = process, planner
        self.trusted = True  # the planner process is

    def get(self):
        give_up_at = time.monotonic() + _STUCK_MS / 1000
        while self.trusted:
            alive = self._planner.is_alive()
            try:
                return self.own.get(timeout=0.05 if alive else _DEAD_MS / 1000)
            except queue.Empty:
                if alive and time.monotonic() < give_up_at:
                    continue
            self.trusted = False
            logger.error("the planner process of this rank %s. From here on its part of moves is worked out on the dispatch "
                         "thread", "hangs" if alive else "has died")
            if alive:
                self._planner.terminate()
        return self._here()

    def _here(self):
        import torch
        worker, threads = self._process.worker, torch.get_num_threads()
        worker.old_expert_maps, worker.num_local_experts = self.base, int(self.base.max()) + 1
        try:
            return worker.do_update()
        finally:
            torch.set_num_threads(threads)


class Rank:
    """What the hooks do. One per process, as there is one model runner."""

    def __init__(self, settings, hooks):
        self._settings, self._hooks = settings, hooks
        self.session = self.answers = None
        self._updator = self._adaptor = self._group = None
        self._cleared = None  # what the engine takes for zero in its counters, which go on growing
        self._map = self._target = None  # [layer][slot] expert
        self._under_way = False  # layers are being moved, or while steering a whole cycle runs
        self._steers = settings.steer

    # Hooks of the counters ---------------------------------------------------------------------------------------------

    def clear(self, original, adaptor):
        if adaptor is self._adaptor:
            import torch
            self._cleared = torch.stack(self._counters())
        else:
            original(adaptor)

    def workload(self, original, adaptor):
        load = original(adaptor)
        return load if self._cleared is None or adaptor is not self._adaptor else load - self._cleared

    # Hooks of the planner ----------------------------------------------------------------------------------------------

    def launch(self, original, process):
        process.worker.policy.shared = process.shared_dict
        planner = original(process)
        # The child has the queue itself: only this process finds the answers in its place.
        self.answers = process.block_update_q = Answers(process, planner)
        return planner

    # The clock ---------------------------------------------------------------------------------------------------------

    def forward_end(self, original, updator, *arguments, **named):
        if updator is not self._updator:
            original(updator, *arguments, **named)
            if self._updator is None and getattr(updator, "adaptor", None) is not None:
                self._begin(updator)
            return
        if self._steers and not self._under_way:
            updator.cur_iterations = -1  # so that no cycle begins by itself
        before = updator.cur_iterations
        original(updator, *arguments, **named)
        self._pass_ended(updator, cycle_ended=before > 0 and updator.cur_iterations == 0)

    def _pass_ended(self, updator, cycle_ended):
        first = updator.expert_heat_collection_interval + updator.algorithm_execution_interval
        boundary = self._observing(self.session.step_end)
        if cycle_ended:
            self._cycle_ended()
        elif not self._steers:
            self._moving(updator.cur_iterations >= first)
        elif boundary is not None and boundary.move:
            self._move(updator, self.session.target())
        if self._steers and self.session.withdrawn and not self._under_way:
            self._hand_back()

    def _observing(self, call, *arguments):
        """A fault while observing ends what this rank tells, and nothing else: the others find it silent when a cycle has ended."""
        try:
            return call(*arguments)
        except LeaveGroup:
            raise
        except Exception as error:
            if self._steers:
                raise
            logger.error("no expert load of this rank is captured any more: %s", error, exc_info=True)
            self.session.close()
            return None

    def _moving(self, busy):
        if busy != self._under_way:
            self._under_way = busy
            self._observing(self.session.moving, busy)

    def _move(self, updator, target):
        """Begins a cycle at its gather, which all ranks come to at the next pass."""
        fault = unmovable(self._map, target, self._model.slots_per_rank)
        if fault:
            logger.error("not moved, as this engine would keep the layer as it is and say nothing: %s", fault)
            self.session.moved(self._map)
            return
        self.answers.base = expert_maps(self._map, self._model)
        updator.shared_dict[_TARGET] = self._target = target
        updator.cur_iterations = updator.expert_heat_collection_interval - 1
        self._under_way = True

    def _cycle_ended(self):
        """All ranks tell what they have: a layer that one of them could not take over is not moved for anybody."""
        if self.session.withdrawn:
            self.session.changed()  # to what, only all ranks together could say
            return
        told = self._group.gather((self.session.alive, self._local_slots()))
        was, self._map = self._map, joined(rows for _, rows in told)
        silent = [rank for rank, (alive, _) in enumerate(told) if not alive]
        if self._steers:
            self._move_ended(silent)
            return
        self._moving(False)
        if silent:
            self._give_up("ranks %s tell nothing any more" % silent)
        elif self._map != was:
            self.session.changed(self._map)

    def _move_ended(self, silent):
        self._under_way = False
        self._updator.shared_dict[_TARGET] = None
        self.session.moved(self._map)
        lost = [layer for layer, row in enumerate(self._map) if row != self._target[layer]]
        if lost:
            logger.error("layers %s are not what was decided%s", lost,
                         ", and the next incarnation begins with what they are" if not silent else "")
            self.answers.trusted = False  # the process takes them for done
            if not silent:
                self.session.changed(self._map)

    # Beginning and end -------------------------------------------------------------------------------------------------

    def _begin(self, updator):
        """At the end of the first pass, on all ranks."""
        self._updator, self._adaptor = updator, updator.adaptor
        try:
            self._group = ep_group()
            told = self._group.gather(self._described(updator))
            faults = ["rank %d: %s" % (rank, fault) for rank, (fault, _) in enumerate(told) if fault]
            if faults:
                raise NotStarted("; ".join(faults))
            self._map = joined(rows for _, rows in told)
            if self._steers:
                require_planned_slots(self._map, self._model)
            self.session = Session(self._settings, self._model._replace(placement=self._map), self._group,
                                   **where(self._counters()[0]))
            self.session.attach(load=self._counters())
            self.session.start()
        except Exception as error:
            self._give_up(error)
            if self._settings.strict:
                raise

    def _described(self, updator):
        try:
            self._model = described(updator, self._settings)
            return None, self._local_slots()
        except Exception as error:
            return str(error), None

    def _counters(self):
        return [layer.moe_load for layer in self._adaptor.moe_layers]

    def _local_slots(self):
        """[layer][local slot] expert, read back from the map that the engine looks up."""
        rows = []
        for layer in range(self._adaptor.num_moe_layers):
            row = [self._model.experts] * self._adaptor.num_local_experts  # which is none: a slot that nobody looks up
            for expert, slot in enumerate(self._adaptor.expert_map_per_layer_cpu[layer].tolist()):
                if slot >= 0:
                    row[slot] = expert
            rows.append(row)
        return rows

    def _give_up(self, error):
        logger.error("no expert load is captured any more, and vllm-ascend goes on as without Plimsoll: %s", error,
                     exc_info=isinstance(error, Exception) and not isinstance(error, NotStarted))
        if self.session is not None:
            self.session.close()
        if self._cleared is not None:
            for counter, cleared in zip(self._counters(), self._cleared):
                counter -= cleared  # which the engine takes it for
            self._cleared = None
        self._hand_back()
        self._hooks.withdraw()

    def _hand_back(self):
        """The engine balances by its own policy again, from its next cycle on."""
        self._steers = False
        self._updator.cur_iterations = max(0, self._updator.cur_iterations)
        if self.answers is not None:
            self._updator.eplb_process.block_update_q = self.answers.own


def ep_group():
    """All ranks that share the experts. Never the balancer's own group."""
    from vllm.distributed.parallel_state import get_ep_group
    return Group.of_torch(get_ep_group().cpu_group)


def joined(ranks):
    """[layer][slot] expert of all ranks, of each one's [layer][local slot]."""
    return [[expert for row in rows for expert in row] for rows in zip(*ranks)]


def require_planned_slots(placement, model):
    """The engine's own planner dies of such a map in its first cycle."""
    for layer, row in enumerate(placement):
        if model.experts in row:
            slot = row.index(model.experts)
            raise NotStarted("layer %d: no table leads to slot %d of rank %d, as the start map has an expert twice on it"
                             % (layer, slot % model.slots_per_rank, slot // model.slots_per_rank))


def unmovable(served, target, slots_per_rank):
    """Why this engine would not take a map over, in words, or None: it knows one slot of an expert on a rank, and leaves it there."""
    for layer, (old, new) in enumerate(zip(served, target)):
        for first in range(0, len(new), slots_per_rank):
            old_row, new_row = old[first:first + slots_per_rank], new[first:first + slots_per_rank]
            for slot, expert in enumerate(new_row):
                if new_row.count(expert) > 1:
                    return "layer %d, rank %d has expert %d twice" % (layer, first // slots_per_rank, expert)
                if expert in old_row and old_row[slot] != expert:
                    return "layer %d, rank %d: expert %d changes its slot" % (layer, first // slots_per_rank, expert)
    return None


def expert_maps(placement, model):
    """[layer, rank, expert] local slot or -1: the engine's form of a map."""
    import torch
    slots = model.slots_per_rank
    made = torch.full((len(placement), len(placement[0]) // slots, model.experts), -1, dtype=torch.long)
    for layer, row in enumerate(placement):
        for slot, expert in enumerate(row):
            made[layer, slot // slots, expert] = slot % slots
    return made


def described(updator, settings):
    """What the engine says of its model. NotStarted: what this balancer has been told to do cannot be observed or steered."""
    adaptor, config = updator.adaptor, updator.adaptor.config
    layers, load = adaptor.moe_layers, adaptor.moe_layers[0].moe_load
    heat, planning = updator.expert_heat_collection_interval, updator.algorithm_execution_interval
    cycle = heat + planning + len(layers)
    if load.dim() != 1:
        raise NotStarted("eplb_policy_type=3 keeps the load of single passes, in rows: choose 0, 1 or 2")
    if settings.steer and (heat < 1 or planning < 1):
        raise NotStarted("expert_heat_collection_interval=%d and algorithm_execution_interval=%d must be at least 1"
                         % (heat, planning))
    if settings.steer and updator.expert_map_record_path is not None:
        raise NotStarted("expert_map_record_path=%s keeps the engine from moving experts: leave it out to steer"
                         % updator.expert_map_record_path)
    if not settings.steer and 2 * settings.window_steps > cycle:
        logger.warning("the engine may move its experts every %d passes, and a window of %d steps that a move falls into ends "
                       "early: set PLIMSOLL_WINDOW=%d or less", cycle, settings.window_steps, cycle // 2)
    first = updator.pp_rank
    spread = getattr(updator.eplb_process.worker, "tp_size", None) or 1
    return Model(
        name=str(getattr(config, "_name_or_path", None) or getattr(config, "model_type", "model")),
        layer_ids=layer_ids(layers), experts=int(layers[0].global_expert_map.shape[-1]),
        top_k=int(getattr(layers[0], "top_k", None) or getattr(config, "num_experts_per_tok", 1)),
        slots_per_rank=int(adaptor.num_local_experts), engine=version(), load="computed",
        # Each rank has one replica of an expert: that of its number, or with tensor parallelism one spread anew for each expert.
        share="by-source" if spread == 1 else "fitted",
        expert_bytes=sum(part.numel() * part.element_size() for part in adaptor.expert_param_per_layer[0][0]),
        progress_boundaries=-(-2 * (planning + len(layers) + 1) // settings.boundary_steps) + 60,
        suffix="-stage%d" % first if first else "")


def layer_ids(layers):
    """The model's own numbers of its MoE layers, by their names; else their order."""
    found = [re.search(r"(?:^|\.)layers\.(\d+)\.", str(getattr(layer, "layer_name", ""))) for layer in layers]
    numbers = [int(one.group(1)) for one in found if one]
    return numbers if len(numbers) == len(layers) and numbers == sorted(set(numbers)) else list(range(len(layers)))


def version():
    from importlib.metadata import PackageNotFoundError, version as of
    for package in ("vllm-ascend", "vllm_ascend"):
        try:
            return "vllm-ascend %s" % of(package)
        except PackageNotFoundError:
            pass
    return "vllm-ascend"


def where(tensor):
    """The back end that reads a tensor's memory, and the stream that the engine works on."""
    if tensor.device.type == "cpu":
        return {}
    import torch
    return dict(backend="ascend", device=tensor.device.index, stream=lambda: torch.npu.current_stream().npu_stream)
