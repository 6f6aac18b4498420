"""The plug-in for vllm-ascend's model runner v1, in a double of its balancer: loaded as vLLM loads plug-ins, observed, steered, refused."""
import importlib.metadata
import os
import sys
import threading
import types
import unittest
from unittest import mock

from base import Base, entry_points_directory, torch
from orders import Mailbox
from plimsoll_engine import ascend, plugin, steering
from plimsoll_engine.hooks import Hooks
from plimsoll_engine.settings import Settings
from plimsoll_engine.worker import Phase
from ranks import Threads
import reading

if torch is not None:
    import ascend_double as double

RANKS = 2
SKIP = unittest.skipIf(torch is None, "NOTICE: no torch, so vllm-ascend's balancer has no double")


class Engine:
    """What a rank's model runner has of the balancer; a pass adds to the counters what the test says."""

    def __init__(self, rank=0, placement=None):
        placement = placement or double.START
        self.process = double.EplbProcess({}, rank, placement)
        self.updator = double.EplbUpdator(self.process)
        self.updator.set_adaptor(double.VllmEplbAdaptor(rank, placement))
        self.adaptor = self.updator.adaptor

    def a_pass(self, tokens=0, end=None):
        self.updator.forward_before()
        for layer in self.adaptor.moe_layers:
            layer.moe_load += tokens
        (end or self.updator.forward_end)()


@SKIP
class LoadedAsVllmLoadsPlugIns(Base):
    def setUp(self):
        super().setUp()
        double.put_in(self)
        self.addCleanup(plugin._installed.clear)
        self.path_before = list(sys.path)
        sys.path.insert(0, entry_points_directory(self.path("site")))
        self.addCleanup(lambda: sys.path.__setitem__(slice(None), self.path_before))
        self.environ = {"PLIMSOLL_DEPLOYMENT": "test/v1", "PLIMSOLL_RINGS": self.directory, "DYNAMIC_EPLB": "true",
                        "PLIMSOLL_BOUNDARY": "1", "PLIMSOLL_WINDOW": "4"}
        self.original = double.EplbUpdator.forward_end

    def load(self, **changes):
        with mock.patch.dict(os.environ, {**self.environ, **changes}):
            found = {one.name: one for one in importlib.metadata.entry_points(group="vllm.general_plugins")} if hasattr(
                importlib.metadata, "EntryPoints") else {one.name: one for one in importlib.metadata.entry_points()[
                    "vllm.general_plugins"]}
            hooks = found["plimsoll_ascend"].load()()
        if hooks is not None:
            self.addCleanup(hooks.withdraw)
        return hooks

    def refused(self, text, **changes):
        with self.assertLogs("plimsoll", "ERROR") as logs:
            self.assertIsNone(self.load(**changes))
        self.assertRegex("\n".join(logs.output), text)
        self.assertEqual(1, len(logs.output))
        self.assertIs(self.original, double.EplbUpdator.forward_end)
        with self.assertRaisesRegex(plugin.PluginError, text):
            self.load(PLIMSOLL_STRICT="1", **changes)

    def test_the_hooks_are_in_place_and_a_policy_is_replaced_only_to_steer(self):
        self.assertIsNotNone(self.load())
        self.assertIsNot(self.original, double.EplbUpdator.forward_end)
        self.assertIsInstance(double.PolicyFactory.generate_policy(2), double.OwnPolicy)
        plugin._installed.pop(ascend.SURFACE.engine).withdraw()
        self.assertIs(self.original, double.EplbUpdator.forward_end)
        self.load(PLIMSOLL_MODE="steer")
        self.assertIsInstance(double.PolicyFactory.generate_policy(2), ascend.Policy)

    def test_where_nothing_is_balanced_there_is_nothing_to_observe_and_the_log_says_what_to_set(self):
        self.refused("balances no experts.*set DYNAMIC_EPLB=true", DYNAMIC_EPLB="false")

    def test_without_vllm_ascend_nothing_happens_and_nothing_is_said(self):
        for name in double.MODULES:
            sys.modules.pop(name)
        self.assertIsNone(self.load())
        self.assertIs(self.original, double.EplbUpdator.forward_end)

    def test_without_a_library_or_a_directory_nothing_is_hooked(self):
        self.refused("no libplimsoll.so at /nowhere", PLIMSOLL_LIBRARY="/nowhere")
        self.refused("PLIMSOLL_RINGS=/nowhere is no directory", PLIMSOLL_RINGS="/nowhere")

    def test_one_changed_parameter_or_name_is_told_and_nothing_is_hooked(self):
        def forward_end(self, status=True):
            pass

        with mock.patch.object(double.EplbUpdator, "forward_end", forward_end):
            self.original = forward_end
            self.refused(r"EplbUpdator.forward_end\(self, status\) is known as \(self, eplb_heat_collection_status\)")
        self.original = double.EplbUpdator.forward_end
        sys.modules["vllm_ascend.eplb.core.eplb_worker"].PolicyFactory = types.SimpleNamespace()
        self.refused("eplb_worker.PolicyFactory.generate_policy is not there")

    def test_a_pass_through_the_hooks_is_counted(self):
        self.load()
        with mock.patch.object(ascend, "ep_group", lambda: Threads(self, 1).groups[0]):
            engine = Engine(placement=[[0, 1, 2]] * double.LAYERS)
            for tokens in (9, 1, 2):
                engine.a_pass(tokens)
        self.assertEqual(["membership.avro", "rank-0.ring"], sorted(os.listdir(self.path("test.v1"))))


