"""The vLLM plug-in in a balancer of ours that has vLLM's names: come in by an entry point, two ranks in threads."""
import importlib.metadata
import os
import unittest
from unittest import mock

from base import Base, entry_points_directory, plm, torch
from orders import Mailbox
from plimsoll_engine import abi, plugin, steering, vllm_model
from plimsoll_engine.membership import incarnation_in
from ranks import Threads
import reading
if torch is not None:
    import vllm_double as double

TOKENS = 5


class Rank:
    """A worker process of the engine, and what its router is to count in each pass."""

    def __init__(self, group, parallel, drafts=()):
        double.is_rank(group)
        self.group, self.configs = group, [double.model_config("draft") for _ in drafts] + [double.model_config()]
        self.state = double.EplbState(parallel, torch.device("cpu"))
        for number, config in enumerate(self.configs):
            self.state.add_model(double.model(), config, "model %d" % number)

    def passes(self, tokens=TOKENS, dummy=False, counted=None, steps=1):
        for _ in range(steps):
            for config, state in zip(self.configs, self.state.model_states.values()):
                if not dummy and hasattr(self.state, "prepare_forward"):
                    self.state.prepare_forward(config, tokens)
                if self.state.should_record:
                    state.expert_load_pass += torch.tensor(counted if counted is not None else [tokens * double.TOP_K, 0, 0, 0])
            self.state.step(is_dummy=dummy)

    @property
    def placement(self):
        return list(self.state.model_states.values())[-1].physical_to_logical_map.tolist()


