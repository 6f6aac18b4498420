package dev.plimsoll.worker;

import dev.plimsoll.device.BoundaryHook.Order;
import dev.plimsoll.device.DeviceException;
import dev.plimsoll.device.EngineRank;
import dev.plimsoll.device.FlipTimes;
import dev.plimsoll.device.RankState;
import dev.plimsoll.device.StepClock;
import dev.plimsoll.device.Stream;
import dev.plimsoll.device.Transfer;
import dev.plimsoll.device.Verdict;
import dev.plimsoll.device.Vote;
import dev.plimsoll.device.WeightTensor;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.RankId;
import dev.plimsoll.worker.protocol.Fixture;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** A group of agents over memory that is a map from address to content; copies happen at once, transfers when told to. */
final class FakeGroup {
    static final Membership MEMBERS = Fixture.MEMBERS;
    private static final long BYTES = MEMBERS.bytesPerExpert();
    private static final int SLOTS_PER_RANK = MEMBERS.topology().slotsPerRank();

    static final Duration TRANSFER = Duration.ofMillis(7);

    final List<FakeRank> ranks = new ArrayList<>();
    final Map<Long, Integer> memory = new HashMap<>();
    final Map<String, Long> sent = new TreeMap<>();
    private Vote[] before = new Vote[0];
    private List<Vote> now = new ArrayList<>();
    boolean transfersFinish = true;
    long step;

    FakeGroup() {
        for (int rank = 0; rank < MEMBERS.topology().ranks(); rank++) {
            ranks.add(new FakeRank(rank));
        }
    }

    void tell(PlanCommand command) {
        ranks.forEach(rank -> rank.mailbox.add(command));
    }

    /** One boundary on all ranks. */
    void boundary() {
        step += MEMBERS.boundarySteps();
        for (FakeRank rank : ranks) {
            rank.orders.add(rank.agent.atBoundary(step));
        }
        before = now.toArray(new Vote[0]);
        now = new ArrayList<>();
    }

    static int content(int layer, int expert) {
        return layer * 100 + expert;
    }

    static long slot(int rank, int layer, int local) {
        return rank * 1_000_000L + (layer * SLOTS_PER_RANK + local) * BYTES;
    }

    private Verdict minimum() {
        if (before.length < ranks.size()) {
            return new Verdict(Verdict.Outcome.NONE, 0, 0, 0);
        }
        Vote first = before[0];
        int level = 2;
        for (Vote vote : before) {
            boolean equal = vote.epoch() == first.epoch()
                    && vote.batch() == first.batch()
                    && vote.planHash() == first.planHash()
                    && vote.settledVersion() == first.settledVersion()
                    && vote.batchesFlipped() == first.batchesFlipped();
            level = equal ? Math.min(level, vote.level()) : 0;
        }
        return new Verdict(
                Verdict.Outcome.RESOLVED, level == 0 ? 0 : first.epoch(), level == 0 ? 0 : first.batch(), level);
    }

    /** One rank: its device, its engine, its agent, and what was seen of them. */
    final class FakeRank implements RankDevice, EngineRank, AgentListener {
        final int rank;
        final Queue<PlanCommand> mailbox = new ArrayDeque<>();
        final List<String> calls = new ArrayList<>();
        final List<RankState> published = new ArrayList<>();
        int failedPublishes;
        final List<Order> orders = new ArrayList<>();
        final int[][] map = Fixture.INITIAL.toArray();
        final BitSet[] idle = new BitSet[map.length];
        final Map<String, FlipTimes> flips = new TreeMap<>();
        final RankAgent agent;
        Optional<StepClock> clock = Optional.empty();
        boolean refusesTimes;
        final List<String> untimed = new ArrayList<>();
        boolean losesGather;
        boolean failsCopies;
        boolean failsTransfers;
        boolean failsBegin;

        FakeRank(int rank) {
            this.rank = rank;
            Arrays.setAll(idle, layer -> new BitSet());
            for (int layer = 0; layer < map.length; layer++) {
                for (int local = 0; local < SLOTS_PER_RANK; local++) {
                    memory.put(slot(rank, layer, local), content(layer, map[layer][rank * SLOTS_PER_RANK + local]));
                }
            }
            agent = new RankAgent(
                    MEMBERS,
                    new RankId(rank),
                    Fixture.INITIAL,
                    this,
                    () -> Optional.ofNullable(mailbox.poll()),
                    this,
                    Duration.ofSeconds(1),
                    this,
                    null);
        }

