"""Tests of the shim on the host back end; PLIMSOLL_LIBRARY names libplimsoll.so."""
import array
import ctypes
import gc
import json
import logging
import math
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import weakref

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from plimsoll_engine import abi  # noqa: E402
from plimsoll_engine import worker as plm  # noqa: E402
import reading  # noqa: E402
import toy_moe  # noqa: E402

NATIVE = os.path.join(HERE, "..", "..", "native", "src", "main", "native")
PATIENCE = 20_000
# Of the header, what no engine in Python calls: memory and streams are its framework's, exchanges are the agent's.
NOT_MIRRORED = set(
    """PLM_ABI_MAJOR PLM_ABI_MINOR PLM_API PLM_MEMORY_DEVICE PLM_MEMORY_PINNED PLM_RING_POLLED
    plm_abi_version plm_info plm_get_info plm_alloc plm_free plm_stream_create plm_stream_destroy plm_stream_launch
    plm_copy_async plm_stream_sync plm_gather plm_last_error plm_ring_counts plm_ring_stats plm_ring_on_complete
    plm_ring_poll plm_part plm_xfer_begin plm_xfer_add plm_xfer_submit plm_xfer_poll plm_xfer_took plm_xfer_join
    plm_xfer_end plm_mailbox_write plm_mailbox_last_position""".split())


def found(name):
    try:
        return __import__(name)
    except ImportError:
        print("NOTICE: no %s for %s: its tests are skipped" % (name, sys.executable))
        return None


torch, numpy = found("torch"), found("numpy")
print("the shim is tested with plain memory" + "".join(
    ", %s %s" % (module.__name__, module.__version__) for module in (torch, numpy) if module))


def zeros(module, shape, element=8):
    if module is None:
        shape = shape if isinstance(shape, tuple) else (shape,)
        return memoryview(bytearray(element * math.prod(shape))).cast("q" if element == 8 else "i", shape)
    return module.zeros(shape, dtype=module.int64 if element == 8 else module.int32)


class Base(unittest.TestCase):
    workers = 0

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="plimsoll-test-")
        self.addCleanup(shutil.rmtree, self.directory)

    def path(self, name):
        return os.path.join(self.directory, name)

    def worker(self, **options):
        self.workers += 1
        settings = dict(deployment="test/shim", incarnation=1, rank=0, ranks=1, layers=2, slots_per_rank=3,
                        ring=self.path("ring-of-worker-%d" % self.workers), boundary_steps=1, on_error="raise")
        settings.update(options)
        worker = plm.Worker(**settings)
        self.addCleanup(worker.close)
        return worker

    def captured(self, worker):
        """Runs to the next step that is a boundary and gives what was captured there."""
        if not worker._ring:
            worker.start()
        while worker.step_end() is None:
            pass
        reading.wait(worker, worker._step)
        return reading.snapshot(worker)

    def refused(self, text, call, *arguments, status=abi.PLM_E_ARG, **named):
        with self.assertRaisesRegex(plm.PlimsollError, text) as caught:
            call(*arguments, **named)
        self.assertEqual(status, caught.exception.status, caught.exception)
        return caught.exception


