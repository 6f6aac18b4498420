package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.DeviceException;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.RankId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A rank whose ring and mailbox are fields. */
final class FakePort implements RankPort {
    private static final String[] KINDS = {"TERM", "PROPOSE", "PERMIT", "ABORT", "SETTLED", "VOID"};

    private final int rank;
    volatile boolean closedByEngine;
    volatile boolean wasClosed;
    /** What was written: position, kind and number of the command. */
    final List<String> records = new ArrayList<>();

    final List<ReadOrder> orders = new ArrayList<>();
    int tries;
    int mostBytes = Integer.MAX_VALUE;
    RankState state = new RankState(Fixture.INCARNATION, 0, 0, RankPhase.SERVING, 0, 0, -1, false, 0, 0);
    /** The boundary of its newest snapshot. */
    long stepped;

    long last = -1;
    boolean full;

    /** What the flip of a batch took, by {@code epoch/batch}. */
    final Map<String, FlipCost> costs = new HashMap<>();

    @Nullable
    Error broken;

    /** Why no order can be written. */
    @Nullable
    DeviceException damage;

    FakePort(int rank) {
        this.rank = rank;
    }

    @Override
    public RankId rank() {
        return new RankId(rank);
    }

    @Override
    public long incarnation() {
        return Fixture.INCARNATION;
    }

    @Override
    public long step() {
        return stepped;
    }

    @Override
    public RankState state() {
        if (broken != null) {
            throw broken;
        }
        return state;
    }

    @Override
    public Optional<FlipCost> flipCost(int epoch, int batch) {
        return Optional.ofNullable(costs.get(epoch + "/" + batch));
    }

    @Override
    public boolean engineClosed() {
        if (broken != null) {
            throw broken;
        }
        return closedByEngine;
    }

    @Override
    public long lastPosition() {
        return last;
    }

    @Override
    public Written write(long position, byte[] record) {
        tries++;
        if (damage != null) {
            throw damage;
        }
        if (record.length > mostBytes) {
            return Written.TOO_LARGE;
        }
        if (full) {
            return Written.FULL;
        }
        assertThat(position).isGreaterThan(last);
        last = position;
        ReadOrder order = ReadOrder.of(record);
        orders.add(order);
        records.add(position + " " + KINDS[order.kind()] + " " + order.number());
        return Written.THERE;
    }

    @Override
    public void close() {
        wasClosed = true;
    }
}
