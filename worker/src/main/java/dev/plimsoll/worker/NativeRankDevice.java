package dev.plimsoll.worker;

import dev.plimsoll.device.Communicator;
import dev.plimsoll.device.DeviceMemory;
import dev.plimsoll.device.FlipTimes;
import dev.plimsoll.device.HeatCapture;
import dev.plimsoll.device.RankState;
import dev.plimsoll.device.StepClock;
import dev.plimsoll.device.Stream;
import dev.plimsoll.device.Transfer;
import dev.plimsoll.device.Verdict;
import dev.plimsoll.device.Vote;
import java.time.Duration;

/** The device as the native library gives it. */
record NativeRankDevice(Communicator communicator, HeatCapture capture, Stream compute, DeviceMemory staging)
        implements RankDevice {

    @Override
    public Verdict begin(long step, Duration timeout) {
        return capture.begin(compute, step, timeout);
    }

    @Override
    public void end(Vote vote) {
        capture.end(vote);
    }

    @Override
    public void publish(RankState state) {
        capture.publish(state);
    }

    @Override
    public void clock(StepClock clock) {
        capture.clock(clock);
    }

    @Override
    public void publish(int epoch, int batch, FlipTimes flip) {
        capture.publish(epoch, batch, flip);
    }

    @Override
    public Exchange exchange(long id) {
        return new NativeExchange(communicator.transfer(id), compute);
    }

    @Override
    public long stagingAddress() {
        return staging.address();
    }

    @Override
    public void copy(long destination, long source, long bytes) {
        compute.copy(destination, source, bytes);
    }

    @Override
    public void abandonGroup() {
        communicator.abort();
    }

    private record NativeExchange(Transfer transfer, Stream compute) implements Exchange {
        @Override
        public void send(int peer, long[] addresses, long[] bytes, int tag) {
            transfer.send(peer, addresses, bytes, tag);
        }

        @Override
        public void receive(int peer, long address, long bytes, int tag) {
            transfer.receive(peer, address, bytes, tag);
        }

        @Override
        public void submit() {
            transfer.submit(compute);
        }

        @Override
        public Transfer.Status poll() {
            return transfer.poll();
        }

        @Override
        public Duration took() {
            return transfer.took();
        }

        @Override
        public String failure() {
            return transfer.failure();
        }

        @Override
        public void join() {
            transfer.join(compute);
        }

        @Override
        public void close() {
            transfer.close();
        }
    }
}
