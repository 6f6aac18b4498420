package dev.plimsoll.aggregator.window;

import dev.plimsoll.model.Counters;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.LoadSample;
import dev.plimsoll.model.LongVector;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.model.StepRange;
import dev.plimsoll.model.Tick;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * A log of one partition in which everything goes wrong that may: skew, loss, duplicates, conflicts, other cuts, stuck ranks, steps from
 * the future, append time that steps back, flips, incarnations, outages, silence. At its end every rank reports again.
 */
final class RandomLog {
    record Entry(long offset, long appendTime, SampleRecord record) {}

    private static final int K = Samples.K;

    final List<Entry> entries = new ArrayList<>();
    final WindowSettings settings;
    /** Whether every deployment ended cleanly at the end. */
    final boolean ended;
    /** Whether, if none did, all died at the end, and time went on. */
    final boolean died;

    /** Whether there is room for two or three windows only. */
    final boolean shortOfMemory;

    /** How many deployments a fold of this log may know at once. */
    final int mostDeployments;

    /** Counters that are small, that fill four bytes, and that do not fit into them. */
    private static final long[] SCALES = {1, 1, 1, 21_000_000, 150_000_000};

    private final Random random;
    /** Apart from the rest, which does not change with it. */
    private final Random sizes;

    private final Random clocks;

    private long offset;
    private long time = 1_000_000;

    RandomLog(long seed) {
        random = new Random(seed * 0x9E3779B97F4A7C15L);
        sizes = new Random(seed);
        clocks = new Random(~seed);
        shortOfMemory = random.nextInt(8) == 0;
        settings = new WindowSettings(
                50,
                random.nextInt(3) * 50,
                Duration.ofMillis(1000),
                2 + random.nextInt(3),
                8,
                2 + random.nextInt(20),
                Duration.ofMillis(random.nextInt(4) == 0 ? 1_500 : 6_000),
                Duration.ofMillis(random.nextInt(300)),
                random.nextInt(2) == 0 ? 4 : 16,
                Duration.ofMillis(random.nextInt(2) == 0 ? 700 : 4_000),
                shortOfMemory ? 3_300 + random.nextInt(6_000) : 1 << 20);
        offset = random.nextInt(5);
        List<Life> lives = new ArrayList<>();
        boolean crowded = random.nextInt(6) == 0;
        int deployments = crowded ? 3 : 1 + random.nextInt(2);
        mostDeployments = crowded ? 1 + random.nextInt(2) : Fold.MOST_DEPLOYMENTS;
        for (int i = 0; i < deployments; i++) {
            lives.add(new Life(new Deployment("d" + i)));
        }
        int length = 30 + random.nextInt(90);
        for (int i = 0; i < length; i++) {
            lives.get(random.nextInt(lives.size())).act();
        }
        ended = random.nextBoolean();
        died = !ended && random.nextBoolean();
        lives.forEach(Life::recoverAll);
        if (died) {
            time = entries.stream().mapToLong(Entry::appendTime).max().orElseThrow();
            lives.forEach(life -> life.silence(settings.idleTime().toMillis()));
        }
    }

    /** Whether there are more deployments than a fold may know. */
    boolean crowded() {
        return mostDeployments < Fold.MOST_DEPLOYMENTS;
    }

    private void append(SampleRecord record) {
        int kind = random.nextInt(40);
        time += kind == 0 ? -2500 : kind == 1 ? 2500 : random.nextInt(120);
        offset += random.nextInt(8) == 0 ? 2 : 1;
        entries.add(new Entry(offset, time, record));
    }

    /** One deployment and what happens to it. */
    private final class Life {
        final Deployment deployment;
        final int ranks = 2 + random.nextInt(3);
        final int layers = 1 + random.nextInt(3);
        final int width = 1 + random.nextInt(2);
        final int boundaries = 1 + random.nextInt(4);
        final boolean gathered = random.nextInt(3) == 0;
        /** Whether samples say what a rank sent to all slots. */
        final boolean sends = !gathered && clocks.nextInt(2) == 0;

        final int emitters = gathered ? 1 + random.nextInt(2) : ranks;
        final List<LoadSample> sent = new ArrayList<>();
        Membership members;
        /** {@code [emitter]} how far it has reported. */
        final long[] at = new long[emitters];

        int stuck = -1;
        int version = 1;
        boolean over;
        /** Samples in a hundred that say how long their steps took: some engines never do, and a rank may not. */
        final int timedPercent = new int[] {0, 100, 97, 60}[clocks.nextInt(4)];