        /** Layer, slot pairs whose weights are not those of the expert that the map names. */
        List<String> misplaced() {
            List<String> wrong = new ArrayList<>();
            for (int layer = 0; layer < map.length; layer++) {
                for (int local = 0; local < SLOTS_PER_RANK; local++) {
                    int slot = rank * SLOTS_PER_RANK + local;
                    if (memory.getOrDefault(slot(rank, layer, local), -1) != content(layer, map[layer][slot])) {
                        wrong.add("layer " + layer + " slot " + slot);
                    }
                }
            }
            return wrong;
        }

        RankState state() {
            return published.get(published.size() - 1);
        }

        @Override
        public Verdict begin(long step, Duration timeout) {
            calls.add("begin");
            if (failsBegin) {
                throw new DeviceException(-1, "device lost");
            }
            return losesGather ? new Verdict(Verdict.Outcome.TIMED_OUT, 0, 0, 0) : minimum();
        }

        @Override
        public void end(Vote vote) {
            calls.add("end");
            now.add(vote);
        }

        @Override
        public void publish(RankState state) {
            calls.add("publish");
            if (failedPublishes > 0) {
                failedPublishes--;
                throw new DeviceException(-3, "publishing fails, as planned");
            }
            published.add(state);
        }

        @Override
        public void clock(StepClock clock) {
            calls.add("clock " + clock.busyNanos() + " " + clock.idleNanos());
            if (refusesTimes) {
                throw new DeviceException(-1, "falls below what was given before");
            }
        }

        @Override
        public void onUntimed(String why) {
            untimed.add(why);
        }

        @Override
        public Optional<StepClock> stepClock() {
            return clock;
        }

        @Override
        public void publish(int epoch, int batch, FlipTimes flip) {
            calls.add("flip " + epoch + " " + batch);
            if (refusesTimes) {
                throw new DeviceException(-1, "cut short");
            }
            flips.put(epoch + "/" + batch, flip);
        }

        @Override
        public long stagingAddress() {
            return rank * 1_000_000L + 500_000;
        }

        @Override
        public void copy(long destination, long source, long bytes) {
            if (failsCopies) {
                throw new DeviceException(-2, "no stream");
            }
            calls.add("copy");
            memory.put(destination, memory.getOrDefault(source, -1));
        }

        @Override
        public void abandonGroup() {
            calls.add("abandon");
        }

        @Override
        public Stream computeStream() {
            throw new UnsupportedOperationException("the agent must not need it");
        }

        @Override
        public List<WeightTensor> weights() {
            return IntStream.range(0, MEMBERS.shape().layers())
                    .mapToObj(layer -> new WeightTensor(layer, slot(rank, layer, 0), BYTES, BYTES))
                    .toList();
        }

        @Override
        public void flipMap(int layer, int[] slots, int[] experts, boolean[] inUse) {
            calls.add("flipMap " + layer + " " + Arrays.toString(slots));
            for (int i = 0; i < slots.length; i++) {
                map[layer][slots[i]] = experts[i];
                idle[layer].set(slots[i], !inUse[i]);
            }
        }

        @Override
        public Exchange exchange(long id) {
            calls.add("exchange " + id);
            return new Exchange() {
                private final Map<String, Long> receives = new TreeMap<>();

                @Override
                public void send(int peer, long[] addresses, long[] bytes, int tag) {
                    sent.put(id + " " + rank + "->" + peer + " #" + tag, addresses[0]);
                }

                @Override
                public void receive(int peer, long address, long bytes, int tag) {
                    receives.put(id + " " + peer + "->" + rank + " #" + tag, address);
                }

                @Override
                public void submit() {
                    calls.add("submit");
                }

                @Override
                public Transfer.Status poll() {
                    if (failsTransfers) {
                        return Transfer.Status.FAILED;
                    }
                    if (!transfersFinish || !sent.keySet().containsAll(receives.keySet())) {
                        return Transfer.Status.PENDING;
                    }
                    receives.forEach((key, address) ->
                            memory.put(address, memory.getOrDefault(sent.getOrDefault(key, -1L), -1)));
                    return Transfer.Status.DONE;
                }

                @Override
                public Duration took() {
                    return TRANSFER;
                }

                @Override
                public String failure() {
                    return "checksum";
                }

                @Override
                public void join() {
                    calls.add("join");
                }

                @Override
                public void close() {
                    calls.add("close");
                    receives.values().forEach(memory::remove);
                }
            };
        }
    }
}
