package dev.plimsoll.app.chaos;

import dev.plimsoll.app.Lifecycle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Whether those serve on that have lost others: every process of ranks that is left steps on, each of its ranks publishing for itself. One
 * ends instead only where a rank of it may have to leave, because it has voted to flip and cannot know whether others did.
 *
 * <p>For one thread.
 */
final class Survival {
    /** What a process has to serve on for. */
    static final long STEPS = 8L * RankProcesses.BOUNDARY_STEPS;

    /** A gather of those who wait for somebody who hangs takes ten seconds. */
    private static final Duration LONGEST = Duration.ofSeconds(40);

    private static final String LEFT = "was ordered to leave the group";

    private final RankProcesses ranks;
    private final DecisionWatch watch;
    private final Chronicle chronicle;
    private final Map<Member, Long> leftBefore = new HashMap<>();
    private int servedOn;
    private int left;
    private int stranded;

    Survival(RankProcesses ranks, DecisionWatch watch, Chronicle chronicle) {
        this.ranks = ranks;
        this.watch = watch;
        this.chronicle = chronicle;
    }

    /** Before somebody is lost. */
    void begin() {
        leftBefore.clear();
        ranks.members().forEach(member -> leftBefore.put(member, member.lines(LEFT)));
    }

    /**
     * After it.
     *
     * @param survivors who is left
     * @param mayLeave those that may have to leave
     * @throws Lifecycle.Stopped when the run is stopped
     */
    void await(List<Member> survivors, Predicate<Member> mayLeave, Runnable meanwhile) throws InterruptedException {
        boolean unused = chronicle.await(LONGEST, () -> {
            meanwhile.run();
            return survivors.stream().allMatch(member -> ended(member) || servesOn(member));
        });
        List<String> words = new ArrayList<>();
        for (Member member : survivors) {
            if (!ended(member) && servesOn(member)) {
                servedOn++;
                words.add(member.name() + " serves on");
            } else if (ended(member) && hasLeft(member) && mayLeave.test(member)) {
                left++;
                words.add(member.name() + " has left, as it cannot know");
            } else {
                stranded++;
                chronicle.problem(member.name() + " of incarnation " + ranks.incarnation() + " has "
                        + (ended(member) ? "ended" : "not stepped on") + " though it has only lost others");
            }
        }
        chronicle.tell("  " + String.join(", ", words));
    }

    private static boolean ended(Member member) {
        return member.endedByItself().isPresent();
    }

    private boolean hasLeft(Member member) {
        return member.lines(LEFT) > leftBefore.getOrDefault(member, 0L);
    }

    /** Whether the group is lost: all serve alone. */
    boolean alone() {
        return ranks.members().stream().allMatch(this::servesOn);
    }

    private boolean servesOn(Member member) {
        return ranks.ranksOf(member).allMatch(rank -> watch.loneSteps(ranks.incarnation(), rank) >= STEPS);
    }

    /** Processes that served on. */
    int servedOn() {
        return servedOn;
    }

    /** Processes that had to leave. */
    int left() {
        return left;
    }

    /** Processes that did neither. */
    int stranded() {
        return stranded;
    }
}
