package dev.plimsoll.simulator;

import dev.plimsoll.device.EngineRank;
import dev.plimsoll.device.StepClock;
import dev.plimsoll.device.Stream;
import dev.plimsoll.device.WeightTensor;
import dev.plimsoll.model.Placement;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/**
 * One simulated device: its weights, its counters, its own map, and the two kernels of a step.
 *
 * <p>The compute stream owns everything mutable here. The dispatch thread reads the buckets, and other ranks' streams do,
 * only between the two kernels, when all streams are synchronised.
 */
public final class SimulatedRank implements EngineRank {
    /** Misrouted tokens that are kept with all they are; the rest is only counted. */
    private static final int REMEMBERED = 4;

    private final EngineSettings settings;
    private final AssignmentLayout layout;
    private final int rank;
    private final RoutingMap map;
    private final EngineListener listener;
    private final Runnable requireDispatchThread;
    private final Supplier<Optional<StepClock>> clock;

    private final Hardware.Queue compute;
    private final Hardware.Memory loadMemory;
    private final Hardware.Memory routedMemory;
    private final RankWeights weights;
    /** {@code [layer][local slot]}, tokens computed. */
    private final LongBuffer load;
    /** {@code [layer]}, assignments made by this rank's router. */
    private final LongBuffer routed;

    /** {@code [destination rank]}: what this rank's router sent in the step under way. */
    private final AssignmentList[] buckets;
    /** {@code [layer][local slot]}: the word that the next token there looks at. */
    private final int[] nextWord;

    private final int wordStride;

    private final AtomicLong tokensTotal = new AtomicLong();
    private final AtomicLong computedTotal = new AtomicLong();
    private final AtomicLong misroutedTotal = new AtomicLong();
    private final List<MisroutedToken> firstMisrouted = new ArrayList<>();

    // The dispatch thread's own.
    private Optional<int[]> ordered = Optional.empty();
    private Optional<int[]> readBack = Optional.empty();

    SimulatedRank(
            Hardware hardware,
            EngineSettings settings,
            int rank,
            Placement initial,
            EngineListener listener,
            Runnable requireDispatchThread,
            Supplier<Optional<StepClock>> clock) {
        this.settings = settings;
        this.layout = AssignmentLayout.of(settings);
        this.rank = rank;
        this.listener = listener;
        this.requireDispatchThread = requireDispatchThread;
        this.clock = clock;
        map = new RoutingMap(
                initial, settings.model().experts(), rank, settings.topology().ranks(), settings.share());
        compute = hardware.queue("compute-" + rank);
        weights = new RankWeights(
                hardware, settings.model().layers(), settings.topology().slotsPerRank(), settings.wordsPerExpert());
        loadMemory = hardware.allocate(settings.cellsPerRank() * 8L);
        routedMemory = hardware.allocate(settings.model().layers() * 8L);
        load = loadMemory.buffer().asLongBuffer();
        routed = routedMemory.buffer().asLongBuffer();
        buckets = new AssignmentList[settings.topology().ranks()];
        for (int i = 0; i < buckets.length; i++) {
            buckets[i] = new AssignmentList();
        }
        nextWord = new int[settings.cellsPerRank()];
        wordStride = wordStride(settings.wordsPerExpert());
        fill();
    }

    public int rank() {
        return rank;
    }

    /** Device address of int64 {@code [layer][local slot]}: tokens computed, only growing. */
    public long loadAddress() {
        return loadMemory.address();
    }

    /** Device address of int64 {@code [layer]}: assignments that this rank's router made, only growing. */
    public long routedAddress() {
        return routedMemory.address();
    }

    /**
     * Copies the counters of {@link #loadAddress()}: for whoever checks what became of them. Only while no kernel runs, as in {@link
     * Traffic#step}, and when the engine has stopped.
     *
     * @param into {@code [layer][local slot]} flattened
     */
    public void copyLoad(long[] into) {
        load.get(0, into);
    }

