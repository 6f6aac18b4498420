"""Sessions of two ranks in threads: what they agree on, write down and do, whatever the engine."""
import os
import socket
import unittest
from unittest import mock

from base import Base, abi, plm, torch, zeros
from orders import Mailbox
from plimsoll_engine import steering
from plimsoll_engine.membership import incarnation_in
from plimsoll_engine.settings import Settings
from plimsoll_engine.steering import Model, NotStarted, Session
from ranks import Threads

LAYERS, SLOTS, RANKS, EXPERTS = 2, 2, 2, 3
TARGET = [[0, 1, 2, 1]] * LAYERS
MODEL = Model(name="toy", layer_ids=[1, 2], experts=EXPERTS, top_k=1, slots_per_rank=SLOTS, engine="test 1.0", load="computed")


@unittest.skipIf(torch is None, "NOTICE: no torch, so sessions have no counters")
class Sessions(Base):
    def setUp(self):
        super().setUp()
        self.ranks = Threads(self, RANKS)
        self.load = [zeros(torch, (LAYERS, SLOTS)) for _ in range(RANKS)]

    def settings(self, **named):
        return Settings(deployment="test/toy", rings=self.directory, boundary_steps=1, window_steps=4, **named)

    def opened(self, settings, model=MODEL):
        sessions = self.ranks.call(lambda rank: Session(settings, model, self.ranks.groups[rank]))
        self.addCleanup(lambda: self.ranks.call(lambda rank: sessions[rank].close()))
        return sessions

    def started(self, **named):
        sessions = self.opened(self.settings(**named))
        self.ranks.call(lambda rank: sessions[rank].attach(load=self.load[rank]))
        self.ranks.call(lambda rank: sessions[rank].start())
        return sessions

    def step_until(self, sessions, reached):
        for _ in range(20_000):
            boundaries = self.ranks.call(lambda rank: sessions[rank].step_end())
            if reached(boundaries):
                return boundaries
        raise AssertionError("not reached: %s" % boundaries)

    def mailboxes(self, sessions):
        made = [Mailbox(os.path.join(self.directory, "test.toy", "rank-%d.mailbox" % rank), sessions[rank].incarnation)
                for rank in range(RANKS)]
        for mailbox in made:
            self.addCleanup(mailbox.close)
        return made

    def ordered(self, sessions):
        """Steps until both ranks are to begin to move to TARGET."""
        for mailbox in self.mailboxes(sessions):
            mailbox.propose([([], [], [(layer, 3, 1, 1) for layer in range(LAYERS)])])
            mailbox.permit()
        self.step_until(sessions, lambda boundaries: all(boundary.move for boundary in boundaries))

    def test_all_ranks_take_the_highest_incarnation_that_one_of_them_knows_and_the_first_writes_it_down(self):
        before = self.opened(self.settings())[0].incarnation
        sessions = self.opened(self.settings())
        self.assertEqual(1, len({session.incarnation for session in sessions}))
        self.assertGreater(sessions[0].incarnation, before)
        self.assertEqual(sessions[0].incarnation, incarnation_in(os.path.join(self.directory, "test.toy")))

    def test_observing_needs_no_votes_and_no_mailbox_and_waits_for_nobody(self):
        sessions = self.started()
        self.load[0][1, 1] += 5
        for _ in range(3):  # rank 1 takes no step at all
            self.assertEqual(plm.Outcome.NONE, self.ranks.call(
                lambda rank: sessions[rank].step_end() if rank == 0 else None)[0].outcome)
        self.assertEqual({"membership.avro", "rank-0.ring", "rank-1.ring"},
                         set(os.listdir(os.path.join(self.directory, "test.toy"))))

    def test_an_order_is_the_same_target_at_the_same_step_everywhere_and_is_done_when_all_have_said_so(self):
        sessions = self.started(steer=True)
        self.assertEqual([None, None], self.ranks.call(lambda rank: sessions[rank].target()))
        self.ordered(sessions)
        self.assertEqual([TARGET, TARGET], self.ranks.call(lambda rank: sessions[rank].target()))
        self.ranks.call(lambda rank: sessions[rank].moved(TARGET))
        self.step_until(sessions, lambda boundaries: all(boundary.phase == plm.Phase.DONE for boundary in boundaries))

    def test_where_one_rank_cannot_begin_none_does_and_all_say_why(self):
        os.makedirs(os.path.join(self.directory, "test.toy", "rank-1.ring"))  # a directory is in the way of the ring
        sessions = self.opened(self.settings(steer=True))
        self.ranks.call(lambda rank: sessions[rank].attach(load=self.load[rank]))

        def start(rank):
            with self.assertRaisesRegex(NotStarted, "cannot start: rank 1: .*rank-1.ring"):
                sessions[rank].start()
            return sessions[rank].alive, sessions[rank].step_end()

        with self.assertLogs("plimsoll"):
            self.assertEqual([(False, None)] * RANKS, self.ranks.call(start))

    def test_a_group_that_one_rank_has_lost_is_given_up_by_all_at_the_same_step(self):
        sessions = self.started(steer=True)
        with mock.patch.object(steering, "LOOK_BOUNDARIES", 8), self.assertLogs("plimsoll") as logs:
            self.ranks.call(lambda rank: sessions[rank].step_end())
            sessions[0]._worker._call("plm_comm_abort", sessions[0]._worker._comm)
            steps = [0, 0]

            def steps_until_withdrawn(rank):
                while not sessions[rank].withdrawn:
                    sessions[rank].step_end()
                    steps[rank] += 1
                return sessions[rank].step_end() is not None, sessions[rank].target()

            self.assertEqual([(True, None)] * RANKS, self.ranks.call(steps_until_withdrawn))
            self.assertEqual(steps[0], steps[1])
        self.assertIn("have lost each other", " ".join(logs.output))

    def test_a_map_that_the_engine_changed_begins_the_next_incarnation(self):
        sessions = self.started(steer=True)
        before = sessions[0].incarnation
        other = [[2, 1, 0, 2]] * LAYERS
        self.ranks.call(lambda rank: sessions[rank].changed(other))
        self.assertGreater(sessions[0].incarnation, before)
        self.ordered(sessions)
        self.assertEqual([[[2, 1, 0, 1]] * LAYERS] * RANKS, self.ranks.call(lambda rank: sessions[rank].target()))

    def test_ranks_move_nothing_together_until_all_hold_the_same_weights(self):
        sessions = self.started(steer=True)

        def load_the_first(rank):
            if rank == 0:
                self.assertTrue(steering.reload(), "nothing is in flight")
                steering.reloaded(3)

        self.ranks.call(load_the_first)
        self.ranks.call(lambda rank: sessions[rank].changed([[2, 1, 0, 2]] * LAYERS))
        self.assertEqual([3, 0], self.ranks.call(lambda rank: sessions[rank]._worker.state().generation), "a new incarnation")
        for mailbox in self.mailboxes(sessions):
            mailbox.propose([([], [], [(layer, 3, 1, 1) for layer in range(LAYERS)])])
            mailbox.permit()
        for _ in range(6):
            boundaries = self.ranks.call(lambda rank: sessions[rank].step_end())
            self.assertEqual([False, False], [boundary.move for boundary in boundaries])
        self.assertEqual([plm.Phase.WILLING] * RANKS, [boundary.phase for boundary in boundaries])
        while not self.ranks.call(lambda rank: rank == 0 or steering.reload())[1]:
            self.ranks.call(lambda rank: sessions[rank].step_end())
        self.ranks.call(lambda rank: rank == 0 or steering.reloaded(3))
        self.step_until(sessions, lambda boundaries: all(boundary.move for boundary in boundaries))

    def test_several_models_of_an_engine_are_deployments_of_their_own(self):
        self.opened(self.settings(), MODEL._replace(suffix="-draft"))
        self.assertEqual(["test.toy-draft"], os.listdir(self.directory))

    def test_ranks_on_several_nodes_are_steered_only_where_they_can_meet(self):
        settings = [self.settings(steer=True)._replace(rings=self.path("node-%d" % rank)) for rank in range(RANKS)]

        def opened(rank):
            with self.assertRaisesRegex(NotStarted, "on 2 nodes.*PLIMSOLL_ADDRESS.*PLIMSOLL_SECRET_FILE"):
                Session(settings[rank], MODEL, self.ranks.groups[rank])

        self.ranks.call(opened)

    def test_ranks_on_several_nodes_that_can_meet_are_steered_together(self):
        with open(self.path("secret"), "w", encoding="ascii") as file:
            os.chmod(file.fileno(), 0o600)
            file.write("0123456789abcdef" * 4)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = "127.0.0.1:%d" % free.getsockname()[1]
        settings = [self.settings(steer=True, address=address, secret_file=self.path("secret"))._replace(
            rings=self.path("node-%d" % rank)) for rank in range(RANKS)]
        sessions = self.ranks.call(lambda rank: Session(settings[rank], MODEL, self.ranks.groups[rank]))
        self.addCleanup(lambda: self.ranks.call(lambda rank: sessions[rank].close()))
        self.ranks.call(lambda rank: sessions[rank].attach(load=self.load[rank]))
        self.ranks.call(lambda rank: sessions[rank].start())
        boxes = []
        for rank in range(RANKS):
            boxes.append(Mailbox(os.path.join(self.path("node-%d" % rank), "test.toy", "rank-%d.mailbox" % rank),
                                 sessions[rank].incarnation))
            self.addCleanup(boxes[-1].close)
        for box in boxes:
            box.propose([([], [], [(layer, 3, 1, 1) for layer in range(LAYERS)])])
            box.permit()
        self.step_until(sessions, lambda boundaries: all(boundary.move for boundary in boundaries))
        self.assertEqual([TARGET, TARGET], self.ranks.call(lambda rank: sessions[rank].target()))

    def test_an_error_while_observing_ends_the_capture_and_not_the_engine(self):
        sessions = self.started()
        with self.assertLogs("plimsoll", "ERROR") as logs:
            sessions[0]._worker._disable(abi.PlimsollError(abi.PLM_E_DEVICE, "made up"))
        self.assertIn("the engine goes on", logs.output[0])
        self.assertFalse(sessions[0].alive)
        self.assertEqual([None, True], self.ranks.call(lambda rank: sessions[rank].step_end() and True))


if __name__ == "__main__":
    unittest.main(verbosity=2)
