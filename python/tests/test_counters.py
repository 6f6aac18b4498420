"""Counters of every kind, in torch, NumPy and plain memory, on the host back end."""
import gc
import sys
import unittest
import weakref

from base import Base, abi, numpy, plm, reading, torch, zeros


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
        worker.start()
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
            worker.start()
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
        worker.start()
        layers[0][2], layers[1][0], routed[0][0], routed[1][()] = 5, 6, 11, 12
        snapshot = self.captured(worker)
        self.assertEqual([0, 0, 5, 6, 0, 0], snapshot.load.tolist())
        self.assertEqual([11, 12], snapshot.routed.tolist())

    def test_attaching_others_goes_on_at_the_new_addresses(self):
        first, second = zeros(self.module, (2, 3)), zeros(self.module, (2, 3))
        worker = self.worker()
        worker.attach(load=first)
        worker.start()
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
        worker.attach(load=load)
        worker.start()
        load[1][1] = 9
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


    def test_what_cannot_be_taken_off_has_to_be_zero_at_the_start(self):
        load = zeros(None, (2, 3))
        load[1, 1] = 1
        worker = self.worker()
        worker.attach(load=load)
        self.refused("that are not zero at start\\(\\), must be tensors of torch or NumPy", worker.start)
        load[1, 1] = 0
        worker.start()


class InTensors(Counting):
    """What tensors can do and arrays cannot."""

    def test_what_was_counted_before_the_start_does_not_count(self):
        for element in (4, 8):
            load, routed = zeros(self.module, (2, 3), element), [zeros(self.module, (), element) for _ in range(2)]
            load[:] = 7
            routed[1][...] = 9
            worker = self.worker()
            worker.attach(load, routed)
            load[0, 0] = 8
            worker.start()
            load[0, 1] += 5
            snapshot = self.captured(worker)
            self.assertEqual(([0, 5, 0, 0, 0, 0], [0, 0]), (snapshot.load.tolist(), snapshot.routed.tolist()))
            load[1, 2] += 1
            routed[0][...] += 3
            snapshot = self.captured(worker)
            self.assertEqual(([0, 5, 0, 0, 0, 1], [3, 0]), (snapshot.load.tolist(), snapshot.routed.tolist()))

    def test_totals_of_counters_that_are_zeroed_each_step_begin_with_the_start(self):
        load = zeros(self.module, (2, 3), element=4)
        worker = self.worker()
        worker.attach(load, zeroed_each_step=True)
        load[:] = 4
        worker.accumulate()
        worker.start()
        self.assertEqual([4] * 6, self.captured(worker).load.tolist())

    def test_passes_that_are_discarded_do_not_count(self):
        for zeroed in (True, False):
            load, routed = zeros(self.module, (2, 3), element=4), [zeros(self.module, ()) for _ in range(2)]
            load[:] = 100  # of warm-up
            worker = self.worker(boundary_steps=4)
            worker.attach(load, routed, zeroed_each_step=zeroed, discardable=not zeroed)
            worker.start()
            expected = 0
            for step in range(1, 41):
                dummy = step % 3 == 0 or step % 8 == 0
                for one in [load] + routed:
                    if zeroed:
                        one[...] = 0
                    one[...] += step
                expected += 0 if dummy else step
                if worker.step_end(discard=dummy) is not None:
                    reading.wait(worker, step)
                    snapshot = reading.snapshot(worker)
                    self.assertEqual(([expected] * 6, [expected] * 2), (snapshot.load.tolist(), snapshot.routed.tolist()))

    def test_discarding_goes_on_with_the_tensors_that_take_the_place_of_others(self):
        first, second, third = (zeros(self.module, (2, 3)) for _ in range(3))
        worker = self.worker()
        worker.attach(first, discardable=True)
        worker.start()
        first[:] = 5
        worker.step_end(discard=True)
        second[:] = 7  # the engine's counts went with them: 2 more
        worker.attach(second, discardable=True)
        self.assertEqual(2, self.captured(worker).load[0])
        worker.attach(third, discardable=True)  # and here they did not
        third[:] = 1
        self.assertEqual(1, self.captured(worker).load[0])

    def test_a_pass_cannot_be_taken_off_counters_that_were_not_said_to_be_discardable(self):
        worker = self.worker()
        worker.attach(zeros(self.module, (2, 3)))
        worker.start()
        self.refused("attach them with discardable=True", worker.step_end, discard=True)

    def test_replicated_counters_are_read_in_the_columns_of_the_own_slots(self):
        for zeroed in (True, False):
            for each in (True, False):
                load = [zeros(self.module, 9) for _ in range(2)] if each else zeros(self.module, (2, 9))
                worker = self.worker(rank=1, ranks=3)
                worker.attach(replicated=load, zeroed_each_step=zeroed)
                worker.start()
                for layer in range(2):
                    for slot in range(9):
                        load[layer][slot] = 10 * layer + slot
                self.assertEqual([3, 4, 5, 13, 14, 15], self.captured(worker).load.tolist())
        self.refused("where \\(2, 9\\) is needed", worker.attach, replicated=zeros(self.module, (2, 3)))
        self.refused("replicated and load: an engine's counters are of one kind", worker.attach,
                     load=zeros(self.module, (2, 3)))

    def test_what_routers_sent_to_all_slots_is_published_whole_where_nothing_is_gathered(self):
        load = zeros(self.module, (2, 9), element=4)
        worker = self.worker(rank=1, ranks=3)
        worker.attach(routed_to=load, zeroed_each_step=True)
        worker.start()
        for i in range(18):
            load[i // 9, i % 9] = i
        self.assertEqual(list(range(18)), self.captured(worker).load.tolist())

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
        worker.accumulate()  # as a graph's capture does before it is warm
        self.assertEqual(0, self.captured(worker).load[1])
        worker.accumulate()
        self.assertEqual(2, self.captured(worker).load[1])
        worker.accumulate()
        worker.step_end(discard=True)
        self.assertEqual(2, self.captured(worker).load[1], "what the graph has added is taken off")
        total = worker._counters[0].published
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


if __name__ == "__main__":
    unittest.main(verbosity=2)