@unittest.skipIf(torch is None, "NOTICE: no torch, so vLLM has no counters")
class VllmPlugin(Base):
    def setUp(self):
        super().setUp()
        double.put_in(self)
        self.ranks = Threads(self, double.RANKS)
        self.sessions = {}
        self.addCleanup(lambda: [plugin._installed.pop(engine).withdraw() for engine in list(plugin._installed)])
        self.keep(steering.Session, "start", lambda session: self.sessions.setdefault(
            session._group.rank, []).append(session))
        self.addCleanup(lambda: [session.close() for sessions in self.sessions.values() for session in sessions])

    def keep(self, owner, name, told):
        original = getattr(owner, name)

        def call(this, *arguments):
            told(this)
            return original(this, *arguments)
        patch = mock.patch.object(owner, name, call)
        patch.start()
        self.addCleanup(patch.stop)

    def load_plugins(self, **environ):
        """As vLLM does it: every entry point of the group, called."""
        environ = {"PLIMSOLL_DEPLOYMENT": "test/vllm", "PLIMSOLL_RINGS": self.directory, "PLIMSOLL_BOUNDARY": "1",
                   "PLIMSOLL_WINDOW": "4", **environ}
        directory = self.path("site")
        if not os.path.isdir(directory):
            entry_points_directory(directory)
        found = [point for one in importlib.metadata.distributions(path=[directory]) for point in one.entry_points
                 if point.group == "vllm.general_plugins" and point.name == "plimsoll"]
        self.assertEqual(1, len(found))
        with mock.patch.dict(os.environ, environ):
            found[0].load()()

    def engine(self, drafts=(), tensor_parallel=None, **config):
        parallel = double.parallel_config(tensor_parallel or double.RANKS, **config)
        return self.ranks.call(lambda rank: Rank(self.ranks.groups[rank], parallel, drafts))

    def serving(self, **environ):
        """An engine past the two steps after which load goes out."""
        self.load_plugins(**environ)
        engine = self.engine()
        self.all(engine, steps=2)
        return engine

    def all(self, engine, **named):
        self.ranks.call(lambda rank: engine[rank].passes(**named))

    def captured(self, rank, step):
        worker = self.sessions[rank][-1]._worker
        reading.wait(worker, step)
        return reading.snapshot(worker)

    def until(self, engine, reached):
        for _ in range(20_000):
            self.all(engine)
            if reached():
                return
        raise AssertionError("not reached")

    def ordered(self, target):
        """Both ranks have an order to move to it in their mailboxes."""
        for rank, sessions in self.sessions.items():
            mailbox = Mailbox(os.path.join(self.directory, "test.vllm", "rank-%d.mailbox" % rank), sessions[-1].incarnation)
            self.addCleanup(mailbox.close)
            now = [slot % double.EXPERTS for slot in range(double.RANKS * double.SLOTS)]
            mailbox.propose([([], [], [(layer, slot, target[layer][slot], 1) for layer in range(double.LAYERS)
                                       for slot in range(len(now)) if target[layer][slot] != now[slot]])])
            mailbox.permit()

    def phases(self):
        return set(self.ranks.call(lambda rank: self.sessions[rank][-1]._worker.state().phase))

    def test_every_pass_is_counted_once_and_none_that_is_not_real(self):
        engine = self.serving()
        self.assertEqual(2, len(self.sessions))
        with mock.patch.object(double, "TOP_K", 0):
            self.all(engine, tokens=9, dummy=True, counted=[7, 7, 7, 7])
        self.all(engine, counted=[4, 3, 2, 1])
        self.all(engine, counted=[0, 0, 6, 4])
        snapshots = [self.captured(rank, 3) for rank in range(double.RANKS)]
        self.assertEqual([[4, 3] * 2, [8, 5] * 2], [list(one.load) for one in snapshots])
        self.assertEqual([[2 * TOKENS * double.TOP_K] * 2, [0, 0]], [list(one.routed) for one in snapshots])

    def test_load_left_over_from_warm_up_does_not_count(self):
        self.load_plugins()
        engine = self.engine()
        self.ranks.call(lambda rank: engine[rank].state.model_states["model 0"].expert_load_pass.fill_(1_000))
        self.all(engine, steps=3)
        self.assertEqual([TOKENS * double.TOP_K, 0] * 2, list(self.captured(0, 1).load))

    def test_counting_is_never_paused_and_the_engines_own_window_is_what_it_would_have_been(self):
        def window():
            engine = self.engine()
            self.ranks.call(lambda rank: engine[rank].state.model_states["model 0"].expert_load_pass.fill_(1_000))
            for rank in engine:
                rank.state.expert_rearrangement_step_interval = 20
            for step in range(1, 60):
                self.all(engine, tokens=step, dummy=step % 7 == 0)
            return [rank.state.window for rank in engine]

        alone = window()
        self.load_plugins()
        self.assertEqual(alone, window())
        self.assertTrue(all(session.alive for sessions in self.sessions.values() for session in sessions))

    def test_a_profile_run_is_no_step(self):
        engine = self.serving()
        self.ranks.call(lambda rank: engine[rank].state.step(is_profile=True))
        self.all(engine)
        self.assertEqual(1, self.captured(0, 1).step)

    def test_ranks_that_route_for_themselves_tell_what_they_sent(self):
        self.load_plugins()
        engine = self.engine(tensor_parallel=1)
        sent = [[1, 2, 3, 4], [5, 5, 0, 0]]
        for _ in range(3):
            self.ranks.call(lambda rank: engine[rank].passes(counted=sent[rank]))
        snapshots = [self.captured(rank, 1) for rank in range(double.RANKS)]
        self.assertEqual([row * 2 for row in sent], [list(one.load) for one in snapshots])
        self.assertEqual([[TOKENS * double.TOP_K] * 2] * 2, [list(one.routed) for one in snapshots])

    def test_who_does_not_count_as_his_configuration_says_is_refused_by_all_and_serves_on(self):
        self.load_plugins()
        engine = self.engine()
        with self.assertLogs("plimsoll", "ERROR") as logs:
            self.all(engine, steps=5, counted=[1, 1, 1, 1])
        self.assertIn("by its configuration this vllm counts load replicated, and it does not: ranks 0 to 1 counted [4, 4] in layer 0 "
                      "of 10 assignments", logs.output[0])
        self.assertEqual([5, 5], [rank.state.expert_rearrangement_step for rank in engine])
        self.assertEqual([], os.listdir(os.path.join(self.directory)) and [
            name for name in os.listdir(self.directory) if name.startswith("test.")])

    def test_a_changed_parameter_is_named_and_nothing_is_hooked(self):
        def step(self, is_dummy, is_profile, verbose):
            raise AssertionError
        with mock.patch.object(double.EplbState, "step", step), self.assertLogs("plimsoll", "ERROR") as logs:
            before = dict(vars(double.EplbState))
            self.load_plugins()
            self.assertEqual(before, dict(vars(double.EplbState)))
        self.assertIn("EplbState.step(self, is_dummy, is_profile, verbose) is known as (self, is_dummy, is_profile, log_stats)",
                      logs.output[0])

    def test_a_function_that_is_gone_raises_where_strictness_was_asked_for(self):
        committing = double._commit_eplb_maps
        del double._commit_eplb_maps
        self.addCleanup(setattr, double, "_commit_eplb_maps", committing)
        with self.assertRaisesRegex(plugin.PluginError, "eplb_state._commit_eplb_maps is not there"):
            self.load_plugins(PLIMSOLL_STRICT="1")

    def test_without_a_deployment_the_engine_is_as_it_was(self):
        before = dict(vars(double.EplbState))
        self.load_plugins(PLIMSOLL_DEPLOYMENT="")
        self.assertEqual(before, dict(vars(double.EplbState)))

    def test_an_older_engine_that_does_not_tell_its_tokens_is_observed_without_them(self):
        telling = double.EplbState.prepare_forward
        del double.EplbState.prepare_forward
        self.addCleanup(setattr, double.EplbState, "prepare_forward", telling)
        self.load_plugins()
        engine = self.engine()
        self.all(engine, steps=3)
        self.assertEqual([10, 0] * 2, list(self.captured(0, 1).load))
        self.assertNotIn(abi.PLM_SEGMENT_ROUTED, self.sessions[0][0]._worker._counters)

    def test_a_map_that_the_engine_made_by_itself_begins_the_next_incarnation_with_it(self):
        engine = self.serving()
        for rank in engine:
            rank.state.expert_rearrangement_step_interval = rank.state.expert_rearrangement_step + 2
        self.all(engine, steps=3)
        self.assertEqual([[[0, 0, 1, 2]] * 2] * 2, [rank.placement for rank in engine])
        (first, second), _ = self.sessions.values()
        self.assertEqual([[0, 0, 1, 2]] * 2, second._membership.placement)
        self.assertEqual(second.incarnation, incarnation_in(os.path.join(self.directory, "test.vllm")))
        self.assertIs(first, second)

    def test_while_observing_the_engine_balances_by_its_own_rules(self):
        engine = self.serving()
        self.assertEqual(1000, engine[0].state.expert_rearrangement_step_interval)
        self.assertIs(double.DefaultEplbPolicy, engine[0].state.policy)

    def test_while_steering_it_moves_on_verdicts_only_and_to_what_was_decided(self):
        self.steered(target=[[2, 1, 0, 2], [0, 1, 2, 1]], use_async=False)

    def test_layers_that_move_one_by_one_are_one_move(self):
        self.steered(target=[[2, 1, 0, 2], [0, 1, 2, 1]], use_async=True)

    def test_an_expert_twice_on_a_rank_is_moved_to_like_any_other_map(self):
        self.steered(target=[[0, 0, 2, 1], [1, 1, 2, 0]], use_async=False)

    def steered(self, target, use_async):
        self.load_plugins(PLIMSOLL_MODE="steer")
        engine = self.engine(use_async=use_async)
        self.all(engine, steps=2)
        self.all(engine, steps=1_100)  # more than the engine's own interval
        self.assertEqual([[[0, 1, 2, 0]] * 2] * 2, [rank.placement for rank in engine])
        self.ordered(target)
        self.until(engine, lambda: self.phases() == {int(plm.Phase.DONE)})
        self.assertEqual([target] * 2, [rank.placement for rank in engine])
        self.assertEqual([1, 1], [len(sessions) for sessions in self.sessions.values()])

    def test_a_lost_group_gives_balancing_back_at_the_same_step_on_all_ranks(self):
        with mock.patch.object(steering, "LOOK_BOUNDARIES", 8), self.assertLogs("plimsoll") as logs:
            engine = self.serving(PLIMSOLL_MODE="steer")
            worker = self.sessions[0][0]._worker
            worker._call("plm_comm_abort", worker._comm)
            self.until(engine, lambda: self.sessions[0][0].withdrawn)
        self.assertIn("vllm balances experts by its own rules again, every 1000 steps", " ".join(logs.output))
        self.assertEqual([(1000, double.DefaultEplbPolicy, 0)] * 2, [
            (rank.state.expert_rearrangement_step_interval, rank.state.policy, rank.state.expert_rearrangement_step) for rank in engine])
        self.all(engine, steps=1_001)
        self.assertEqual([[[0, 0, 1, 2]] * 2] * 2, [rank.placement for rank in engine])

    def test_an_error_of_ours_ends_the_capture_of_a_rank_and_holds_up_nobody(self):
        engine = self.serving()
        with mock.patch.object(self.sessions[0][0], "step_end", side_effect=RuntimeError("made up")), self.assertLogs("plimsoll") as logs:
            self.all(engine, steps=3)
        self.assertIn("made up", logs.output[0])
        self.assertEqual([False, True], [self.sessions[rank][0].alive for rank in range(2)])
        for rank in engine:
            rank.state.expert_rearrangement_step_interval = rank.state.expert_rearrangement_step + 1
        with self.assertLogs("plimsoll") as logs:
            self.all(engine, steps=2)
        self.assertIn("not all ranks of test/vllm publish their load", logs.output[0])
        self.assertEqual([[[0, 0, 1, 2]] * 2] * 2, [rank.placement for rank in engine])

    def test_what_fails_in_the_engines_own_rearrangement_is_not_hidden(self):
        self.load_plugins(PLIMSOLL_MODE="steer")
        engine = self.engine()
        self.all(engine, steps=2)
        self.ordered([[2, 1, 0, 2], [0, 1, 2, 1]])
        with mock.patch.object(double, "_commit_eplb_maps", side_effect=RuntimeError("a transfer that failed")):
            with self.assertRaisesRegex(RuntimeError, "a transfer that failed"):
                self.until(engine, lambda: False)

    def test_a_rank_that_cannot_tell_where_to_move_while_others_do_stops(self):
        self.load_plugins(PLIMSOLL_MODE="steer")
        engine = self.engine()
        self.all(engine, steps=2)
        self.ordered([[2, 1, 0, 2], [0, 1, 2, 1]])
        with mock.patch.object(steering.Session, "target", side_effect=RuntimeError("made up")):
            with self.assertRaisesRegex(RuntimeError, "made up"):
                self.until(engine, lambda: False)

    def test_ranks_that_come_or_go_begin_the_next_incarnation_two_steps_later(self):
        engine = self.serving(PLIMSOLL_MODE="steer")
        before = self.sessions[0][0].incarnation
        self.ranks.call(lambda rank: engine[rank].state.rearrange(rank_mapping={0: 0, 1: 1}))
        self.assertEqual([1000] * 2, [rank.state.expert_rearrangement_step_interval for rank in engine])
        self.all(engine, steps=3)
        self.assertEqual([2, 2], [len(sessions) for sessions in self.sessions.values()])
        after = self.sessions[0][1]
        self.assertGreater(after.incarnation, before)
        self.assertEqual([[0, 0, 1, 2]] * 2, after._membership.placement)
        self.assertTrue(after.alive)

    def test_a_draft_model_is_a_deployment_of_its_own(self):
        self.load_plugins()
        engine = self.engine(drafts=["draft"])
        self.all(engine, steps=3)
        self.assertEqual({"test.vllm", "test.vllm-draft"}, {name for name in os.listdir(self.directory) if name.startswith("test.")})
        self.assertEqual([3, 4], self.sessions[0][0]._membership.layer_ids)


