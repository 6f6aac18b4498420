"""The plug-in of SGLang on doubles of SGLang: counts, moves, refusals. engines/sglang_source.py runs it on SGLang itself."""
import os
import sys
import unittest
from unittest import mock

import base
import reading
from base import Base, abi, plm, torch
from orders import Mailbox
from plimsoll_engine import plugin
from plimsoll_engine import sglang as plugin_of_sglang
from plimsoll_engine.membership import incarnation_in

if torch is not None:
    import torch.distributed as dist

    from sglang_doubles import DENSE, FIRST, LAYERS, Engine
MOE = 3
COUNTS = [[1, 2, 3], [0, 0, 4], [5, 0, 0]]
TARGET = [[1, 0, 1], [0, 1, 1], [0, 1, 0]]


@unittest.skipIf(torch is None, "NOTICE: no torch, and SGLang has its counters there")
class OnDoubles(Base):
    @classmethod
    def setUpClass(cls):
        dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)

    @classmethod
    def tearDownClass(cls):
        dist.destroy_process_group()

    def setUp(self):
        super().setUp()
        sys.path.insert(0, base.entry_points_directory(self.path("installed")))
        self.addCleanup(sys.path.pop, 0)
        self.addCleanup(plugin._installed.clear)
        self.sessions = []
        opened = plugin_of_sglang.Session

        def session(*arguments, **named):
            self.sessions.append(opened(*arguments, **named))
            self.addCleanup(self.sessions[-1].close)
            return self.sessions[-1]

        self.enterContextManager(mock.patch.object(plugin_of_sglang, "Session", session))

    def enterContextManager(self, manager):
        value = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return value

    def engine(self, mode="observe", environ=None, before=None, **options):
        rings = self.path("rings")
        os.makedirs(rings, exist_ok=True)
        variables = dict(PLIMSOLL_DEPLOYMENT="test/sglang", PLIMSOLL_RINGS=rings, PLIMSOLL_MODE=mode, PLIMSOLL_BOUNDARY="1",
                         PLIMSOLL_WINDOW="4", PLIMSOLL_LIBRARY=os.environ["PLIMSOLL_LIBRARY"])
        variables.update(environ or {})
        self.enterContextManager(mock.patch.dict(os.environ, variables))
        if before is not None:
            built = Engine._surroundings
            self.enterContextManager(mock.patch.object(Engine, "_surroundings", lambda one: (built(one), before(one))))
        return Engine(self, **options).begin()

    def counted(self):
        """[layer][slot] and [layer] of the newest boundary."""
        worker = self.sessions[-1]._worker
        reading.wait(worker, worker._step)
        seen = reading.snapshot(worker)
        return [seen.load.tolist()[layer * 3:layer * 3 + 3] for layer in range(MOE)], seen.routed.tolist()

    def model(self):
        return self.sessions[-1]._model

    def placement(self, engine):
        return engine.metadata.physical_to_logical_map_cpu.tolist()

    def ordered(self, engine, passes=400):
        """Has the roles' orders carried out as far as the pass in which the engine begins to move."""
        mailbox = Mailbox(os.path.join(self.path("rings"), "test.sglang", "rank-0.mailbox"), self.sessions[-1].incarnation)
        self.addCleanup(mailbox.close)
        changes = [(layer, slot, TARGET[layer][slot], 1) for layer in range(MOE) for slot in range(3)
                   if TARGET[layer][slot] != FIRST[layer + DENSE][slot]]
        mailbox.propose([([], [], changes)])
        mailbox.permit()
        for _ in range(passes):
            engine.forward()
            if engine.maps:
                return
        self.fail("no move within %d passes" % passes)

    # Counting.

    def test_tokens_of_each_pass_are_counted_in_the_moe_layers_and_those_until_the_first_turn_are_not(self):
        engine = self.engine()
        engine.forward(COUNTS, tokens=9)
        engine.forward(COUNTS, tokens=4)
        engine.forward(COUNTS, tokens=3)
        engine.forward(tokens=0)  # an idle pass
        self.assertEqual(([[2 * count for count in row] for row in COUNTS], [14] * MOE), self.counted())
        model = self.model()
        self.assertEqual(("toy/moe", [1, 2, 3], 2, 2, 3, "routed-to", "local-first", "sglang 0.5.23", 9),
                         (model.name, model.layer_ids, model.experts, model.top_k, model.slots_per_rank, model.load, model.share,
                          model.engine, model.expert_bytes))
        self.assertEqual(FIRST[DENSE:], model.placement)

    def test_passes_of_a_draft_model_and_passes_that_were_not_recorded_count_nothing(self):
        engine = self.engine()
        engine.forward()
        engine.forward([[0] * 3] * MOE, tokens=7, draft=True)
        engine.forward(COUNTS, tokens=1)
        engine.recorder.recording = False
        engine.forward(COUNTS, tokens=5)
        self.assertEqual((COUNTS, [2] * MOE), self.counted())

    def test_without_an_all_to_all_all_ranks_have_counted_the_same(self):
        engine = self.engine(moe_a2a_backend="none", ep_dispatch_algorithm="dynamic")
        engine.forward()
        engine.forward(COUNTS, tokens=1)
        self.assertEqual(("replicated", "even"), (self.model().load, self.model().share))
        self.assertEqual((COUNTS, [2] * MOE), self.counted())

    def test_where_padding_is_counted_too_windows_do_not_know_what_was_routed(self):
        engine = self.engine(moe_a2a_backend="none", ep_dispatch_algorithm="dynamic", attn_dp_size=2)
        engine.forward()
        engine.forward(COUNTS, tokens=1)
        self.assertNotIn(abi.PLM_SEGMENT_ROUTED, self.sessions[-1]._worker._counters)

    def test_counts_per_local_expert_are_tokens_that_were_computed(self):
        engine = self.engine(gatherer="low latency")
        engine.forward()
        engine.forward(COUNTS, tokens=1)
        self.assertEqual("computed", self.model().load)
        self.assertEqual(COUNTS, self.counted()[0])

    def steered_to_the_target(self, release):
        engine = self.engine("steer", release=release)
        engine.forward()
        self.ordered(engine)
        self.assertEqual(TARGET, self.placement(engine)[DENSE:])
        self.assertEqual([(engine.options, "the model's configuration", None)], engine.maps)

    def test_releases_until_15_have_the_model_runner(self):
        self.steered_to_the_target((0, 5, 12))

    def test_releases_until_18_have_the_servers_arguments(self):
        self.steered_to_the_target((0, 5, 18))

    # Moves.

    def test_while_observing_the_engine_balances_as_without_us_and_each_time_an_incarnation_begins(self):
        engine = self.engine(iterations=3)
        engine.forward()
        incarnation = self.sessions[-1].incarnation
        for passes in range(2, 4):
            engine.forward(COUNTS, tokens=1)
            self.assertEqual(FIRST, self.placement(engine), "pass %d" % passes)
        engine.forward(COUNTS, tokens=1)  # the fourth turn: three passes, then a map
        self.assertEqual([[0, 0, 1]] * MOE, self.placement(engine)[DENSE:])
        self.assertGreater(self.sessions[-1].incarnation, incarnation)
        self.assertEqual([[0, 0, 1]] * MOE, self.model().placement)
        engine.forward(COUNTS, tokens=1)
        self.assertEqual((COUNTS, [2] * MOE), self.counted())

    def test_a_rebalancing_that_the_engine_thinks_better_of_changes_nothing(self):
        engine = self.engine(iterations=1)
        engine.manager.utilization = 0.9
        for _ in range(4):
            engine.forward(COUNTS, tokens=1)
        self.assertEqual((FIRST, 1), (self.placement(engine), len(self.sessions)))
        self.assertEqual(self.sessions[-1].incarnation, incarnation_in(os.path.join(self.path("rings"), "test.sglang")))
        self.assertEqual([3 * 1 * 2] * MOE, self.counted()[1])

    def test_an_ordered_map_is_what_the_engine_moves_to_and_it_is_acked_from_what_is_there_then(self):
        engine = self.engine("steer", iterations=1)
        engine.forward()
        self.ordered(engine)
        self.assertEqual([FIRST[0]] + TARGET, self.placement(engine))
        self.assertEqual([("the model's configuration", None)], engine.maps)
        self.assertEqual(0, engine.solved, "the engine's own clock stands still while it is steered")
        self.until_phase(engine, plm.Phase.DONE)

    def until_phase(self, engine, phase):
        for _ in range(400):
            engine.forward()
            if self.sessions[-1]._worker.state().phase == phase:
                return
        self.fail("phase %s, not %s" % (self.sessions[-1]._worker.state().phase, phase.name))

    def test_a_move_in_chunks_takes_a_pass_for_each_and_is_acked_when_all_are_there(self):
        engine = self.engine("steer", chunked=True)
        engine.forward()
        self.ordered(engine)
        for moved in range(MOE):
            self.assertEqual(TARGET[:moved] + FIRST[DENSE + moved:], self.placement(engine)[DENSE:])
            self.assertEqual(plm.Phase.MOVING, self.sessions[-1]._worker.state().phase)
            engine.forward()
        self.assertEqual(TARGET, self.placement(engine)[DENSE:])
        self.until_phase(engine, plm.Phase.DONE)

    def test_the_engines_own_threshold_does_not_hold_up_what_was_ordered(self):
        engine = self.engine("steer")
        engine.manager.utilization = 0.9
        engine.forward()
        self.ordered(engine)
        self.assertEqual(TARGET, self.placement(engine)[DENSE:])

    def test_when_ranks_have_lost_each_other_the_engine_balances_again(self):
        engine = self.engine("steer", iterations=2)
        engine.forward()
        self.ordered(engine)
        self.assertEqual(0, engine.solved)
        self.sessions[-1].withdrawn = True
        for _ in range(3):
            engine.forward()
        self.assertEqual(1, engine.solved)

    # What is not known, or not there.

    def left_alone(self, text, **options):
        """One line says why, nothing is hooked, and the engine balances by its own rules."""
        before = options.pop("before", None)
        with self.assertLogs("plimsoll", "ERROR") as logs:
            engine = self.engine(iterations=1, before=before, **options)
            for _ in range(2):
                engine.forward(COUNTS, tokens=1)
        self.assertEqual(1, len(logs.output), logs.output)
        self.assertRegex(logs.output[0], text)
        self.assertEqual((1, []), (engine.solved, self.sessions))
        return engine

    def test_a_parameter_of_another_name_is_told_and_nothing_is_hooked(self):
        def change(engine):
            class Changed(engine.distribution._StatAccumulator):
                def append(self, forward_pass_id, gatherer_key, data, outputs):
                    pass
            engine.distribution._StatAccumulator = Changed

            def record(recorder, forward_batch, counts):
                recorder._accumulator.append(1, "primary", {}, {})
            engine.distribution._ExpertDistributionRecorderReal.record = record

        engine = self.left_alone(r"_StatAccumulator.append\(self, forward_pass_id, gatherer_key, data, outputs\) is known as",
                                 before=change)
        for name in ("_entrypoint", "rebalance"):
            self.assertFalse(hasattr(getattr(engine.manager_module.EPLBManager, name), "__wrapped__"), name)

    def test_a_name_that_is_gone_is_told(self):
        self.left_alone("sglang.srt.eplb.expert_distribution._SelectExpertsSinglePassGatherer is not there",
                        before=lambda engine: delattr(engine.distribution, "_SelectExpertsSinglePassGatherer"))

    def test_without_a_library_and_without_a_directory_the_engine_is_left_alone(self):
        self.left_alone("no libplimsoll.so at /nowhere", environ=dict(PLIMSOLL_LIBRARY="/nowhere"))

    def test_sglang_swallows_exceptions_and_strict_ends_it_all_the_same(self):
        with self.assertRaisesRegex(SystemExit, "PLIMSOLL_RINGS=/nowhere is no directory"):
            self.engine(environ=dict(PLIMSOLL_RINGS="/nowhere", PLIMSOLL_STRICT="1"))

    def test_approximate_counts_are_refused(self):
        self.left_alone("rank 0: _DeepepNormalSinglePassGatherer does not count every token once.*has to be stat",
                        gatherer="normal")

    def test_ranks_that_come_and_go_are_refused(self):
        self.left_alone("--elastic-ep-backend", mode="steer", elastic_ep_backend="mooncake")

    def test_an_error_of_ours_ends_the_capture_and_not_the_engine(self):
        engine = self.engine(iterations=3)
        engine.forward(COUNTS, tokens=1)
        with self.assertLogs("plimsoll", "ERROR") as logs, \
                mock.patch.object(self.sessions[-1], "step_end", side_effect=KeyError("made up")):
            for _ in range(3):
                engine.forward(COUNTS, tokens=1)
        self.assertIn("made up", logs.output[0])
        self.assertFalse(self.sessions[-1].alive)
        self.assertEqual(1, engine.solved)
        engine.forward(COUNTS, tokens=1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
