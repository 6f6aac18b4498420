package dev.plimsoll.bench.race.streams;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import dev.plimsoll.wire.WireException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.processor.internals.InternalProcessorContext;
import org.apache.kafka.streams.query.Position;
import org.apache.kafka.streams.state.internals.CacheFlushListener;
import org.apache.kafka.streams.state.internals.CachedStateStore;
import org.jspecify.annotations.Nullable;

/**
 * Open windows on the heap as a state store of Kafka Streams. Streams asks its stores to flush before each commit; then, and only then,
 * what has changed since the last one goes to the changelog, a record for every block of ranks and sub-window, so that a window that
 * opens and closes between two commits costs the changelog nothing. Threads: the task's.
 */
final class HeapWindows implements StateStore, CachedStateStore<byte[], byte[]> {
    private static final byte META = 0;
    private static final byte PRESENT = 1;
    private static final byte SUMS = 2;

    private final String name;
    private final Map<Bytes, byte[]> restored = new HashMap<>();
    final List<DeploymentWindows> deployments = new ArrayList<>();
    private @Nullable InternalProcessorContext<?, ?> context;
    private final boolean logged;
    private boolean open;
    long timestamp;

    HeapWindows(String name, boolean logged) {
        this.name = name;
        this.logged = logged;
    }

    @Override
    public void init(StateStoreContext stateStoreContext, StateStore root) {
        context = (InternalProcessorContext<?, ?>) stateStoreContext;
        stateStoreContext.register(root, (key, value) -> {
            if (value == null) {
                restored.remove(Bytes.wrap(key));
            } else {
                restored.put(Bytes.wrap(key), value);
            }
        });
        open = true;
    }

    /** What the changelog had, when all of it has been read. */
    void load() throws WireException {
        for (Map.Entry<Bytes, byte[]> entry : restored.entrySet()) {
            ByteBuffer key = ByteBuffer.wrap(entry.getKey().get());
            if (key.get(key.limit() - 1) == META) {
                loadDeployment(ByteBuffer.wrap(entry.getValue()));
            }
        }
        for (Map.Entry<Bytes, byte[]> entry : restored.entrySet()) {
            byte[] key = entry.getKey().get();
            if (key[key.length - 1] != META) {
                loadWindow(ByteBuffer.wrap(key), ByteBuffer.wrap(entry.getValue()));
            }
        }
        restored.clear();
        deployments.forEach(DeploymentWindows::count);
    }

    private void loadDeployment(ByteBuffer value) throws WireException {
        byte[] membership = new byte[value.getInt()];
        value.get(membership);
        SampleRecord record = Topic.SAMPLES.decode(membership);
        DeploymentWindows deployment = new DeploymentWindows(
                (Membership) record, membership, parts(((Membership) record).boundariesPerWindow()));
        deployment.firstOpen = value.getLong();
        deployment.late = value.getLong();
        value.asLongBuffer().get(deployment.progress);
        deployments.add(deployment);
    }

    private void loadWindow(ByteBuffer key, ByteBuffer value) {
        byte[] deployment = new byte[key.getInt()];
        key.get(deployment);
        DeploymentWindows windows = deployments.stream()
                .filter(one -> Arrays.equals(one.name, deployment))
                .findFirst()
                .orElseThrow();
        WindowSums window = windows.window(key.getLong());
        int part = key.getInt();
        int firstRank = key.getInt();
        if (key.get() == PRESENT) {
            value.asLongBuffer().get(window.present);
            window.presentWritten = true;
            return;
        }
        int ranks = value.getInt();
        window.written[part * window.ranks + firstRank] = ranks;
        value.order(ByteOrder.LITTLE_ENDIAN);
        int at = (part * window.ranks + firstRank) * window.cells;
        boolean wide = value.remaining() == ranks * window.cells * Long.BYTES;
        for (int i = 0; i < ranks * window.cells; i++) {
            window.sums[at + i] = wide ? value.getLong() : value.getInt();
        }
    }

    static int parts(int boundaries) {
        int parts = Math.min(8, boundaries);
        while (boundaries % parts != 0) {
            parts--;
        }
        return parts;
    }