class WhatIsCounted(unittest.TestCase):
    def test_what_all_ranks_route_is_seen_whole_by_each(self):
        self.assertIsNone(vllm_model.miscounted("replicated", [(10, [10]), (10, [10])], 2))
        self.assertIsNone(vllm_model.miscounted("replicated", [(10, [16]), (6, [16])], 1))
        self.assertIn("ranks 1 to 1 counted [6]", vllm_model.miscounted("replicated", [(10, [16]), (6, [6])], 1))

    def test_what_ranks_send_is_their_own_up_to_what_tensor_parallelism_pads_or_repeats(self):
        self.assertIsNone(vllm_model.miscounted("routed-to", [(10, [10, 10]), (6, [6, 6])], 1))
        self.assertIn("in layer 1", vllm_model.miscounted("routed-to", [(10, [10, 12]), (6, [6, 6])], 1))
        self.assertIsNone(vllm_model.miscounted("routed-to", [(10, [6]), (10, [6])], 2))
        self.assertIn("counted [6, 3]", vllm_model.miscounted("routed-to", [(10, [6]), (10, [3])], 2))

    def test_dummy_passes_are_not_looked_at(self):
        self.assertIsNone(vllm_model.miscounted("routed-to", [(10, [10]), (None, [77])], 1))
        self.assertIsNone(vllm_model.miscounted("routed-to", [(None, [5]), (None, [77])], 1))

    def test_layers_have_the_numbers_of_the_model_or_where_names_do_not_say_of_their_order(self):
        self.assertEqual([3, 11], vllm_model.layer_ids(["model.layers.3.mlp.experts", "model.layers.11.mlp.experts"]))
        self.assertEqual([0, 1], vllm_model.layer_ids(["model.layers.3.mlp.experts", "experts"]))
        self.assertEqual([0, 1], vllm_model.layer_ids(["layers.4.a", "layers.4.b"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