@SKIP
class TwoRanks(Base):
    """Both in this process, a thread each; the hooks are called by hand, as classes can be hooked for one rank of a process only."""

    def setUp(self):
        super().setUp()
        double.put_in(self)
        self.threads, self.local = Threads(self, RANKS), threading.local()
        self.ranks, self.engines = [], []
        self.reads, self.read = False, {}  # what was captured, read at every boundary as a collector does
        self.addCleanup(lambda: [rank.session.close() for rank in self.ranks if rank.session])

    def start(self, steer=False, placement=None):
        settings = Settings(deployment="test/v1", rings=self.directory, boundary_steps=1, window_steps=4, steer=steer)
        for number in range(RANKS):
            self.engines.append(Engine(number, placement))
            self.ranks.append(ascend.Rank(settings, Hooks()))
        if steer:
            for rank, engine in zip(self.ranks, self.engines):
                engine.process.worker.policy = ascend.Policy(engine.process.worker.policy)
                engine.process.planner = rank.launch(double.EplbProcess._launch_process, engine.process)
        self.passes(1)

    def passes(self, count, tokens=0, until=None):
        """On both ranks; until: ends it when true of both, and fails when that does not come."""
        def run(number):
            rank, engine, self.local.group = self.ranks[number], self.engines[number], self.threads.groups[number]
            adaptor = engine.adaptor
            adaptor.clear_all_moe_loads = lambda: rank.clear(double.VllmEplbAdaptor.clear_all_moe_loads, adaptor)
            adaptor.get_rank_expert_workload = lambda: rank.workload(double.VllmEplbAdaptor.get_rank_expert_workload, adaptor)
            engine.a_pass(tokens * (number + 1), lambda: rank.forward_end(double.EplbUpdator.forward_end, engine.updator))
            if self.reads:
                reading.wait(rank.session._worker, rank.session._worker._step)
                self.read[number] = list(reading.snapshot(rank.session._worker).load)
            return until and until(rank)

        with mock.patch.object(ascend, "ep_group", lambda: self.local.group):
            for _ in range(count):
                if all(self.threads.call(run)):
                    return
        self.assertIsNone(until, "not within %d passes" % count)

    def order(self, changes, epoch=1):
        """changes: (layer, slot, expert), as the node's worker writes them for both ranks."""
        self.boxes = [Mailbox(os.path.join(self.directory, "test.v1", "rank-%d.mailbox" % number), rank.session.incarnation)
                      for number, rank in enumerate(self.ranks)]
        for box in self.boxes:
            self.addCleanup(box.close)
            box.propose([([], [], [(layer, slot, expert, 1) for layer, slot, expert in changes])], epoch=epoch)
            box.permit(epoch=epoch)

    def maps(self):
        return [rank._local_slots() for rank in self.ranks]

    def test_counts_go_on_growing_where_the_engine_clears_them_and_the_engine_sees_them_cleared(self):
        self.start()
        self.reads = True
        self.passes(7, tokens=3)  # a cycle is 8 passes, with the one that began it
        self.assertEqual([21] * 6, self.read[0])
        self.passes(1, tokens=3)
        self.assertEqual([24] * 6, self.read[0])
        self.assertEqual([48] * 6, self.read[1])
        self.passes(3, tokens=5)  # to the gather of the next cycle
        self.assertEqual([[3 + 15] * 3] * 2, self.engines[0].updator.shared_dict["moe_load"].tolist())

    def test_the_membership_says_what_the_engine_is_like_and_where_it_starts(self):
        start = [[4, 0, 1, 2, 3, 0], [0, 1, 2, 3, 4, 1]]
        self.start(placement=start)
        model = self.ranks[0].session._model
        self.assertEqual(([3, 4], 5, 2, 3, "computed", "by-source", 18, start),
                         (model.layer_ids, model.experts, model.top_k, model.slots_per_rank, model.load, model.share,
                          model.expert_bytes, model.placement))

    def test_a_slot_that_no_table_looks_up_holds_no_expert(self):
        self.start(placement=[[0, 1, 1, 2, 3, 4]] * 2)  # expert 1 twice on rank 0: the engine finds the first
        self.assertEqual([[0, 1, 5, 2, 3, 4]] * 2, self.ranks[0].session._model.placement)

    def test_a_move_of_the_engines_own_begins_the_next_incarnation_from_what_it_has_come_to(self):
        self.start()
        before, to = self.ranks[0].session.incarnation, [[0, 1, 3, 2, 4, 0]] * 2
        for engine in self.engines:
            engine.process.worker.policy.to = to
        self.passes(7)
        self.assertEqual([to, to], [rank.session._model.placement for rank in self.ranks])
        self.assertGreater(self.ranks[0].session.incarnation, before)
        after = self.ranks[0].session.incarnation
        self.passes(8)  # a cycle that moves nothing
        self.assertEqual([after] * 2, [rank.session.incarnation for rank in self.ranks])

    def test_an_order_is_moved_to_in_a_cycle_that_begins_then_and_at_no_other_time(self):
        self.start(steer=True)
        self.passes(20, tokens=1)
        self.assertEqual(double.START, self.ranks[0]._map)
        self.order([(0, 2, 3), (1, 3, 1)])
        self.passes(400, tokens=1, until=lambda rank: rank._map != double.START)
        to = [[0, 1, 3, 3, 4, 0], [0, 1, 2, 1, 4, 0]]
        self.assertEqual([to, to], [rank._map for rank in self.ranks])
        self.assertEqual([[[0, 1, 3], [0, 1, 2]], [[3, 4, 0], [1, 4, 0]]], self.maps())
        self.passes(400, until=lambda rank: rank.session._worker.state().phase == Phase.DONE)

    def test_a_planner_that_is_dead_or_hangs_is_done_without_and_the_move_comes_to_its_end(self):
        for alive, words in ((False, "has died"), (True, "hangs")):
            with self.subTest(words), mock.patch.object(ascend, "_DEAD_MS", 10), mock.patch.object(ascend, "_STUCK_MS", 100):
                self.ranks, self.engines, self.directory = [], [], self.path(words.replace(" ", "-"))
                self.start(steer=True)
                ours = self.engines[1].process
                ours.planner = types.SimpleNamespace(alive=False, is_alive=lambda: alive, terminate=lambda: None)
                self.ranks[1].answers._planner = ours.planner
                ours.worker.old_expert_maps = None  # of this process, that never planned
                self.order([(0, 2, 3)])
                with self.assertLogs("plimsoll", "ERROR") as logs:
                    self.passes(400, until=lambda rank: rank._map != double.START)
                self.assertIn(words, logs.output[0])
                self.assertEqual([[0, 1, 3, 3, 4, 0], double.START[1]], self.ranks[1]._map)

    def test_what_the_engine_would_silently_keep_is_refused_before_it_begins(self):
        self.start(steer=True)
        for changes, words in (([(0, 0, 1), (0, 1, 0)], "layer 0, rank 0: expert 1 changes its slot"),
                               ([(1, 2, 1)], "layer 1, rank 0 has expert 1 twice")):
            with self.subTest(words):
                target = [list(row) for row in double.START]
                for layer, slot, expert in changes:
                    target[layer][slot] = expert
                self.assertEqual(words, ascend.unmovable(double.START, target, 3))
        self.order([(0, 0, 1), (0, 1, 0)])
        with self.assertLogs("plimsoll", "ERROR") as logs:
            self.passes(400, until=lambda rank: rank.session._worker.state().phase == Phase.REFUSED)
        self.assertIn("changes its slot", " ".join(logs.output))
        self.assertEqual(double.START, self.ranks[0]._map)

    def test_a_layer_that_a_rank_has_not_taken_over_is_told_and_the_next_incarnation_begins_without_it(self):
        self.start(steer=True)
        before = self.ranks[0].session.incarnation
        self.engines[1].adaptor.do_update_expert_map = lambda layer, map: None
        self.order([(0, 2, 3), (1, 3, 1)])
        with self.assertLogs("plimsoll", "ERROR") as logs:
            self.passes(400, until=lambda rank: rank.session.incarnation != before)
        self.assertIn("layers [1] are not what was decided", " ".join(logs.output))
        self.assertEqual([[[0, 1, 3, 3, 4, 0], double.START[1]]] * 2, [rank.session._model.placement for rank in self.ranks])

    def test_an_error_of_a_rank_while_observing_ends_what_it_tells_and_later_lets_all_go_together(self):
        self.start()
        self.passes(2, tokens=4)
        with self.assertLogs("plimsoll", "ERROR"):
            with mock.patch.object(self.ranks[1].session, "step_end", side_effect=RuntimeError("made up")):
                self.passes(1, tokens=4)
            self.passes(4, tokens=4)
        self.assertEqual([False, False], [rank.session.alive for rank in self.ranks])
        self.passes(2, tokens=4)  # the engine's own, whose counters are as it takes them
        self.assertEqual([8, 16], [engine.adaptor.moe_layers[0].moe_load[0].item() for engine in self.engines])

    def test_where_one_rank_cannot_begin_none_does_and_the_engine_balances_as_it_did(self):
        with mock.patch.object(double.EplbUpdator, "expert_map_record_path", "/map.json"), \
                self.assertLogs("plimsoll", "ERROR") as logs:
            self.start(steer=True)
        self.assertIn("expert_map_record_path=/map.json", logs.output[0])
        self.assertEqual([None, None], [rank.session for rank in self.ranks])
        self.assertEqual([engine.process.own for engine in self.engines],
                         [engine.process.block_update_q for engine in self.engines])

    def test_a_lost_group_gives_balancing_back_at_the_same_step_and_load_goes_on(self):
        self.start(steer=True)
        to = [[0, 1, 3, 2, 4, 0]] * 2
        for engine in self.engines:
            engine.process.worker.policy.own.to = to
        with mock.patch.object(steering, "LOOK_BOUNDARIES", 4), self.assertLogs("plimsoll"):
            self.ranks[0].session._worker._call("plm_comm_abort", self.ranks[0].session._worker._comm)
            self.passes(2000, until=lambda rank: rank.session.withdrawn)
            self.passes(9, tokens=1)
        self.assertEqual([[0, 1, 3]] * 2, self.maps()[0])
        self.assertTrue(all(rank.session.alive for rank in self.ranks))


if __name__ == "__main__":
    unittest.main(verbosity=2)