        Life(Deployment deployment) {
            this.deployment = deployment;
            this.members = membership(1);
            start();
            if (random.nextInt(10) == 0) {
                append(sample(0, 0, K, 0, layers));
            }
            append(members);
        }

        private Membership membership(long incarnation) {
            Membership computes = Samples.members(deployment, incarnation, ranks, layers, width, boundaries);
            return sends
                    ? computes.withTopology(computes.topology(), GatherMode.NONE)
                            .withTraits(EngineTraits.USUAL.withLoad(LoadKind.ROUTED_TO))
                    : computes;
        }

        /** Some begin to be observed when they have made steps already, and not all ranks at the same one. */
        private void start() {
            long from = random.nextInt(4) == 0 ? (long) K * random.nextInt(20 * boundaries) : 0;
            for (int i = 0; i < emitters; i++) {
                at[i] = from + (random.nextInt(10) == 0 ? (long) K * random.nextInt(3 * boundaries) : 0);
            }
        }

        /** Nobody reports for so long; ticks say so. */
        void silence(long millis) {
            for (int i = 0; i < 3; i++) {
                entries.add(new Entry(++offset, time += millis / 2, new Tick(deployment)));
            }
        }

        /** Records from a place where nobody is: of all ranks, one or more of them, at once or over some time. */
        private void wild() {
            long step = (long) K * boundaries * (random.nextInt(40) + (random.nextInt(3) == 0 ? 1L << 30 : 0));
            int records = 1 + random.nextInt(3);
            for (int i = 0; i < records; i++) {
                for (int emitter = 0; emitter < (gathered ? 1 : emitters); emitter++) {
                    append(sample(emitter, step, step + K, 0, layers));
                }
                step += random.nextInt(4) == 0 ? 0 : K;
                time += random.nextInt(2) * 150L;
            }
        }

        void act() {
            int kind = random.nextInt(104);
            if (kind < 66) {
                int emitter = slowest();
                if (emitter != stuck && random.nextInt(100) < 80) {
                    report(emitter, random.nextInt(12) == 0 ? 2 + random.nextInt(3) : 1);
                } else if (emitter == stuck && random.nextInt(3) > 0) {
                    at[emitter] += K;
                }
                if (random.nextInt(20) == 0) {
                    at[emitter] += K; // lost
                }
            } else if (kind < 74) {
                again(0);
            } else if (kind < 79) {
                again(1 + random.nextInt(3));
            } else if (kind < 82) {
                stuck = random.nextInt(2) == 0 ? -1 : random.nextInt(emitters);
            } else if (kind < 86 && !gathered) {
                long from = at[0] + (long) K * boundaries * (1 + random.nextInt(2 * settings.windowsAhead()));
                send(sample(0, from, from + K, 0, layers));
            } else if (kind < 89) {
                version++;
            } else if (kind < 94) {
                append(new Tick(deployment));
            } else if (kind < 96) {
                long jump = (long) K * boundaries * random.nextInt(4 * settings.windowsAhead()) + K * random.nextInt(3);
                for (int i = 0; i < emitters; i++) {
                    at[i] += jump;
                }
            } else if (kind == 96 && (crowded() || random.nextInt(3) == 0)) {
                append(new End(deployment, members.incarnation()));
                over = true;
            } else if (kind == 97 && (crowded() || random.nextInt(3) == 0)) {
                begin();
            } else if (kind == 98) {
                malformed();
            } else if (kind == 100 || kind == 101) {
                silence(random.nextInt(2) == 0 ? settings.idleTime().toMillis() : 400);
            } else if (kind == 102) {
                wild();
            } else if (kind == 103 && random.nextInt(2) == 0) {
                for (int i = 0; i < emitters; i++) {
                    at[i] = Math.max(0, at[i] - (long) K * boundaries * random.nextInt(6)); // back, in the same life
                }
            } else if (random.nextInt(4) == 0 && !crowded()) { // one that was forgotten would begin again
                append(random.nextBoolean() ? members : membership(Math.max(1, members.incarnation() - 1)));
            }
        }

        private void begin() {
            Membership next = membership(members.incarnation() + 1);
            if (random.nextInt(3) == 0) {
                Membership old = members;
                members = next;
                append(sample(0, 0, K, 0, layers)); // premature
                members = old;
            }
            members = next;
            append(members);
            over = false;
            Arrays.fill(at, 0);
            start();
            stuck = -1;
        }

