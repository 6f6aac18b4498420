"""Experts that are moved for an engine, and an engine that moves them itself: two ranks in threads, orders of a test."""
import concurrent.futures
import logging
import unittest

from base import PATIENCE, Base, abi, numpy, plm, torch, zeros
from orders import Mailbox

LAYERS, SLOTS, RANKS, EXPERTS = 2, 2, 2, 3
START = [[0, 1, 2, 0]] * LAYERS  # slot s holds expert s mod 3
TARGET = [[0, 1, 2, 1], [0, 1, 2, 1]]


class Engine:
    """A rank with experts of two tensors, of types of their own, and a map; its steps run on a thread of its own."""

    def __init__(self, test, rank, **options):
        self.rank, self.thread = rank, concurrent.futures.ThreadPoolExecutor(1)
        self.flips, self.map, self.boundaries = [], [list(layer) for layer in START], []
        test.workers += 1
        mailbox = test.path("mailbox-%d" % test.workers)
        self.mailbox = Mailbox(mailbox)
        test.addCleanup(self.mailbox.close)
        settings = dict(rank=rank, ranks=RANKS, layers=LAYERS, slots_per_rank=SLOTS, experts=EXPERTS, gather="node",
                        address=test.path("segment"), mailbox=mailbox, timeout_ms=PATIENCE,
                        flip_timeout_ms=PATIENCE, staging_bytes=1 << 16, on_flip=self.flip)
        settings.update(options)
        self.worker = test.worker(**settings)
        test.addCleanup(self.thread.shutdown)
        test.addCleanup(lambda: self.call(self.worker.close))
        self.w13 = torch.zeros((LAYERS, SLOTS, 5, 3), dtype=torch.float32)
        self.scales = torch.zeros((LAYERS, SLOTS, 2), dtype=torch.float16)
        for layer in range(LAYERS):
            for slot in range(SLOTS):
                self.w13[layer, slot], self.scales[layer, slot] = self.expert(layer, START[layer][rank * SLOTS + slot])

    @staticmethod
    def expert(layer, expert):
        return (torch.arange(15, dtype=torch.float32).reshape(5, 3) + 100 * layer + 1000 * expert,
                torch.tensor([layer, expert], dtype=torch.float16))

    def flip(self, layer, slots, experts, in_use):
        self.flips.append((layer, slots, experts, in_use))
        for slot, expert in zip(slots, experts):
            self.map[layer][slot] = expert

    def start(self):
        self.worker.attach(load=zeros(torch, (LAYERS, SLOTS)))
        if self.worker._moved_for_it:
            for layer in range(LAYERS):
                self.worker.weights(layer, [self.w13[layer], self.scales[layer]])
        self.call(self.worker.start)
        return self

    def later(self, function, *arguments, **named):
        return self.thread.submit(function, *arguments, **named)

    def call(self, function, *arguments, **named):
        return self.later(function, *arguments, **named).result(60)

    def wrong(self):
        """Slots that hold other bytes than those of the expert that the map says."""
        return [(layer, slot) for layer in range(LAYERS) for slot in range(SLOTS)
                for w13, scales in [self.expert(layer, self.map[layer][self.rank * SLOTS + slot])]
                if not (self.w13[layer, slot].equal(w13) and self.scales[layer, slot].equal(scales))]


def step(*engines):
    """One step of all."""
    for engine, boundary in [(engine, engine.later(engine.worker.step_end)) for engine in engines]:
        engine.boundaries.append(boundary.result(60))


def step_until(reached, *engines):
    for _ in range(20_000):
        step(*engines)
        if reached():
            return
    raise AssertionError("not reached: %s" % [engine.boundaries[-1] for engine in engines])


def propose(engines):
    """Slot 3, on rank 1, gets expert 1 in both layers, from slot 1 on rank 0; in two batches."""
    engines[0].mailbox.propose([([(0, 1, 1, 0)], [], [(0, 3, 1, 1)]), ([(1, 1, 1, 0)], [], [(1, 3, 1, 1)])])
    engines[1].mailbox.propose([([], [(0, 1, 0, 0)], [(0, 3, 1, 1)]), ([], [(1, 1, 0, 0)], [(1, 3, 1, 1)])])


def permit(engines):
    for engine in engines:
        engine.mailbox.permit()