    @Override
    public Stream computeStream() {
        return compute.stream();
    }

    /** The group's time on the device of the settings: ranks wait for the slowest in every layer. */
    @Override
    public Optional<StepClock> stepClock() {
        return clock.get();
    }

    @Override
    public List<WeightTensor> weights() {
        return weights.tensors();
    }

    @Override
    public void move(int[] experts) {
        requireDispatchThread.run();
        ordered = Optional.of(experts);
    }

    @Override
    public Optional<int[]> moved() {
        Optional<int[]> map = readBack;
        readBack = Optional.empty();
        return map;
    }

    /** The map that the rank was ordered to move to and has not begun to; the dispatch thread's. */
    Optional<int[]> ordered() {
        return ordered;
    }

    void begin() {
        ordered = Optional.empty();
    }

    /** The move is over: what the map is now can be read, while the stream is synchronised. */
    void readBack() {
        int slots = settings.topology().slots();
        int[] experts = new int[settings.model().layers() * slots];
        for (int i = 0; i < experts.length; i++) {
            experts[i] = map.expertOf(i / slots, i % slots);
        }
        readBack = Optional.of(experts);
    }

    /** In a kernel: this layer's slots hold these experts, and all get tokens. */
    void flip(int layer, int[] experts) {
        map.flip(layer, experts);
    }

    int expertOf(int layer, int slot) {
        return map.expertOf(layer, slot);
    }

    @Override
    public void flipMap(int layer, int[] slots, int[] experts, boolean[] inUse) {
        requireDispatchThread.run();
        if (layer < 0
                || layer >= settings.model().layers()
                || slots.length != experts.length
                || slots.length != inUse.length) {
            throw new IllegalArgumentException("flip of layer " + layer + " with " + slots.length + " slots, "
                    + experts.length + " experts and " + inUse.length + " uses");
        }
        for (int i = 0; i < slots.length; i++) {
            if (slots[i] < 0 || slots[i] >= settings.topology().slots()) {
                throw new IllegalArgumentException("flip of layer " + layer + " names slot " + slots[i]);
            }
            if (experts[i] < 0 || experts[i] >= settings.model().experts()) {
                throw new IllegalArgumentException("flip of layer " + layer + " names expert " + experts[i]);
            }
        }
        compute.launch(() -> map.flip(layer, slots, experts, inUse));
    }

    /** Tells each token that all ranks sent here in the step under way. */
    void eachToken(SimulatedRank[] sources, AssignmentExchange exchange, IntConsumer cells) {
        for (SimulatedRank source : sources) {
            AssignmentList sent = source.buckets[rank];
            for (int i = 0; i < sent.size(); i++) {
                cells.accept(layout.cell(sent.get(i)));
            }
        }
        exchange.forEachReceived(rank, assignment -> cells.accept(layout.cell(assignment)));
    }

    Hardware.Queue compute() {
        return compute;
    }

    /** What this rank's router sent to another in the step under way. */
    AssignmentList sentTo(int destination) {
        return buckets[destination];
    }

    /** First kernel: routes this rank's lanes through its map, of the first {@code lanes} of all. */
    void route(short[] picks, int lanes) {
        for (AssignmentList bucket : buckets) {
            bucket.clear();
        }
        int layers = settings.model().layers();
        int topK = settings.model().topK();
        int ranks = settings.topology().ranks();
        int slotsPerRank = settings.topology().slotsPerRank();
        int tokens = 0;
        for (int lane = rank; lane < lanes; lane += ranks) {
            int at = lane * layers * topK;
            for (int layer = 0; layer < layers; layer++) {
                for (int k = 0; k < topK; k++) {
                    int expert = picks[at++];
                    int slot = map.route(layer, expert, lane / ranks);
                    int destination = slot / slotsPerRank;
                    buckets[destination].add(layout.pack(layer, slot - destination * slotsPerRank, expert));
                }
            }
            tokens++;
        }
        for (int layer = 0; layer < layers; layer++) {
            routed.put(layer, routed.get(layer) + (long) tokens * topK);
        }
        tokensTotal.lazySet(tokensTotal.get() + tokens);
    }

