"""Boundaries, errors and closing, on the host back end."""
import array
import json
import logging
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

from base import HERE, PATIENCE, Base, abi, numpy, plm, reading, torch, zeros
from orders import Mailbox
import toy_moe


class Boundaries(Base):
    def setUp(self):
        super().setUp()
        self.load = zeros(None, (2, 3))

    def started(self, **options):
        worker = self.worker(**options)
        worker.attach(load=self.load)
        worker.start()
        return worker

    def decided(self, **options):
        """A worker of an engine that moves weights itself, and a decision for it, permitted: it will vote on it."""
        self.mailbox = Mailbox(self.path("mailbox"))
        self.addCleanup(self.mailbox.close)
        worker = self.started(gather="node", address=self.path("segment"), mailbox=self.path("mailbox"), moves_weights=True,
                              experts=4, **options)
        self.mailbox.propose([([], [], [(0, 2, 3, 1)])])
        self.mailbox.permit()
        return worker

    def test_a_group_of_one_agrees_with_itself_on_what_it_votes(self):
        worker = self.decided(settled_version=0)
        seen = []
        while not (seen and seen[-1].move):
            seen.append(worker.step_end())
        self.assertEqual(plm.Boundary(1, plm.Outcome.NONE, plm.Phase.WILLING, False), seen[0])
        self.assertEqual((plm.Outcome.RESOLVED, plm.Phase.MOVING, True), seen[-1][1:])
        self.assertEqual([[0, 1, 3], [0, 1, 2]], worker.target())

    def test_a_boundary_without_a_group_says_so(self):
        worker = self.started(boundary_steps=2)
        self.assertIsNone(worker.step_end(1))
        self.assertEqual(plm.Boundary(2, plm.Outcome.NONE, plm.Phase.SERVING, False), worker.step_end(2))
        reading.wait(worker, 2)
        self.assertEqual(1, reading.stats(worker)["alone"])

    def test_no_failure_hides_a_vote_of_two_that_is_not_resolved_yet(self):
        worker = self.decided(on_error="disable")
        while worker.state().cast.level != 2:
            worker.step_end()
        step = worker._step
        self.refused("step %d follows step %d" % (step + 2, step), worker.step_end, step + 2)
        self.assertIsNone(worker.disabled)
        self.assertTrue(worker.step_end().move)

    def test_another_thread_is_refused_and_adds_nothing(self):
        if not numpy and not torch:
            self.skipTest("NOTICE: needs tensors")
        load = zeros(torch or numpy, (2, 3))
        load[0, 0] = 1
        worker = self.worker(boundary_steps=2)
        worker.attach(load=load, zeroed_each_step=True)
        worker.start()
        worker.step_end(1)
        worker.step_end(2)
        errors = []

        def second():
            try:
                worker.step_end(3)
            except plm.PlimsollError as error:
                errors.append(error)

        thread = threading.Thread(target=second)
        thread.start()
        thread.join(20)
        self.assertEqual(abi.PLM_E_STATE, errors[0].status)
        self.assertRegex(str(errors[0]), "belongs to the dispatch thread")
        worker.step_end(3)
        worker.step_end(4)
        reading.wait(worker, 4)
        self.assertEqual(4, reading.snapshot(worker).load[0])

    def test_steps_are_told_one_by_one(self):
        worker = self.started(boundary_steps=4)
        worker.step_end(7)
        self.refused("step 9 follows step 7", worker.step_end, 9)
        self.assertEqual(8, worker.step_end(8).step)

    def test_the_stream_is_asked_for_at_every_boundary(self):
        asked = []
        worker = self.started(boundary_steps=2, stream=lambda: asked.append(1) or 0)
        for _ in range(6):
            worker.step_end()
        self.assertEqual(3, len(asked))

    def test_a_verdict_on_a_vote_of_two_that_is_lost_to_a_failure_stops_the_engine_too(self):
        streams = [0]
        worker = self.decided(on_error="disable", stream=lambda: streams[0])
        while worker.state().cast.level != 2:
            worker.step_end()
        streams.clear()
        for _ in range(3):
            with self.assertRaisesRegex(plm.LeaveGroup, "cannot know the verdict. Run no further step") as caught:
                worker.step_end()
            self.assertIsInstance(caught.exception.__cause__, IndexError)
        self.assertIsNone(worker.disabled)

    def test_a_vote_of_one_that_does_not_resolve_leaves_the_rank_alone(self):
        worker = self.decided(ranks=2, flip_timeout_ms=100, timeout_ms=PATIENCE)
        self.assertEqual(plm.Phase.WILLING, worker.step_end().phase)
        with self.assertLogs("plimsoll", logging.WARNING) as logs:
            self.assertEqual((plm.Outcome.TIMED_OUT, plm.Phase.REFUSED, False), worker.step_end()[1:])
            self.assertEqual(plm.Outcome.FAILED, worker.step_end().outcome)
        self.assertTrue(any("rank 0, step 2, decision 1, batch 0: group abandoned: " in line for line in logs.output), logs.output)
        self.captured(worker)  # by then nothing is in flight, so the next one has a slot
        self.load[0, 0] = 4
        snapshot = self.captured(worker)
        self.assertEqual((1, 4), (snapshot.ranks, snapshot.load[0]))
        self.assertEqual(abi.PLM_GATHER_NONE, reading.stats(worker)["gather"])

    def test_the_state_reaches_the_rings_header(self):
        worker = self.started(ring=self.path("ring"), incarnation=77, settled_version=5)
        worker.step_end()
        with open(self.path("ring"), "rb") as ring:
            words = array.array("q", ring.read(4096)[520:520 + 80])
        self.assertEqual([77, 5, 0, plm.Phase.SERVING, 0, 0, -1], words.tolist()[:7])

    def test_time_and_what_flips_took_reach_the_rings_header(self):
        worker = self.worker(ring=self.path("timed"))
        worker.attach(zeros(None, (2, 3)))
        worker.start()

        def words(offset, count):
            with open(self.path("timed"), "rb") as ring:
                ring.seek(offset)
                return struct.unpack("<%dq" % count, ring.read(8 * count))

        self.assertEqual(0, words(1024 + 32, 4)[0], "nothing was written")
        worker.step_end()
        worker.step_end()
        _, step, busy, idle = words(1024 + 2 * 32, 4)
        self.assertEqual((2, 0), (step, idle))
        self.assertGreater(busy, 0)
        worker.idle(3600)
        worker.step_end()
        _, step, same, idle = words(1024 + 3 * 32, 4)
        self.assertEqual((3, busy), (step, same))
        self.assertGreater(idle, 0)
        worker.clock(12, 7)
        worker.step_end()
        self.assertEqual((4, 12, 7), words(1024 + 4 * 32, 4)[1:])
        self.refused("neither is negative", worker.clock, 11, 7)

    def test_closing_marks_the_ring_and_may_be_repeated(self):
        worker = self.started(ring=self.path("ring"))
        self.captured(worker)
        worker.close()
        worker.close()
        with open(self.path("ring"), "rb") as ring:
            self.assertEqual(1, ring.read(4096)[80])
        self.refused("the worker of rank 0 is closed", worker.step_end, status=abi.PLM_E_STATE)

    def test_the_main_thread_may_close_what_another_one_has_run(self):
        worker = self.worker(ring=self.path("ring"))
        worker.attach(load=self.load)

        def engine():
            worker.start()
            worker.step_end()

        thread = threading.Thread(target=engine)
        thread.start()
        thread.join(20)
        worker.close()
        with open(self.path("ring"), "rb") as ring:
            self.assertEqual(1, ring.read(4096)[80])

    def test_a_process_that_never_closes_ends_in_order(self):
        program = ("import sys; sys.path[:0] = %r\nfrom plimsoll_engine import worker as plm\nimport ctypes\n"
                   "w = plm.Worker(deployment='d', incarnation=1, rank=0, ranks=1, layers=1, slots_per_rank=1,"
                   " boundary_steps=1, ring=%r)\nw.attach(load=[(ctypes.c_int64 * 1)()])\nw.start()\nw.step_end()\n"
                   % (sys.path[:1], self.path("ring")))
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
        with open(self.path("ring"), "rb") as ring:
            self.assertEqual(1, ring.read(4096)[80], "closed")

    def test_a_forked_child_leaves_the_parents_worker_alone(self):
        worker = self.started(ring=self.path("ring"))
        child = os.fork()
        if child == 0:
            try:
                worker.step_end()
            except plm.PlimsollError as error:
                worker.close()
                os._exit(0 if "of another process" in str(error) else 2)
            finally:
                os._exit(1)
        self.assertEqual(0, os.waitpid(child, 0)[1])
        with open(self.path("ring"), "rb") as ring:
            self.assertEqual(0, ring.read(4096)[80])
        self.assertIsNotNone(self.captured(worker))

    def test_options_that_do_not_go_together_are_refused(self):
        for options in (dict(gather="node"), dict(gather="none", address="x"), dict(gather="tcp", address="h:1"),
                        dict(gather="nodes", address="h:1", secret_file="s"), dict(gather="tcp", address="h:1", secret_file="s",
                                                                                   segment="x", node_of_rank=[0]),
                        dict(gather="nodes", address="h:1", secret_file="s", segment="x", node_of_rank=[0, 1, 1]),
                        dict(gather="host"), dict(backend="cuda"), dict(backend="tpu"), dict(on_error="ignore")):
            with self.assertRaises(ValueError, msg=str(options)):
                self.worker(**options)
        self.refused("start\\(comm_id\\)", self.started, gather="device")


