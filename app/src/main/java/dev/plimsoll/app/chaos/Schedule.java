package dev.plimsoll.app.chaos;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;

/**
 * Which fault comes next and when, from a seed: every kind once, then every kind once more, in an order that is drawn anew each time;
 * but a kind whose processes are still busy with another fault lets others go first.
 *
 * <p>A run of less than three minutes is brief: its pauses are shorter, so that all kinds come.
 */
final class Schedule<K> {
    private static final Duration BRIEF = Duration.ofMinutes(3);

    private final Random random;
    private final boolean brief;
    private final List<K> kinds;
    private final Function<K, Family> family;
    private final List<K> bag = new ArrayList<>();

    /** @param family whose fault a kind is */
    Schedule(long seed, Duration whole, List<K> kinds, Function<K, Family> family) {
        this.random = new Random(seed);
        this.brief = brief(whole);
        this.kinds = List.copyOf(kinds);
        this.family = family;
    }

    /** Whether a run of this time has to hurry. */
    static boolean brief(Duration whole) {
        return whole.compareTo(BRIEF) < 0;
    }

    /** Of faults whose windows are looked at. */
    static Schedule<FaultKind> ofWindows(long seed, Duration whole) {
        return new Schedule<>(seed, whole, List.of(FaultKind.values()), FaultKind::family);
    }

    /** The next fault, empty when all families are busy, or those of twice as many faults as there are kinds. */
    Optional<K> next(Set<Family> busy) {
        Optional<K> free = take(busy);
        if (free.isEmpty() && bag.size() <= kinds.size()) {
            // What waits stays in front.
            List<K> more = new ArrayList<>(kinds);
            Collections.shuffle(more, random);
            bag.addAll(more);
            free = take(busy);
        }
        return free;
    }

    private Optional<K> take(Set<Family> busy) {
        Optional<K> free =
                bag.stream().filter(kind -> !busy.contains(family.apply(kind))).findFirst();
        free.ifPresent(bag::remove);
        return free;
    }

    /** From one fault to the next. */
    Duration pause() {
        return brief ? millis(1_000, 4_000) : millis(3_000, 20_000);
    }

    /** How long somebody is frozen: longer than the 6 s that its group waits for it. */
    Duration frozen() {
        return brief ? millis(8_000, 10_000) : millis(12_000, 20_000);
    }

    /** How long somebody stays down who was killed. */
    Duration down() {
        return brief ? millis(200, 2_000) : millis(200, 6_000);
    }

    /** Whether an operator who has mended something waits for the partition to be tried again, up to a minute. */
    boolean patient() {
        return !brief && random.nextBoolean();
    }

    int choose(int bound) {
        return random.nextInt(bound);
    }

    /** For choices that depend on what is there. */
    Random fork() {
        return new Random(random.nextLong());
    }

    private Duration millis(int from, int to) {
        return Duration.ofMillis(from + random.nextInt(to - from));
    }
}