    /** Second kernel: computes what all ranks sent here, which is to look at the weights and to count. */
    void compute(long step, SimulatedRank[] sources, AssignmentExchange exchange) {
        long computed = 0;
        for (SimulatedRank source : sources) {
            AssignmentList sent = source.buckets[rank];
            for (int i = 0; i < sent.size(); i++) {
                compute(step, sent.get(i));
            }
            computed += sent.size();
        }
        computed += exchange.forEachReceived(rank, assignment -> compute(step, assignment));
        computedTotal.lazySet(computedTotal.get() + computed);
    }

    private void compute(long step, int assignment) {
        int cell = layout.cell(assignment);
        int expert = layout.expert(assignment);
        int layer = cell / settings.topology().slotsPerRank();
        int words = settings.wordsPerExpert();
        int word = nextWord[cell];
        int next = word + wordStride;
        nextWord[cell] = next < words ? next : next - words;
        load.put(cell, load.get(cell) + 1);
        long found = weights.word(cell, word);
        if (found != WeightPattern.word(layer, expert, word) || map.isIdle(layer, slot(cell))) {
            misrouted(step, cell, expert, word, found);
        }
    }

    private void misrouted(long step, int cell, int expert, int word, long found) {
        misroutedTotal.incrementAndGet();
        synchronized (firstMisrouted) {
            if (firstMisrouted.size() == REMEMBERED) {
                return;
            }
            int layer = cell / settings.topology().slotsPerRank();
            int slot = slot(cell);
            MisroutedToken token = new MisroutedToken(
                    step,
                    layer,
                    slot,
                    expert,
                    word,
                    WeightPattern.owner(found) + (map.isIdle(layer, slot) ? ", in an idle slot" : ""));
            firstMisrouted.add(token);
            listener.misrouted(token);
        }
    }

    /** The global slot of a cell. */
    private int slot(int cell) {
        int slotsPerRank = settings.topology().slotsPerRank();
        return rank * slotsPerRank + cell % slotsPerRank;
    }

    long tokens() {
        return tokensTotal.get();
    }

    long computed() {
        return computedTotal.get();
    }

    long misrouted() {
        return misroutedTotal.get();
    }

    List<MisroutedToken> firstMisrouted() {
        synchronized (firstMisrouted) {
            return List.copyOf(firstMisrouted);
        }
    }

    /** For tests, while the stream is synchronised. */
    RankWeights memory() {
        return weights;
    }

    long load(int layer, int localSlot) {
        return load.get(cell(layer, localSlot));
    }

    long routed(int layer) {
        return routed.get(layer);
    }

    int cell(int layer, int localSlot) {
        return layer * settings.topology().slotsPerRank() + localSlot;
    }

    void close() {
        compute.close();
        weights.close();
        loadMemory.close();
        routedMemory.close();
    }

    private void fill() {
        int slotsPerRank = settings.topology().slotsPerRank();
        for (int layer = 0; layer < settings.model().layers(); layer++) {
            for (int slot = 0; slot < slotsPerRank; slot++) {
                int expert = map.expertOf(layer, rank * slotsPerRank + slot);
                weights.fill(cell(layer, slot), layer, expert);
            }
        }
    }

    /**
     * A stride near the golden section that has no divisor in common with the number of words: so many tokens look at every
     * word once, and a few already at all parts of the buffer.
     */
    private static int wordStride(int words) {
        int stride = Math.max(1, (int) (words * 0.618));
        while (gcd(stride, words) != 1) {
            stride--;
        }
        return stride;
    }

    private static int gcd(int a, int b) {
        return b == 0 ? a : gcd(b, a % b);
    }
}