class GuardedMode(Base):
    """An engine goes on without its observer."""

    def test_it_is_the_default_in_mode_none_only(self):
        self.assertEqual("disable", self.worker(on_error=None).on_error)
        self.assertEqual("raise", self.worker(on_error=None, gather="node", address=self.path("segment")).on_error)

    def test_a_missing_library_is_logged_once_and_everything_does_nothing(self):
        with self.assertLogs("plimsoll", logging.ERROR) as logs:
            worker = self.worker(on_error="disable", library="/nowhere/libplimsoll.so", mailbox=self.path("mail"))
            worker.attach(load=zeros(None, (2, 3)))
            worker.start()
            for _ in range(5):
                self.assertIsNone(worker.step_end())
            self.assertIsNone(worker.weights(0, []))
            self.assertIsNone(worker.target())
            worker.moved([])
            worker.close()
        self.assertEqual(1, len(logs.output))
        self.assertRegex(logs.output[0], "no longer captured, the engine goes on: .*no libplimsoll.so at /nowhere")
        self.assertEqual(abi.PLM_E_UNAVAILABLE, worker.disabled.status)

    def test_a_failure_in_the_middle_closes_the_ring(self):
        def stream():
            raise RuntimeError("the framework is gone")

        with self.assertLogs("plimsoll", logging.ERROR) as logs:
            worker = self.worker(on_error="disable", ring=self.path("ring"), stream=stream, boundary_steps=2)
            worker.attach(load=zeros(None, (2, 3)))
            worker.start()
            for _ in range(8):
                self.assertIsNone(worker.step_end())
        self.assertEqual(1, len(logs.output))
        self.assertIn("the framework is gone", logs.output[0])
        with open(self.path("ring"), "rb") as ring:
            self.assertEqual(1, ring.read(4096)[80])

    def test_a_failure_in_a_group_does_not_hold_the_engine_up(self):
        streams = [0, 0]
        with self.assertLogs("plimsoll", logging.ERROR):
            worker = self.worker(on_error="disable", gather="node", address=self.path("segment"), ranks=2,
                                 timeout_ms=3 * PATIENCE, stream=lambda: streams.pop())
            worker.attach(load=zeros(None, (2, 3)))
            worker.start()
            self.assertEqual(plm.Outcome.NONE, worker.step_end().outcome)
            self.assertEqual(plm.Outcome.PENDING, worker.step_end().outcome)  # for nobody else has come
            close = worker.close
            worker.close = lambda timeout_ms: close(PATIENCE)  # what does not end at once is waited for
            start = time.monotonic()
            self.assertIsNone(worker.step_end())
        self.assertIsInstance(worker.disabled, IndexError)
        self.assertLess(time.monotonic() - start, PATIENCE / 2000)

    def test_a_ring_that_cannot_be_created_is_no_reason_to_stop(self):
        with self.assertLogs("plimsoll", logging.ERROR) as logs:
            worker = self.worker(on_error="disable", ring="/nowhere/at/all/ring")
            worker.attach(load=zeros(None, (2, 3)))
            worker.start()
            self.assertIsNone(worker.step_end())
        self.assertEqual(1, len(logs.output))
        self.assertIn("/nowhere/at/all", logs.output[0])