@unittest.skipIf(torch is None, "NOTICE: no torch, so no experts are moved")
class MovedForTheEngine(Base):
    def ranks(self, **options):
        return [Engine(self, rank, **options).start() for rank in range(RANKS)]

    def ready(self, engines):
        """Runs on until both have voted to flip the first batch."""
        propose(engines)
        permit(engines)
        step_until(lambda: all(engine.call(engine.worker.state).cast.level == 2 for engine in engines), *engines)

    def test_weights_and_map_flip_on_all_ranks_at_the_same_step(self):
        engines = self.ranks()
        propose(engines)
        step_until(lambda: all(engine.boundaries[-1].phase == plm.Phase.ACCEPTED for engine in engines), *engines)
        permit(engines)
        with self.assertLogs("plimsoll", logging.INFO) as logs:
            step_until(lambda: all(engine.boundaries[-1].phase == plm.Phase.DONE for engine in engines), *engines)
        for engine in engines:
            self.assertEqual([(0, [3], [1], [True]), (1, [3], [1], [True])], engine.flips)
            self.assertEqual((TARGET, []), (engine.map, engine.wrong()))
        for text in ("transfers started", "flipped"):
            self.assertEqual(4, sum(text in line for line in logs.output), logs.output)
        phases = [[boundary.phase for boundary in engine.boundaries] for engine in engines]
        self.assertEqual(phases[0][-1], phases[1][-1])
        for engine in engines:
            engine.mailbox.settled(batches=2)
        step_until(lambda: all(engine.boundaries[-1].phase == plm.Phase.SERVING for engine in engines), *engines)
        self.assertEqual([1, 1], [engine.call(engine.worker.state).settled_version for engine in engines])

    def test_what_on_flip_raises_is_the_cause_of_leaving(self):
        def fails(*_):
            raise KeyError("mine")

        for on_error in ("raise", "disable"):
            with self.subTest(on_error):
                engines = [Engine(self, rank, on_error=on_error, address=self.path("segment-" + on_error), incarnation=1,
                                  **({"on_flip": fails} if rank == 0 else {})).start() for rank in range(RANKS)]
                self.ready(engines)
                second = engines[1].later(engines[1].worker.step_end)
                with self.assertRaisesRegex(plm.FlipFailed, "could not flip .*mine.*Run no further step") as caught:
                    engines[0].call(engines[0].worker.step_end)
                self.assertIsInstance(caught.exception.__cause__, KeyError)
                self.assertEqual([], engines[1].wrong(), second.result(60))
                for _ in range(3):
                    with self.assertRaises(plm.FlipFailed):
                        engines[0].call(engines[0].worker.step_end)
                self.assertIsNone(engines[0].worker.disabled)
                for engine in engines:
                    engine.call(engine.worker.close)

    def test_a_vote_to_flip_that_is_not_resolved_ends_the_engine_in_both_modes(self):
        for on_error in ("raise", "disable"):
            with self.subTest(on_error):
                engines = self.ranks(on_error=on_error, address=self.path("segment-" + on_error), flip_timeout_ms=300)
                propose(engines)
                permit(engines)
                while True:
                    engines[0].call(engines[0].worker.step_end)
                    if engines[0].call(engines[0].worker.state).cast.level == 2:
                        break
                    engines[1].call(engines[1].worker.step_end)
                for _ in range(3):  # rank 1 does not come
                    with self.assertRaisesRegex(plm.LeaveGroup, "others may have flipped, and rank 0 cannot know .TIMED_OUT"):
                        engines[0].call(engines[0].worker.step_end)
                self.assertIsNone(engines[0].worker.disabled)
                for engine in engines:
                    engine.call(engine.worker.close)

    def test_a_failure_with_a_vote_to_flip_in_flight_ends_the_engine_in_both_modes(self):
        for on_error in ("raise", "disable"):
            with self.subTest(on_error):
                streams = [0]
                engines = self.ranks(on_error=on_error, address=self.path("segment-" + on_error), stream=lambda: streams[0])
                self.ready(engines)
                with self.assertRaisesRegex(plm.PlimsollError, "step 1 follows step"):
                    engines[0].call(engines[0].worker.step_end, 1)  # refused, and nothing else
                streams.clear()
                for _ in range(3):
                    with self.assertRaisesRegex(plm.LeaveGroup, "cannot know the verdict"):
                        engines[0].call(engines[0].worker.step_end)
                self.assertIsNone(engines[0].worker.disabled)
                for engine in engines:
                    engine.call(engine.worker.close)

    def test_weights_may_move_between_decisions(self):
        engines = self.ranks()
        step(*engines)
        for engine in engines:
            engine.w13 = engine.w13.clone()
            for layer in range(LAYERS):
                self.assertTrue(engine.call(engine.worker.weights, layer, [engine.w13[layer], engine.scales[layer]]))
        propose(engines)
        permit(engines)
        step_until(lambda: all(engine.boundaries[-1].phase == plm.Phase.DONE for engine in engines), *engines)
        self.assertEqual(([], []), (engines[0].wrong(), engines[1].wrong()))

    def test_what_was_received_is_dropped_where_other_weights_are_loaded(self):
        engines = self.ranks()
        self.ready(engines)
        self.assertFalse(engines[1].call(engines[1].worker.reload), "all may flip on its last vote")
        step(*engines)  # the vote stands: what all have agreed on is flipped first
        self.assertEqual([1, 1], [len(engine.flips) for engine in engines])
        step_until(lambda: engines[1].call(engines[1].worker.reload), *engines)
        step(*engines)
        engines[1].call(engines[1].worker.reloaded, 3)
        for _ in range(4):
            step(*engines)
        self.assertEqual([1, 1], [len(engine.flips) for engine in engines], "ranks with different weights")
        step_until(lambda: engines[0].call(engines[0].worker.reload), *engines)
        engines[0].call(engines[0].worker.reloaded, 3)
        step_until(lambda: all(engine.boundaries[-1].phase == plm.Phase.DONE for engine in engines), *engines)
        self.assertEqual([2, 2], [len(engine.flips) for engine in engines])

    def test_who_loads_without_leave_leaves_where_the_others_flip(self):
        engines = self.ranks()
        self.ready(engines)
        engines[1].call(engines[1].worker.reloaded, 3)
        first = engines[0].later(engines[0].worker.step_end)
        with self.assertRaisesRegex(plm.LeaveGroup, "the others have flipped, and rank 1 cannot"):
            engines[1].call(engines[1].worker.step_end)
        first.result(60)
        self.assertEqual(([(0, [3], [1], [True])], []), (engines[0].flips, engines[1].flips))

    def test_a_rank_that_captures_no_more_is_in_nobodys_way(self):
        engine = Engine(self, 0, on_error="disable", gather="none", address=None, mailbox=None, on_flip=None, experts=None)
        self.assertTrue(engine.worker.reload(), "it has not started")
        engine.start()
        self.assertTrue(engine.call(engine.worker.reload))
        engine.call(engine.worker.reloaded, 1)
        engine.call(engine.worker.fail, ValueError("mine"))
        self.assertTrue(engine.call(engine.worker.reload))

    def test_weights_that_cannot_be_moved_are_refused(self):
        worker = Engine(self, 0).worker
        self.refused("layer 0 have shape \\(3, 4\\): the first dimension is the local slot", worker.weights, 0, [torch.zeros(3, 4)])
        self.refused("an expert must be in one piece", worker.weights, 0, [torch.zeros(SLOTS, 4, 3).transpose(1, 2)])
        self.refused("there is no MoE layer 2: 0 to 1", worker.weights, 2, [torch.zeros(SLOTS, 4)])
        self.refused("layer 1 has no weights", worker.weights, 1, [])
        worker.weights(1, [torch.zeros(SLOTS, 4)])
        self.refused("of layer 0 is .*float16.*where those of other layers are .*float32", worker.weights, 0,
                     [torch.zeros(SLOTS, 4, dtype=torch.float16)])
        worker.attach(load=zeros(torch, (LAYERS, SLOTS)))
        self.refused("layers \\[0\\] have no weights", worker.start)


