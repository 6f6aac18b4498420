package dev.plimsoll.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Ranks of one group in one process, each with an engine of real weights, a heat ring, a mailbox and an agent, whose steps are driven by
 * hand: the caller's thread is the dispatch thread of all.
 */
final class AgentGroup implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(20);
    static final int RANKS = 3;
    static final int LAYERS = 2;
    static final int SLOTS_PER_RANK = 2;
    static final int SLOTS = RANKS * SLOTS_PER_RANK;
    static final int EXPERTS = 4;
    static final int K = 16;
    static final long INCARNATION = 77;
    /** Words of an expert's tensors. */
    static final int[] WORDS = {5, 3, 1};

    static final int EXPERT_BYTES = 8 * Arrays.stream(WORDS).sum();
    private static final int STAGED = 4;

    /** {@code slot} of {@code layer} gets {@code expert}, whose weights are in {@code source}. */
    record Move(int layer, int slot, int expert, int source) {}

    /** {@code slot} of {@code layer} falls idle, or comes back into use, with the expert that it holds. */
    record Switch(int layer, int slot, int expert, boolean inUse) {}

    record Batch(List<Move> moves, List<Switch> switches) {
        static Batch of(Move... moves) {
            return new Batch(List.of(moves), List.of());
        }
    }

    private final Device device = Device.open("host");
    final List<Rank> ranks = new ArrayList<>();
    private long number;
    private long position;
    long step;

    AgentGroup(Path directory) {
        this(directory, false);
    }

    AgentGroup(Path directory, boolean engineMoves) {
        for (int rank = 0; rank < RANKS; rank++) {
            ranks.add(new Rank(directory, rank, engineMoves));
        }
    }

    /** Slot n holds expert n modulo the experts, in every layer. */
    static int[] initial() {
        int[] placement = new int[LAYERS * SLOTS];
        Arrays.setAll(placement, i -> i % SLOTS % EXPERTS);
        return placement;
    }

    /** One boundary on all ranks. */
    void boundary() {
        step += K;
        ranks.forEach(rank -> rank.orders.add(rank.agent.atBoundary(step)));
    }

    /** Boundaries until something holds; after each of them all ranks have the same map, and every slot the weights that it names. */
    void boundariesUntil(BooleanSupplier holds) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!holds.getAsBoolean()) {
            assertThat(System.nanoTime()).as("step %d", step).isLessThan(deadline);
            boundary();
            for (Rank rank : ranks) {
                rank.compute.synchronize(PATIENCE);
                assertThat(rank.map)
                        .as("map of rank %d at step %d", rank.rank, step)
                        .isEqualTo(ranks.get(0).map);
                assertThat(rank.misplaced()).isEmpty();
            }
        }
    }

    boolean all(RankPhase phase) {
        return ranks.stream().allMatch(rank -> rank.agent.state().phase() == phase);
    }

    void propose(int epoch, int basedOn, long hash, List<Batch> batches) {
        number++;
        position++;
        for (Rank rank : ranks) {
            ByteBuffer record = head(1 << 14, 1, epoch, basedOn, hash, batches.size());
            for (Batch batch : batches) {
                put(record, batch, rank.rank, rank.engineMoves);
            }
            write(rank, record);
        }
    }

    void permit(int epoch, long hash) {
        tell(2, epoch, hash, 0);
    }

    void settled(int epoch, int batches) {
        tell(4, epoch, 0, batches);
    }

    private void tell(int kind, int epoch, long hash, int batches) {
        number++;
        position++;
        ranks.forEach(rank -> write(rank, head(56, kind, epoch, 0, hash, batches)));
    }

    private ByteBuffer head(int room, int kind, int epoch, int basedOn, long hash, int batches) {
        return ByteBuffer.allocate(room)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0)
                .putShort((short) kind)
                .putShort((short) 0)
                .putLong(INCARNATION)
                .putLong(1)
                .putLong(number)
                .putInt(epoch)
                .putInt(basedOn)
                .putLong(hash)
                .putInt(batches)
                .putInt(-1);
    }

    private void write(Rank rank, ByteBuffer record) {
        record.putInt(0, record.position());
        assertThat(rank.worker.write(position, Arrays.copyOf(record.array(), record.position())))
                .isTrue();
    }

    private static void put(ByteBuffer to, Batch batch, int rank, boolean engineMoves) {
        List<int[]> sends = new ArrayList<>();
        List<int[]> receives = new ArrayList<>();
        int[] tags = new int[RANKS];
        for (Move move : batch.moves()) {
            int receiver = move.slot() / SLOTS_PER_RANK;
            int sender = move.source() / SLOTS_PER_RANK;
            int tag = tags[receiver]++;
            if (sender == rank) {
                sends.add(new int[] {move.layer(), move.source() % SLOTS_PER_RANK, receiver, tag});
            }
            if (receiver == rank) {
                receives.add(new int[] {move.layer(), move.slot() % SLOTS_PER_RANK, sender, tag});
            }
        }
        List<int[]> changes = new ArrayList<>();
        batch.moves().forEach(move -> changes.add(new int[] {move.layer(), move.slot(), move.expert(), 1}));
        batch.switches()
                .forEach(change -> changes.add(
                        new int[] {change.layer(), change.slot(), change.expert(), change.inUse() ? 1 : 0}));
        changes.sort((a, b) -> Integer.compare(a[0] * SLOTS + a[1], b[0] * SLOTS + b[1]));
        if (engineMoves) {
            sends.clear();
            receives.clear();
        }
        to.putInt(sends.size()).putInt(receives.size()).putInt(changes.size()).putInt(0);
        for (List<int[]> rows : List.of(sends, receives, changes)) {
            rows.forEach(row -> Arrays.stream(row).forEach(to::putInt));
        }
    }

    /** One rank: an engine, what its agent said, and both ends of its mailbox. */
    final class Rank implements EngineRank, AgentListener, AutoCloseable {
        final int rank;
        final boolean engineMoves;
        final Stream compute;
        final DeviceMemory load;
        final DeviceMemory routed;
        final List<DeviceMemory> memory = new ArrayList<>();
        final List<WeightTensor> weights = new ArrayList<>();
        final Communicator communicator;
        final HeatCapture ring;
        final Path file;
        final PlanMailbox worker;
        final PlanMailbox mailbox;
        final RankAgent agent;

        final int[] map = initial();
        final List<BoundaryHook.Order> orders = new ArrayList<>();
        final List<String> told = new ArrayList<>();
        Optional<StepClock> clock = Optional.empty();
        boolean failsFlips;
        Optional<int[]> target = Optional.empty();
        Optional<int[]> moved = Optional.empty();

        Rank(Path directory, int rank, boolean engineMoves) {
            this.rank = rank;
            this.engineMoves = engineMoves;
            compute = device.stream("compute-" + rank);
            load = device.allocate(8L * LAYERS * SLOTS_PER_RANK);
            routed = device.allocate(8L * LAYERS);
            for (int layer = 0; layer < LAYERS; layer++) {
                for (int tensor = 0; tensor < WORDS.length; tensor++) {
                    // A gap between two slots' tensors: the stride is not the size.
                    long stride = 8L * WORDS[tensor] + 16;
                    DeviceMemory block = device.allocate(SLOTS_PER_RANK * stride);
                    memory.add(block);
                    weights.add(new WeightTensor(layer, block.address(), stride, 8L * WORDS[tensor]));
                }
            }
            for (int layer = 0; layer < LAYERS; layer++) {
                for (int local = 0; local < SLOTS_PER_RANK; local++) {
                    fill(layer, local, map[layer * SLOTS + rank * SLOTS_PER_RANK + local]);
                }
            }
            communicator = Communicator.open(
                    device,
                    directory.resolve("segment"),
                    INCARNATION,
                    RANKS,
                    rank,
                    32 + 8L * LAYERS * (SLOTS_PER_RANK + 1),
                    (long) STAGED * EXPERT_BYTES,
                    PATIENCE);
            file = directory.resolve("rank-" + rank + ".ring");
            ring = HeatCapture.open(
                    device,
                    communicator,
                    new HeatCapture.Options(
                            Optional.of(file),
                            "test/decode-0",
                            INCARNATION,
                            rank,
                            RANKS,
                            LAYERS,
                            SLOTS_PER_RANK,
                            K,
                            load.address(),
                            routed.address()));
            worker = PlanMailbox.open(directory.resolve("rank-" + rank + ".mailbox"), 1 << 20);
            mailbox = PlanMailbox.open(directory.resolve("rank-" + rank + ".mailbox"), 1 << 20);
            agent = RankAgent.open(
                    ring,
                    Optional.of(communicator),
                    mailbox,
                    this,
                    new RankAgent.Options(
                            0, EXPERTS, engineMoves ? 0 : (long) STAGED * EXPERT_BYTES, PATIENCE, 9, 0, engineMoves),
                    initial(),
                    this);
        }

        private LongBuffer tensor(int layer, int local, int tensor) {
            WeightTensor at = weights.get(layer * WORDS.length + tensor);
            return memory.get(layer * WORDS.length + tensor)
                    .buffer(local * at.stride(), (int) at.bytes())
                    .asLongBuffer();
        }

        private static long word(int layer, int expert, int tensor, int word) {
            return 1 + layer * 1_000_000L + expert * 10_000L + tensor * 100L + word;
        }

        void fill(int layer, int local, int expert) {
            for (int tensor = 0; tensor < WORDS.length; tensor++) {
                for (int word = 0; word < WORDS[tensor]; word++) {
                    tensor(layer, local, tensor).put(word, word(layer, expert, tensor, word));
                }
            }
        }

        /** Slots of this rank whose weights are not those of the expert that its map names, in any word. */
        List<String> misplaced() {
            List<String> wrong = new ArrayList<>();
            for (int layer = 0; layer < LAYERS; layer++) {
                for (int local = 0; local < SLOTS_PER_RANK; local++) {
                    int held = map[layer * SLOTS + rank * SLOTS_PER_RANK + local];
                    int expert = held < 0 ? ~held : held;
                    for (int tensor = 0; tensor < WORDS.length; tensor++) {
                        LongBuffer there = tensor(layer, local, tensor);
                        for (int word = 0; word < WORDS[tensor]; word++) {
                            if (there.get(word) != word(layer, expert, tensor, word)) {
                                wrong.add("rank " + rank + " layer " + layer + " slot " + local + " tensor " + tensor
                                        + " word " + word + ": " + there.get(word));
                            }
                        }
                    }
                }
            }
            return wrong;
        }

        @Override
        public Stream computeStream() {
            return compute;
        }

        @Override
        public Optional<StepClock> stepClock() {
            return clock;
        }

        @Override
        public List<WeightTensor> weights() {
            return weights;
        }

        @Override
        public void flipMap(int layer, int[] slots, int[] experts, boolean[] inUse) {
            if (failsFlips) {
                throw new IllegalStateException("no room for a new map");
            }
            // Behind the weights, on the stream that they were enqueued on.
            compute.launch(() -> {
                for (int i = 0; i < slots.length; i++) {
                    map[layer * SLOTS + slots[i]] = inUse[i] ? experts[i] : ~experts[i];
                }
            });
        }

        @Override
        public void move(int[] experts) {
            target = Optional.of(experts);
        }

        @Override
        public Optional<int[]> moved() {
            Optional<int[]> map = moved;
            moved = Optional.empty();
            return map;
        }

        @Override
        public void onRefused(int epoch, int refusal, String detail) {
            told.add("refused " + epoch + " " + refusal);
        }

        @Override
        public void onFlipped(int epoch, int batch, long at) {
            told.add("flipped " + epoch + "/" + batch);
        }

        @Override
        public void onTransfersStarted(int epoch, int batch, long at) {
            told.add("started " + epoch + "/" + batch);
        }

        @Override
        public void onMoveOrdered(int epoch, long at) {
            told.add("to move " + epoch);
        }

        @Override
        public void onUntimed(String why) {
            told.add("untimed: " + why);
        }

        @Override
        public void onIgnored(int epoch, int reason, String detail) {
            told.add("ignored " + epoch + " " + reason);
        }

        @Override
        public void onFatal(long at, String why) {
            told.add("fatal: " + why);
        }

        @Override
        public void close() {
            compute.synchronize(PATIENCE);
            agent.close();
            // A member that has left would be waited for.
            communicator.abort();
            ring.close();
            mailbox.close();
            worker.close();
            communicator.close();
            compute.close();
            load.close();
            routed.close();
            memory.forEach(DeviceMemory::close);
        }
    }

    @Override
    public void close() {
        ranks.forEach(Rank::close);
        device.close();
    }
}