        private void malformed() {
            Membership other = Samples.members(deployment, members.incarnation(), ranks + 1, layers, width, boundaries);
            append(
                    random.nextBoolean()
                            ? Samples.ofRank(other, ranks, at[0], at[0] + K, 1)
                            : Samples.ofRank(members, 0, at[0] + 1, at[0] + K, 1));
        }

        /** Mostly the one that is most behind, so that skew stays within bounds. */
        private int slowest() {
            int slowest = random.nextInt(emitters);
            for (int i = 0; random.nextInt(4) > 0 && i < emitters; i++) {
                slowest = at[i] < at[slowest] ? i : slowest;
            }
            return slowest;
        }

        private void report(int emitter, int intervals) {
            long from = at[emitter];
            at[emitter] += (long) K * intervals;
            int cut = random.nextInt(6) == 0 ? random.nextInt(layers) : 0;
            if (cut > 0) {
                send(sample(emitter, from, at[emitter], 0, cut));
            }
            send(sample(emitter, from, at[emitter], cut, layers - cut));
        }

        private void send(LoadSample sample) {
            sent.add(sample);
            append(sample);
        }

        /** A sample comes again, perhaps with other values or cut otherwise. */
        private void again(int change) {
            if (sent.isEmpty()) {
                return;
            }
            LoadSample old = sent.get(Math.max(0, sent.size() - 1 - random.nextInt(12)));
            long from = change == 2
                    ? Math.max(0, old.steps().from() - K)
                    : old.steps().from();
            long to = change == 3 ? old.steps().to() + K : old.steps().to();
            Counters load = change == 0 ? old.load() : load(old.load().size());
            append(new LoadSample(
                    deployment,
                    old.incarnation(),
                    new StepRange(from, to),
                    old.phase(),
                    "again",
                    old.firstRank(),
                    old.ranks(),
                    old.firstLayer(),
                    old.layers(),
                    old.slotsPerRank(),
                    old.state(),
                    old.mixed(),
                    old.routed(),
                    change == 0 ? old.elapsedNanos() : nanos(old.elapsedNanos().size(), 5_000_000),
                    old.idleNanos(),
                    old.kind(),
                    load));
        }

        private LongVector nanos(int size, int most) {
            return LongVector.of(clocks.longs(size, 0, most).toArray());
        }

        private Counters load(int size) {
            long scale = SCALES[sizes.nextInt(SCALES.length)];
            long[] load = new long[size];
            for (int i = 0; i < size; i++) {
                load[i] = random.nextInt(100) * scale;
            }
            return Counters.of(load);
        }

        private LoadSample sample(int emitter, long from, long to, int firstLayer, int count) {
            int blocks = gathered ? ranks : 1;
            int timed = firstLayer == 0 && clocks.nextInt(100) < timedPercent ? blocks : 0;
            int slots = sends ? ranks * width : width;
            Counters load = load(blocks * count * slots);
            long[] routed = new long[(gathered && random.nextInt(3) > 0) || sends ? count : 0];
            for (int i = 0; routed.length > 0 && i < load.size(); i++) {
                routed[i / slots % count] += load.at(i);
            }
            return new LoadSample(
                    deployment,
                    members.incarnation(),
                    new StepRange(from, to),
                    members.phase(),
                    "e" + emitter,
                    gathered ? 0 : emitter,
                    blocks,
                    firstLayer,
                    count,
                    slots,
                    PlacementState.settled(version),
                    random.nextInt(25) == 0,
                    LongVector.of(routed),
                    nanos(timed, 5_000_000),
                    nanos(timed, clocks.nextInt(4) == 0 ? 1_000_000_000 : 1),
                    sends ? LoadKind.ROUTED_TO : LoadKind.COMPUTED,
                    load);
        }

        /** The last act: all ranks report, in step, for long enough to be believed. */
        void recoverAll() {
            if (over) {
                begin();
            }
            long front = 0;
            for (long step : at) {
                front = Math.max(front, step);
            }
            long windows = 2L * settings.windowsAhead() + 16;
            for (long step = front; step < front + windows * K * boundaries; step += K) {
                for (int emitter = 0; emitter < (gathered ? 1 : emitters); emitter++) {
                    append(sample(emitter, step, step + K, 0, layers));
                }
            }
            if (ended) {
                append(new End(deployment, members.incarnation()));
            }
        }
    }
}