class TwoProcesses(Base):
    """A toy MoE in two processes, whose own count is compared with what the ring and the shim say."""

    def group(self, *common, ranks=2, each=((), ())):
        library = abi.Library().path
        processes = [subprocess.Popen(
            [sys.executable, os.path.join(HERE, "toy_moe.py"), "--library", library, "--directory", self.directory,
             "--rank", str(rank), "--ranks", str(ranks)] + list(common) + list(each[rank]),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE) for rank in range(ranks)]
        told = []
        try:
            for rank, process in enumerate(processes):
                out, err = process.communicate(timeout=120)
                self.assertEqual(0, process.returncode, "rank %d: %s" % (rank, err.decode()))
                told.append(json.loads(out.decode()))
        finally:
            for process in processes:
                process.kill()
                process.wait()
        return told

    def assert_exact(self, told, steps):
        for layer in range(toy_moe.LAYERS):
            row = slice(layer * toy_moe.SLOTS, (layer + 1) * toy_moe.SLOTS)
            self.assertEqual(2 * steps * toy_moe.TOKENS * toy_moe.TOP_K, sum(sum(one["load"][row]) for one in told))
        for one in told:
            seen = one["snapshot"]
            self.assertEqual((steps, [True, True]), (seen["step"], seen["valid"]))
            self.assertEqual(told[0]["load"] + told[1]["load"], seen["load"])
            self.assertEqual(told[0]["routed"] + told[1]["routed"], seen["routed"])

    def modules(self):
        return ["plain"] + [module.__name__ for module in (torch, numpy) if module]

    def test_ranks_gather_exact_counters(self):
        for arrays in self.modules():
            with self.subTest(arrays):
                told = self.group("--gather", "node", "--steps", "200", "--arrays", arrays,
                                  each=(("--counters", "pass"), ("--counters", "layers")))
                self.assert_exact(told, 200)
                self.assertEqual([50, 50], [one["stats"]["gathered"] for one in told])
            shutil.rmtree(self.directory)
            os.mkdir(self.directory)

    def test_what_routers_have_sent_is_added_up_over_ranks(self):
        if not numpy and not torch:
            self.skipTest("NOTICE: needs tensors")
        self.assert_exact(self.group("--gather", "node", "--steps", "200", "--counters", "sent"), 200)

    def test_a_rank_alone_captures_its_own(self):
        told = self.group("--gather", "none", "--steps", "203")
        for rank, one in enumerate(told):
            self.assertEqual((200, rank, [True]), (one["snapshot"]["step"], one["snapshot"]["first_rank"],
                                                   one["snapshot"]["valid"]))
            # The engine has run three more steps since.
            self.assertEqual([200 * toy_moe.TOKENS * toy_moe.TOP_K] * toy_moe.LAYERS, one["snapshot"]["routed"])
            self.assertTrue(all(seen <= end for seen, end in zip(one["snapshot"]["load"], one["load"])))

    def test_ranks_gather_over_tcp(self):
        told = self.group("--gather", "tcp", "--steps", "200", *self.meeting())
        self.assert_exact(told, 200)

    def test_ranks_gather_within_nodes_and_between_them(self):
        for node_of_rank in ("0,1", "0,0"):
            with self.subTest(node_of_rank):
                told = self.group("--gather", "nodes", "--steps", "200", "--node-of-rank", node_of_rank, *self.meeting())
                self.assert_exact(told, 200)
                self.assertEqual([50, 50], [one["stats"]["gathered"] for one in told])
            shutil.rmtree(self.directory)
            os.mkdir(self.directory)

    def meeting(self):
        with open(self.path("secret"), "wb") as secret:
            secret.write(os.urandom(32))
        os.chmod(self.path("secret"), 0o600)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return "--secret", self.path("secret"), "--port", str(probe.getsockname()[1])


class ForOperators(Base):
    def test_the_self_check_says_ok_or_why_not(self):
        program = [sys.executable, "-m", "plimsoll_engine.check"]
        good = subprocess.run(program, stdout=subprocess.PIPE, timeout=60, cwd=os.path.join(HERE, ".."))
        self.assertEqual(0, good.returncode)
        self.assertRegex(good.stdout.decode(), "host: available(.|\n)*\nOK: 3 snapshots with exact counters")
        bad = subprocess.run(program + ["/nowhere.so"], stderr=subprocess.PIPE, timeout=60,
                             cwd=os.path.join(HERE, ".."))
        self.assertEqual(1, bad.returncode)
        self.assertRegex(bad.stderr.decode(), "FAILED: UNAVAILABLE: there is no libplimsoll.so at /nowhere.so")


if __name__ == "__main__":
    unittest.main(verbosity=2)
