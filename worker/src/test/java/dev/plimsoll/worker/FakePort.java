package dev.plimsoll.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.RankId;
import dev.plimsoll.worker.protocol.Fixture;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A rank whose ring and mailbox are fields. */
final class FakePort implements RankPort {
    private final int rank;
    volatile boolean closedByEngine;
    volatile boolean wasClosed;
    final List<String> records = new ArrayList<>();
    RankState state = new RankState(Fixture.INCARNATION, 0, 0, RankPhase.SERVING, 0, 0, -1, false, 0, 0);
    long last = -1;
    boolean full;

    /** What the flip of a batch took, by {@code epoch/batch}. */
    final Map<String, FlipCost> costs = new HashMap<>();

    @Nullable
    Error broken;

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
    public boolean write(long position, byte[] record) {
        if (full) {
            return false;
        }
        assertThat(position).isGreaterThan(last);
        last = position;
        records.add(position + " " + new String(record, StandardCharsets.UTF_8));
        return true;
    }

    @Override
    public void close() {
        wasClosed = true;
    }
}