@unittest.skipIf(torch is None, "NOTICE: no torch, so no experts are moved")
class MovedByTheEngine(Base):
    def test_the_engine_is_told_a_target_and_says_what_it_came_to(self):
        engines = [Engine(self, rank, on_flip=None, moves_weights=True).start() for rank in range(RANKS)]
        self.assertIsNone(engines[0].call(engines[0].worker.target))
        for engine in engines:
            engine.mailbox.propose([([], [], [(0, 3, 1, 1), (1, 3, 1, 1)])])
        step(*engines)
        for engine in engines:
            engine.call(engine.worker.moving, True)
        permit(engines)
        for _ in range(5):
            step(*engines)
        self.assertEqual([False, False], [engine.boundaries[-1].move for engine in engines], "busy with something else")
        for engine in engines:
            engine.call(engine.worker.moving, False)
        step_until(lambda: any(engine.boundaries[-1].move for engine in engines), *engines)
        self.assertEqual([True, True], [engine.boundaries[-1].move for engine in engines], "at the same step")
        for engine in engines:
            self.assertEqual(TARGET, engine.call(engine.worker.target))
        step(*engines)
        for engine in engines:
            self.assertEqual((plm.Phase.MOVING, False), engine.boundaries[-1][2:])
            engine.call(engine.worker.moved, torch.tensor(TARGET))
        step(*engines)
        self.assertEqual([plm.Phase.DONE] * 2, [engine.boundaries[-1].phase for engine in engines])

    def test_a_map_that_somebody_else_has_changed_is_decided_on_no_more(self):
        engines = [Engine(self, rank, on_flip=None, moves_weights=True).start() for rank in range(RANKS)]
        step(*engines)
        engines[0].call(engines[0].worker.changed)
        for engine in engines:
            engine.mailbox.propose([([], [], [(0, 3, 1, 1)])])
        with self.assertLogs("plimsoll", logging.WARNING) as logs:
            step_until(lambda: engines[0].boundaries[-1].phase == plm.Phase.REFUSED, *engines)
        self.assertRegex(logs.output[0], "rank 0, step [0-9]+, decision 1, batch 0: refused: engine changed")

    def test_options_that_do_not_go_together_are_refused(self):
        for options in (dict(moves_weights=True), dict(mailbox=None, on_flip=None, moves_weights=True), dict(experts=None)):
            with self.assertRaises(ValueError, msg=str(options)):
                Engine(self, 0, **options)


if __name__ == "__main__":
    unittest.main(verbosity=2)