    /** The window is published: nothing of it is needed. */
    void closed(DeploymentWindows deployment, WindowSums window) {
        if (!logged) {
            return;
        }
        for (int block = 0; block < window.written.length; block++) {
            if (window.written[block] > 0) {
                log(key(deployment, window.index, block / window.ranks, block % window.ranks, SUMS), null);
            }
        }
        if (window.presentWritten) {
            log(key(deployment, window.index, 0, 0, PRESENT), null);
        }
    }

    @Override
    public void flushCache() {
        if (!logged) {
            return;
        }
        for (DeploymentWindows deployment : deployments) {
            if (deployment.changed) {
                deployment.changed = false;
                log(key(deployment, 0, 0, 0, META), meta(deployment));
                deployment.open.values().forEach(window -> flush(deployment, window));
            }
        }
    }

    private void flush(DeploymentWindows deployment, WindowSums window) {
        if (!window.changed) {
            return;
        }
        window.changed = false;
        window.presentWritten = true;
        ByteBuffer present = ByteBuffer.allocate(window.ranks * Long.BYTES);
        present.asLongBuffer().put(window.present);
        log(key(deployment, window.index, 0, 0, PRESENT), present.array());
        for (int block = window.dirty.length - 1; block >= 0; block--) {
            if (window.dirty[block]) {
                window.dirty[block] = false;
                window.written[block] = window.blockRanks[block % window.ranks];
                log(
                        key(deployment, window.index, block / window.ranks, block % window.ranks, SUMS),
                        sums(window, block, window.written[block]));
            }
        }
    }

    private static byte[] sums(WindowSums window, int block, int ranks) {
        int at = block * window.cells;
        int count = ranks * window.cells;
        long all = 0;
        for (int i = at; i < at + count; i++) {
            all |= window.sums[i];
        }
        if (all > Integer.MAX_VALUE) {
            ByteBuffer wide =
                    ByteBuffer.allocate(Integer.BYTES + count * Long.BYTES).putInt(ranks);
            wide.order(ByteOrder.LITTLE_ENDIAN);
            for (int i = at; i < at + count; i++) {
                wide.putLong(window.sums[i]);
            }
            return wide.array();
        }
        byte[] bytes = ByteBuffer.allocate(Integer.BYTES + count * Integer.BYTES)
                .putInt(ranks)
                .array();
        for (int i = 0; i < count; i++) {
            WindowSums.INTS.set(bytes, Integer.BYTES + i * Integer.BYTES, (int) window.sums[at + i]);
        }
        return bytes;
    }

    private static byte[] meta(DeploymentWindows deployment) {
        ByteBuffer value = ByteBuffer.allocate(
                Integer.BYTES + deployment.membership.length + (2 + deployment.progress.length) * Long.BYTES);
        value.putInt(deployment.membership.length)
                .put(deployment.membership)
                .putLong(deployment.firstOpen)
                .putLong(deployment.late)
                .asLongBuffer()
                .put(deployment.progress);
        return value.array();
    }

    private static Bytes key(DeploymentWindows deployment, long window, int part, int firstRank, byte kind) {
        return Bytes.wrap(ByteBuffer.allocate(deployment.name.length + 3 * Integer.BYTES + Long.BYTES + 1)
                .putInt(deployment.name.length)
                .put(deployment.name)
                .putLong(window)
                .putInt(part)
                .putInt(firstRank)
                .put(kind)
                .array());
    }

    private void log(Bytes key, byte @Nullable [] value) {
        if (context == null) {
            throw new IllegalStateException("Streams initialises a store before it uses it");
        }
        context.logChange(name, key, value, timestamp, new RecordHeaders(), Position.emptyPosition());
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void close() {
        open = false;
    }

    @Override
    public boolean persistent() {
        return false;
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public boolean setFlushListener(CacheFlushListener<byte[], byte[]> listener, boolean sendOldValues) {
        return false;
    }

    @Override
    public void clearCache() {
        throw new UnsupportedOperationException("the windows are the store");
    }
}