class TheMirror(Base):
    """What the module says of the C ABI is what plimsoll.h says."""

    def test_structs_and_constants_equal_the_header(self):
        compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "g++", "clang"))), None)
        if compiler is None:
            self.skipTest("NOTICE: no C compiler, so the structs are not compared with plimsoll.h")
        lines, expected = [], []
        for struct in abi.STRUCTS:
            name = struct.__name__
            lines.append('printf("%s %%zu\\n", sizeof(%s));' % (name, name))
            expected.append("%s %d" % (name, ctypes.sizeof(struct)))
            for field, _ in struct._fields_:
                lines.append('printf("%s.%s %%zu %%zu\\n", offsetof(%s, %s), sizeof(((%s*)0)->%s));'
                             % (name, field, name, field, name, field))
                place = getattr(struct, field)
                expected.append("%s.%s %d %d" % (name, field, place.offset, place.size))
        constants = [name for name in dir(abi) if name.startswith("PLM_")]
        for name in constants:
            lines.append('printf("%s %%lld\\n", (long long)%s);' % (name, name))
            expected.append("%s %d" % (name, getattr(abi, name)))
        for outcome in plm.Outcome:
            lines.append('printf("%s %%d\\n", PLM_OUTCOME_%s);' % (outcome.name, outcome.name))
            expected.append("%s %d" % (outcome.name, outcome))
        lines.append('printf("major %d\\n", PLM_ABI_MAJOR);')
        expected.append("major %d" % abi.ABI_MAJOR)
        lines.append('printf("minor %d\\n", PLM_ABI_MINOR);')
        expected.append("minor %d" % abi.ABI_MINOR)
        with open(self.path("mirror.c"), "w") as source:
            source.write('#include <stddef.h>\n#include <stdio.h>\n#include "plimsoll.h"\n')
            source.write("int main(void) {\n%s\nreturn 0; }\n" % "\n".join(lines))
        program = self.path("mirror")
        subprocess.run([compiler, "-I", NATIVE, "-o", program, program + ".c"], check=True, timeout=60)
        told = subprocess.run([program], check=True, timeout=10, stdout=subprocess.PIPE).stdout.decode()
        self.assertEqual(expected, told.splitlines())
        self.assertGreater(len(constants), 80)

    def test_no_field_of_a_struct_is_left_out_and_every_signature_has_the_headers_arity(self):
        with open(os.path.join(NATIVE, "plimsoll.h")) as header:
            text = re.sub(r"/\*.*?\*/", "", header.read(), flags=re.S)
        for struct in abi.STRUCTS:
            body = re.search(r"typedef struct %s \{(.*?)\} %s;" % ((struct.__name__,) * 2), text, re.S).group(1)
            fields = re.findall(r"(\w+)(?:\[\w+\])?;", body)
            self.assertEqual(fields, [name for name, _ in struct._fields_], struct.__name__)
        self.assertEqual(set(), set(re.findall(r"typedef struct (plm_\w+)", text)) - NOT_MIRRORED - {
            struct.__name__ for struct in abi.STRUCTS}, "structs of the header")
        self.assertEqual(set(), set(re.findall(r"PLM_API \w+ (plm_\w+)\(", text)) - NOT_MIRRORED - set(abi.SIGNATURES),
                         "functions of the header")
        self.assertEqual(set(), set(re.findall(r"#define (PLM_\w+) ", text)) - NOT_MIRRORED - set(dir(abi)),
                         "constants of the header")
        for name, types in abi.SIGNATURES.items():
            given = re.search(r"PLM_API int32_t %s\((.*?)\);" % name, text, re.S).group(1)
            self.assertEqual(len(types), given.count(",") + 1, name)

    def test_another_abi_a_missing_file_and_what_is_no_library_are_named(self):
        self.refused("^UNAVAILABLE: there is no libplimsoll.so at /nowhere/x.so \\(the library argument\\)$",
                     abi.Library, "/nowhere/x.so", status=abi.PLM_E_UNAVAILABLE)
        with open(self.path("text.so"), "w") as text:
            text.write("no library")
        self.refused("cannot load .*text.so", abi.Library, self.path("text.so"), status=abi.PLM_E_UNAVAILABLE)
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            self.skipTest("NOTICE: no C compiler, so no library of another ABI was made")
        with open(self.path("other.c"), "w") as source:
            source.write("unsigned plm_abi_version(void) { return 1 << 16; }\n")
            source.write('const char* plm_last_error(void) { return ""; }\n')
        other = self.path("other.so")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", other, self.path("other.c")], check=True, timeout=60)
        self.refused("has ABI 1.0, this module needs 3", abi.Library, other, status=abi.PLM_E_UNAVAILABLE)

    def test_a_value_that_does_not_fit_its_field_is_refused_and_not_cut_off(self):
        self.refused("plm_vote.level cannot hold 258", abi.new, abi.plm_vote, level=258)
        self.refused("plm_vote has no levle", abi.new, abi.plm_vote, levle=1)


