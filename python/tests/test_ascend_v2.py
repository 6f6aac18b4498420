"""The plug-in for vllm-ascend's model runner v2, in a double of its balancer: what is other than in vLLM's."""
import importlib.metadata
import os
import unittest
from unittest import mock

from base import Base, entry_points_directory, torch
from orders import Mailbox
from plimsoll_engine import ascend_v2, plugin, steering
from plimsoll_engine.worker import Phase
from ranks import Threads
import reading

if torch is not None:
    import ascend_v2_double as double
    import vllm_double as vllm

TARGET = [[0, 1, 2, 1]] * 2  # of the start [0, 1, 2, 0]


@unittest.skipIf(torch is None, "NOTICE: no torch, so vllm-ascend's balancer has no double")
class ModelRunnerV2(Base):
    def setUp(self):
        super().setUp()
        double.put_in(self)
        self.ranks, self.sessions = Threads(self, vllm.RANKS), {}
        self.addCleanup(lambda: [plugin._installed.pop(engine).withdraw() for engine in list(plugin._installed)])
        start = steering.Session.start

        def started(session):
            self.sessions.setdefault(session._group.rank, []).append(session)
            return start(session)

        patch = mock.patch.object(steering.Session, "start", started)
        patch.start()
        self.addCleanup(patch.stop)
        self.addCleanup(lambda: [session.close() for sessions in self.sessions.values() for session in sessions])

    def load_plugins(self, **environ):
        """As vLLM does it: every entry point of the group, called; vLLM's own among them."""
        environ = {"PLIMSOLL_DEPLOYMENT": "test/v2", "PLIMSOLL_RINGS": self.directory, "PLIMSOLL_BOUNDARY": "1",
                   "PLIMSOLL_WINDOW": "4", "DYNAMIC_EPLB": "", **environ}
        directory = entry_points_directory(self.path("site"))
        names = []
        with mock.patch.dict(os.environ, environ):
            for one in importlib.metadata.distributions(path=[directory]):
                for point in one.entry_points:
                    if point.group == "vllm.general_plugins":
                        names.append(point.name)
                        point.load()()
        self.assertEqual(["plimsoll", "plimsoll_ascend"], sorted(names))

    def serving(self, use_async=False, **environ):
        """Two ranks past the two steps after which load goes out."""
        self.load_plugins(**environ)

        def state(rank):
            vllm.is_rank(self.ranks.groups[rank])
            made = double.AscendEplbState(vllm.parallel_config(use_async=use_async), torch.device("cpu"))
            made.add_model(vllm.model(), vllm.model_config(), "model")
            return made

        self.states = self.ranks.call(state)
        self.passes(2)

    def passes(self, count, load=(0, 0, 0, 0), dummy=False):
        def run(rank):
            for _ in range(count):
                self.model(rank).expert_load_pass += torch.tensor(load)
                self.states[rank].step(is_dummy=dummy)

        self.ranks.call(run)

    def model(self, rank):
        return self.states[rank].model_states["model"]

    def maps(self):
        return [self.model(rank).physical_to_logical_map.tolist() for rank in range(vllm.RANKS)]

    def captured(self, rank):
        worker = self.sessions[rank][-1]._worker
        reading.wait(worker, worker._step)
        return list(reading.snapshot(worker).load)

    def order(self):
        for rank, sessions in self.sessions.items():
            box = Mailbox(os.path.join(self.directory, "test.v2", "rank-%d.mailbox" % rank), sessions[-1].incarnation)
            self.addCleanup(box.close)
            box.propose([([], [], [(layer, 3, 1, 1) for layer in range(vllm.LAYERS)])])
            box.permit()

    def until(self, reached):
        for _ in range(20_000):
            self.passes(1)
            if reached():
                return
        raise AssertionError("not reached")

    def done(self):
        return set(self.ranks.call(lambda rank: self.sessions[rank][-1]._worker.state().phase)) == {Phase.DONE}

    def test_own_slots_are_counted_as_computed_and_dummy_passes_count_too(self):
        self.serving()
        model = self.sessions[0][-1]._model
        self.assertEqual(("computed", "even", [3, 4]), (model.load, model.share, model.layer_ids))
        self.assertTrue(model.engine.startswith("vllm-ascend"))
        self.passes(1, load=(5, 6, 7, 8))
        self.assertEqual([[5, 6] * 2, [7, 8] * 2], [self.captured(0), self.captured(1)])
        self.passes(1, load=(1, 0, 0, 2), dummy=True)
        self.assertEqual([[6, 6] * 2, [7, 10] * 2], [self.captured(0), self.captured(1)])
        self.assertIsInstance(self.states[0].policy, double.StairPolicy)

    def test_an_order_is_moved_to_although_nobody_has_recorded_load_and_the_policy_is_an_object(self):
        self.serving(PLIMSOLL_MODE="steer")
        self.order()
        self.until(self.done)
        self.assertEqual([TARGET, TARGET], self.maps())

    def test_layers_that_are_moved_in_the_background_are_acknowledged_once_all_are_there(self):
        self.serving(use_async=True, PLIMSOLL_MODE="steer")
        self.order()
        self.until(self.done)
        self.assertEqual([TARGET, TARGET], self.maps())

    def test_a_lost_group_gives_the_engine_its_interval_and_its_policy_back(self):
        self.serving(PLIMSOLL_MODE="steer")
        self.assertIsInstance(self.states[0].policy, ascend_v2.Policy)
        with mock.patch.object(steering, "LOOK_BOUNDARIES", 4), self.assertLogs("plimsoll"):
            self.sessions[0][-1]._worker._call("plm_comm_abort", self.sessions[0][-1]._worker._comm)
            self.until(lambda: all(sessions[-1].withdrawn for sessions in self.sessions.values()))
            self.passes(1)
        self.assertEqual([(double.StairPolicy, 1000)] * 2, [(type(state.policy), state.expert_rearrangement_step_interval)
                                                            for state in self.states])

    def test_one_changed_parameter_of_either_is_told_and_nothing_is_hooked(self):
        def step(self, is_dummy=False, log_stats=False):
            pass

        before = vllm.EplbState.step
        with mock.patch.object(double.AscendEplbState, "step", step), self.assertLogs("plimsoll", "ERROR") as logs:
            self.load_plugins()
        self.assertRegex(logs.output[0], r"AscendEplbState.step\(self, is_dummy, log_stats\) is known as")
        self.assertIs(before, vllm.EplbState.step)

    def test_where_vllm_ascend_is_there_vllms_own_plug_in_stands_aside(self):
        self.load_plugins()
        self.assertEqual(["vllm-ascend v2"], list(plugin._installed))


if __name__ == "__main__":
    unittest.main(verbosity=2)
