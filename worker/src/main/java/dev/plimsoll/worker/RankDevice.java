package dev.plimsoll.worker;

import dev.plimsoll.device.FlipTimes;
import dev.plimsoll.device.RankState;
import dev.plimsoll.device.StepClock;
import dev.plimsoll.device.Transfer;
import dev.plimsoll.device.Verdict;
import dev.plimsoll.device.Vote;
import java.time.Duration;

/** What the agent needs of the device: all calls on the engine's dispatch thread. */
interface RankDevice {
    Verdict begin(long step, Duration timeout);

    void end(Vote vote);

    /** What steps have taken up to the boundary that comes next, where the engine says so. */
    void clock(StepClock clock);

    void publish(RankState state);

    /** Before the state that has the batch as flipped. */
    void publish(int epoch, int batch, FlipTimes flip);

    /** A new exchange of weights; ids are used once and in the same order on all ranks. */
    Exchange exchange(long id);

    /** Address of this rank's staging memory. */
    long stagingAddress();

    /** Enqueues a copy on the compute stream. */
    void copy(long destination, long source, long bytes);

    /** Makes every wait of this rank in the group fail. */
    void abandonGroup();

    /** One exchange, with the compute stream known. */
    interface Exchange {
        void send(int peer, long[] addresses, long[] bytes, int tag);

        void receive(int peer, long address, long bytes, int tag);

        /** Starts after all that the compute stream holds now. */
        void submit();

        Transfer.Status poll();

        /** From submit to the end, as well as the device knows. */
        Duration took();

        String failure();

        /** Makes the compute stream wait for what was received. */
        void join();

        void close();
    }
}