class Counting:
    """Run for each kind of tensor."""

    module = None

    def setUp(self):
        if self.module is None and type(self).__name__ != "CountingInMemory":
            self.skipTest("NOTICE: %s has not what this needs" % sys.executable)
        super().setUp()

    def test_growing_counters_of_64_bits_in_one_tensor(self):
        load = zeros(self.module, (2, 3))
        worker = self.worker()
        worker.attach(load=load)
        for i in range(6):
            load[i // 3, i % 3] = (1 << 40) + i
        snapshot = self.captured(worker)
        self.assertEqual([(1 << 40) + i for i in range(6)], snapshot.load.tolist())
        self.assertEqual(([True], 1, 0, 1), (snapshot.valid, snapshot.step, snapshot.first_rank, snapshot.ranks))

    def test_growing_counters_of_32_bits_are_carried_on_beyond_their_range(self):
        for start in ((1 << 31) - 2, (1 << 32) - 2):
            load = zeros(self.module, (1, 2), element=4)
            worker = self.worker(layers=1, slots_per_rank=2)
            worker.attach(load=load)
            signed = start if start < 1 << 31 else start - (1 << 32)
            grown = 0
            while grown < start:  # in strides that a 32-bit difference can tell from a fall
                grown = min(start, grown + (1 << 30))
                load[0, 0] = grown if grown < 1 << 31 else grown - (1 << 32)
                self.captured(worker)
            self.assertEqual(signed, int(load[0, 0]))
            load[0, 0] = (signed + 5 + (1 << 31)) % (1 << 32) - (1 << 31)
            load[0, 1] = 7
            self.assertEqual([start + 5, 7], self.captured(worker).load.tolist())

    def test_counters_per_layer(self):
        layers, routed = [zeros(self.module, 3) for _ in range(2)], [zeros(self.module, 1), zeros(self.module, ())]
        worker = self.worker()
        worker.attach(load=layers)
        worker.attach(routed=routed)
        layers[0][2], layers[1][0], routed[0][0], routed[1][()] = 5, 6, 11, 12
        snapshot = self.captured(worker)
        self.assertEqual([0, 0, 5, 6, 0, 0], snapshot.load.tolist())
        self.assertEqual([11, 12], snapshot.routed.tolist())

    def test_attaching_others_goes_on_at_the_new_addresses(self):
        first, second = zeros(self.module, (2, 3)), zeros(self.module, (2, 3))
        worker = self.worker()
        worker.attach(load=first)
        first[1, 1], second[1, 1] = 10, 12
        self.assertEqual(10, self.captured(worker).load[4])
        worker.attach(load=second)
        self.assertEqual(12, self.captured(worker).load[4])
        self.refused("ROUTED", worker.attach, load=first, routed=zeros(self.module, 2))
        self.refused("are 1 tensors, and 2 MoE layers need one each", worker.attach, load=[zeros(self.module, 3)])
        second[1, 1] = 15
        self.assertEqual(15, self.captured(worker).load[4], "what was refused has changed nothing")

    def test_tensors_are_kept_while_they_are_attached(self):
        worker = self.worker()
        load = [zeros(self.module, 3) for _ in range(2)]
        load[1][1] = 9
        worker.attach(load=load)
        del load
        gc.collect()
        others = [zeros(self.module, 3) for _ in range(50)]
        self.assertEqual([0, 0, 0, 0, 9, 0], self.captured(worker).load.tolist())
        del others

    def test_wrong_shapes_types_and_missing_layers_are_named(self):
        worker = self.worker()
        self.refused(r"have shape .* where \(2, 3\) is needed", worker.attach, zeros(self.module, (2, 4)))
        self.refused("layer 1 of the load counters have shape", worker.attach,
                     [zeros(self.module, 3), zeros(self.module, 2)])
        self.refused("are 3 tensors, and 2 MoE layers need one each", worker.attach, [zeros(self.module, 3)] * 3)
        self.refused("are a str, which is no tensor", worker.attach, "counters")
        self.refused("are a bytes, which is no tensor and no writable buffer", worker.attach, bytes(48))
        self.refused("LOAD", worker.start)


class CountingInMemory(Counting, Base):
    def test_what_cannot_be_added_cannot_be_zeroed_each_step(self):
        worker = self.worker()
        self.refused("must be tensors of torch or NumPy", worker.attach, zeros(None, (2, 3)), zeroed_each_step=True)

    def test_a_buffer_cannot_be_moved_while_it_is_attached(self):
        counters = bytearray(48)
        worker = self.worker()
        worker.attach(load=memoryview(counters).cast("q", (2, 3)))
        with self.assertRaises(BufferError):
            counters.extend(b"more")


class InTensors(Counting):
    """What tensors can do and arrays cannot."""

    def test_counters_that_are_zeroed_each_step_add_up(self):
        load, routed = zeros(self.module, (2, 3), element=4), zeros(self.module, 2, element=4)
        worker = self.worker(boundary_steps=4)
        worker.attach(load=load, zeroed_each_step=True)
        worker.attach(routed=routed, zeroed_each_step=True)
        worker.start()
        for step in range(1, 13):
            load[:] = 0
            load[1, 2] = (1 << 31) - 1
            routed[:] = step
            verdict = worker.step_end(step)
            self.assertEqual(step % 4 == 0, verdict is not None)
        reading.wait(worker, 12)
        snapshot = reading.snapshot(worker)
        self.assertEqual([0, 0, 0, 0, 0, 12 * ((1 << 31) - 1)], snapshot.load.tolist())
        self.assertEqual([78, 78], snapshot.routed.tolist())

    def test_zeroed_counters_per_layer_and_in_a_view(self):
        whole = zeros(self.module, (2, 6), element=4)
        layers = [zeros(self.module, 3, element=4) for _ in range(2)]
        for source, shape in ((whole[:, 3:], (1,)), (layers, ())):
            routed = [zeros(self.module, shape, element=4) for _ in range(2)]
            worker = self.worker()
            worker.attach(load=source, zeroed_each_step=True)
            worker.attach(routed=routed, zeroed_each_step=True)
            worker.start()
            for step in range(1, 4):
                whole[:] = 0
                whole[0, 3] = layers[0][0] = routed[0][...] = step
                whole[1, 5] = layers[1][2] = routed[1][...] = 10
                worker.step_end(step)
            reading.wait(worker, 3)
            snapshot = reading.snapshot(worker)
            self.assertEqual([6, 0, 0, 0, 0, 30], snapshot.load.tolist())
            self.assertEqual([6, 30], snapshot.routed.tolist())

    def test_totals_outlive_zeroed_counters(self):
        first, second = zeros(self.module, (2, 3), element=4), zeros(self.module, (2, 3), element=4)
        first[0, 0], second[0, 0] = 3, 4
        worker = self.worker()
        worker.attach(load=first, zeroed_each_step=True)
        self.assertEqual(3, self.captured(worker).load[0])
        worker.attach(load=second, zeroed_each_step=True)
        self.assertEqual(7, self.captured(worker).load[0])
        self.refused("load counters were attached with zeroed_each_step=True before", worker.attach, load=second)

    def test_tensors_are_kept_until_the_stream_has_gone_on_to_those_in_their_place(self):
        for zeroed in (False, True):
            first = zeros(self.module, (2, 3))
            seen = weakref.ref(first)
            worker = self.worker()
            worker.attach(first, zeroed_each_step=zeroed)
            self.captured(worker)
            del first
            worker.attach(zeros(self.module, (2, 3)), zeroed_each_step=zeroed)
            gc.collect()
            self.assertIsNotNone(seen(), "the device may be copying from it")
            self.captured(worker)
            gc.collect()
            self.assertIsNone(seen())

    def test_what_is_accumulated_in_a_graph_is_not_added_again(self):
        load = zeros(self.module, (2, 3), element=4)
        load[0, 1] = 2
        worker = self.worker(accumulate_in_graph=True)
        worker.attach(load=load, zeroed_each_step=True)
        self.assertEqual(0, self.captured(worker).load[1])
        worker.accumulate()
        self.assertEqual(2, self.captured(worker).load[1])
        total = worker._counters[0].total
        worker.close()
        self.assertTrue(any(kept is total for kept in plm._kept_for_ever), "a captured graph still writes to it")

    def test_tensors_that_cannot_be_read_at_one_address_are_refused(self):
        worker = self.worker()
        self.refused("are not contiguous", worker.attach, zeros(self.module, (3, 2)).T)
        self.refused("are of type float32", worker.attach, self.module.zeros((2, 3), dtype=self.module.float32))
        self.refused("are of type int16", worker.attach, self.module.zeros((2, 3), dtype=self.module.int16))


class CountingInTorch(InTensors, Base):
    module = torch

    def test_devices_must_be_those_of_the_back_end(self):
        worker = self.worker()
        self.refused("are on device meta:None, the back end reads cpu:0", worker.attach,
                     torch.zeros((2, 3), dtype=torch.int64, device="meta"))

    def test_tensors_without_memory_are_refused(self):
        asleep = torch.zeros((2, 3), dtype=torch.int64)
        getattr(asleep, "untyped_storage", asleep.storage)().resize_(0)
        self.refused("have no memory", self.worker().attach, asleep)

    def test_inference_mode_may_begin_and_end_between_attaching_and_steps(self):
        with torch.inference_mode():
            load = torch.ones((2, 3), dtype=torch.int32)
            routed = [torch.ones((), dtype=torch.int32) for _ in range(2)]
            worker = self.worker()
            worker.attach(load, routed, zeroed_each_step=True)
            worker.start()
            worker.step_end()
        worker.step_end()
        with torch.no_grad():
            snapshot = self.captured(worker)
            self.assertEqual(([3] * 6, [3] * 2), (snapshot.load.tolist(), snapshot.routed.tolist()))


class CountingInNumpy(InTensors, Base):
    module = numpy


class Boundaries(Base):
    def setUp(self):
        super().setUp()
        self.load = zeros(None, (2, 3))

    def started(self, **options):
        worker = self.worker(**options)
        worker.attach(load=self.load)
        worker.start()
        return worker

    def test_a_group_of_one_agrees_with_itself_on_what_it_votes(self):
        votes = {2: plm.Vote(1, 6, 3, 5, 0, -7), 3: plm.Vote(2, 6, 3, 5, 0, -7)}
        seen = []

        def decide(verdict):
            seen.append(verdict)
            return votes.get(verdict.step)

        worker = self.started(gather="node", address=self.path("segment"), on_boundary=decide)
        worker.idle_vote = plm.Vote(settled_version=5)
        for _ in range(4):
            worker.step_end()
        self.assertEqual(plm.Outcome.NONE, seen[0].outcome)
        self.assertEqual([plm.Verdict(3, plm.Outcome.RESOLVED, 6, 3, 1), plm.Verdict(4, plm.Outcome.RESOLVED, 6, 3, 2)],
                         seen[2:])
        reading.wait(worker, 4)
        vote, = reading.snapshot(worker).votes
        self.assertEqual((1, 5, 0, 0), (vote.incarnation, vote.settled_version, vote.level, vote.plan_hash))

    def test_a_boundary_without_a_group_says_so(self):
        worker = self.started(boundary_steps=2)
        self.assertIsNone(worker.step_end(1))
        self.assertEqual(plm.Verdict(2, plm.Outcome.NONE, 0, 0, 0), worker.step_end(2))
        reading.wait(worker, 2)
        self.assertEqual(1, reading.stats(worker)["alone"])

    def test_a_vote_that_cannot_be_is_refused(self):
        for vote, text in ((plm.Vote(level=1), "gather mode NONE carries no votes"),
                           (plm.Vote(batch=70000), "plm_vote.batch cannot hold 70000")):
            worker = self.started(on_boundary=lambda _: vote)
            self.refused(text, worker.step_end)
            self.refused("the boundary at step 1 was not ended", worker.step_end, status=abi.PLM_E_STATE)

    def test_a_vote_of_two_that_was_resolved_is_no_reason_to_stop_later(self):
        votes = [plm.Vote(batch=70000), plm.Vote(level=2, epoch=1)]
        worker = self.started(gather="node", address=self.path("segment"), on_boundary=lambda _: votes.pop())
        worker.step_end()
        self.refused("plm_vote.batch cannot hold 70000", worker.step_end)
        error = self.refused("the boundary at step 2 was not ended", worker.step_end, status=abi.PLM_E_STATE)
        self.assertNotIsInstance(error, plm.FlipUnknown)

    def test_no_failure_hides_a_vote_of_two_that_is_not_resolved_yet(self):
        worker = self.started(gather="node", address=self.path("segment"), on_error="disable",
                              on_boundary=lambda _: plm.Vote(level=2, epoch=1))
        worker.step_end(1)
        self.refused("step 3 follows step 1", worker.step_end, 3)
        self.assertIsNone(worker.disabled)
        self.assertEqual(2, worker.step_end(2).level)

    def test_a_callback_that_fails_ends_the_boundary_and_is_heard(self):
        def fails(_):
            raise KeyError("mine")

        worker = self.started(on_boundary=fails, on_error="disable")
        for _ in range(3):
            with self.assertRaisesRegex(KeyError, "mine"):
                worker.step_end()
        reading.wait(worker, 3)
        self.assertIsNone(worker.disabled)

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

    def test_a_vote_of_two_that_does_not_resolve_stops_the_engine_in_both_modes(self):
        for on_error in ("raise", "disable"):
            worker = self.started(gather="node", address=self.path("segment-" + on_error), ranks=2, flip_timeout_ms=100,
                                  timeout_ms=PATIENCE, on_error=on_error,
                                  on_boundary=lambda _: plm.Vote(level=2, epoch=1, batch=0))
            self.assertEqual(plm.Outcome.NONE, worker.step_end().outcome)
            for _ in range(3):
                with self.assertRaisesRegex(plm.FlipUnknown, "Run no further step"):
                    worker.step_end()
            self.assertIsNone(worker.disabled)

    def test_a_verdict_on_a_vote_of_two_that_is_lost_to_a_failure_stops_the_engine_too(self):
        streams = [0]
        worker = self.started(gather="node", address=self.path("segment"), boundary_steps=2, on_error="disable",
                              stream=lambda: streams.pop(), on_boundary=lambda _: plm.Vote(level=2, epoch=1, batch=0))
        worker.step_end()
        worker.step_end()
        self.assertIsNone(worker.step_end())
        for _ in range(3):
            with self.assertRaises(plm.FlipUnknown):
                worker.step_end()
        self.assertIsNone(worker.disabled)

    def test_a_vote_of_one_that_does_not_resolve_leaves_the_rank_alone(self):
        votes = [plm.Vote(level=1, epoch=1, batch=0)]
        worker = self.started(gather="node", address=self.path("segment"), ranks=2, flip_timeout_ms=100,
                              timeout_ms=PATIENCE, on_boundary=lambda _: votes.pop() if votes else None)
        worker.step_end()
        with self.assertLogs("plimsoll", logging.WARNING) as logs:
            self.assertEqual(plm.Outcome.TIMED_OUT, worker.step_end().outcome)
            self.assertEqual(plm.Outcome.FAILED, worker.step_end().outcome)
        self.assertEqual(1, len(logs.output))
        self.assertRegex(logs.output[0], "rank 0 lost its group before step 2 \\(TIMED_OUT\\)")
        self.captured(worker)  # by then nothing is in flight, so the next one has a slot
        self.load[0, 0] = 4
        snapshot = self.captured(worker)
        self.assertEqual((1, 4), (snapshot.ranks, snapshot.load[0]))
        self.assertEqual(abi.PLM_GATHER_NONE, reading.stats(worker)["gather"])

    def test_the_state_reaches_the_rings_header(self):
        worker = self.started(ring=self.path("ring"), incarnation=77)
        worker.publish_state(settled_version=5, epoch=6, phase=2, plan_hash=-9, fatal=1, step=640)
        with open(self.path("ring"), "rb") as ring:
            words = array.array("q", ring.read(4096)[520:520 + 80])
        self.assertEqual([77, 5, 6, 2, 0, -9, -1, 1, 0, 640], words.tolist())

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
        worker.publish_flip(epoch=6, batch=3, received_bytes=5, transfer_nanos=4, flip_nanos=2)
        self.assertEqual((6, 3, 5, 4, 2), words(2048 + 2 * 64, 6)[1:])

    def test_closing_marks_the_ring_and_may_be_repeated(self):
        worker = self.started(ring=self.path("ring"))
        self.captured(worker)
        worker.close()
        worker.close()
        with open(self.path("ring"), "rb") as ring:
            self.assertEqual(1, ring.read(4096)[80])
        self.refused("the worker of rank 0 is closed", worker.step_end, status=abi.PLM_E_STATE)

    def test_a_process_that_never_closes_ends_in_order(self):
        program = ("import sys; sys.path[:0] = %r\nfrom plimsoll_engine import worker as plm\nimport ctypes\n"
                   "w = plm.Worker(deployment='d', incarnation=1, rank=0, ranks=1, layers=1, slots_per_rank=1,"
                   " boundary_steps=1, ring=%r)\nw.attach(load=[(ctypes.c_int64 * 1)(3)])\nw.start()\nw.step_end()\n"
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
            self.assertIsNone(worker.read_plan())
            worker.publish_state(step=3)
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


class PlanMailbox(Base):
    """Its writer is the node's worker; here the library stands in for it."""

    def write(self, library, mailbox, position, record):
        library.plm_mailbox_write.argtypes = (ctypes.c_uint64, ctypes.c_int64, ctypes.c_char_p, ctypes.c_uint32)
        self.assertEqual(abi.PLM_OK, library.plm_mailbox_write(mailbox, position, record, len(record)))

    def test_records_come_in_order_whatever_their_length(self):
        worker = self.worker(mailbox=self.path("mail"))
        self.assertIsNone(worker.read_plan())
        library, mailbox = ctypes.CDLL(worker._library.path), ctypes.c_uint64()
        self.assertEqual(abi.PLM_OK,
                         library.plm_mailbox_open(os.fsencode(self.path("mail")), 1 << 20, ctypes.byref(mailbox)))
        self.addCleanup(library.plm_mailbox_close, mailbox)
        records = [(3, b""), (4, b"plan"), (9, bytes(range(256)) * 40), (10, b"x")]
        for position, record in records:
            self.write(library, mailbox, position, record)
        self.assertEqual(records, [worker.read_plan() for _ in records])
        self.assertIsNone(worker.read_plan())
        self.write(library, mailbox, 11, b"PROPOSE")
        self.assertEqual((11, b"PROPOSE"), worker.read_plan())

    def test_a_worker_without_one_says_so(self):
        self.refused("mailbox", self.worker().read_plan, status=abi.PLM_E_STATE)


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

    def test_ranks_gather_exact_counters_and_agree_on_a_flip(self):
        for arrays in self.modules():
            with self.subTest(arrays):
                told = self.group("--gather", "node", "--steps", "200", "--arrays", arrays, "--flip-at", "80",
                                  each=(("--counters", "pass"), ("--counters", "layers")))
                self.assert_exact(told, 200)
                self.assertEqual([[[84, 6, 1, 1], [88, 6, 1, 2]]] * 2, [one["verdicts"] for one in told])
                self.assertEqual([50, 50], [one["stats"]["gathered"] for one in told])
            shutil.rmtree(self.directory)
            os.mkdir(self.directory)

    def test_a_rank_alone_captures_its_own(self):
        told = self.group("--gather", "none", "--steps", "203")
        for rank, one in enumerate(told):
            self.assertEqual((200, rank, [True]), (one["snapshot"]["step"], one["snapshot"]["first_rank"],
                                                   one["snapshot"]["valid"]))
            # The engine has run three more steps since.
            self.assertEqual([200 * toy_moe.TOKENS * toy_moe.TOP_K] * toy_moe.LAYERS, one["snapshot"]["routed"])
            self.assertTrue(all(seen <= end for seen, end in zip(one["snapshot"]["load"], one["load"])))

    def test_ranks_gather_over_tcp(self):
        with open(self.path("secret"), "wb") as secret:
            secret.write(os.urandom(32))
        os.chmod(self.path("secret"), 0o600)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        told = self.group("--gather", "tcp", "--steps", "200", "--flip-at", "80", "--secret", self.path("secret"),
                          "--port", str(port))
        self.assert_exact(told, 200)
        self.assertEqual([[[84, 6, 1, 1], [88, 6, 1, 2]]] * 2, [one["verdicts"] for one in told])


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
