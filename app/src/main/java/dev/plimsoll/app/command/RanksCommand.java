package dev.plimsoll.app.command;

import dev.plimsoll.app.Lifecycle;
import dev.plimsoll.app.LocalRanks;
import dev.plimsoll.app.Rendezvous;
import dev.plimsoll.model.Membership;
import dev.plimsoll.simulator.Ending;
import dev.plimsoll.simulator.Meeting;
import dev.plimsoll.simulator.ProcessGroup;
import dev.plimsoll.simulator.Totals;
import dev.plimsoll.wire.MembershipFile;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Simulated ranks, all of a deployment or a block of them. */
@Command(
        name = "ranks",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Run simulated ranks: all of a deployment, or one block of them per process, on one machine or on"
                + " several.")
public final class RanksCommand implements Callable<Integer>, Validated {
    private static final Pattern PROCESS = Pattern.compile("(\\d{1,4})/(\\d{1,4})");
    private static final Duration POLL = Duration.ofMillis(100);

    @Mixin
    private EngineOptions engine = new EngineOptions();

    @Mixin
    private StartOption start = new StartOption();

    @Mixin
    private ProfileOption profile = new ProfileOption();

    @Mixin
    private SharedOptions shared = new SharedOptions();

    @Option(
            names = "--process",
            paramLabel = "I/N",
            defaultValue = "0/1",
            description = "This process holds block I of N equal blocks of ranks (default: ${DEFAULT-VALUE}, all).")
    private String process = "0/1";

    @Mixin
    private MeetingOptions meeting = new MeetingOptions();

    @Option(
            names = "--survive",
            description =
                    "When another process is lost, step on with the ranks of this one and the tokens that they have"
                            + " for each other, deciding nothing any more, until this life is ended (default: end too).")
    private boolean survive;

    @Option(
            names = "--incarnation",
            paramLabel = "N",
            description =
                    "Number of this life of the deployment; needed, and the same, in all processes of one (default:"
                            + " from the clock).")
    @Nullable
    private Long incarnation;

    @Option(names = "--for", paramLabel = "DURATION", description = "Stop after this time (default: run until Ctrl-C).")
    @Nullable
    private Duration duration;

    @Mixin
    private MetricsOptions metrics = new MetricsOptions();

    private final long started = System.currentTimeMillis();
    private int block;
    private int blocks = 1;

    @Override
    public void check(Problems problems) {
        engine.check(problems);
        start.check(problems, engine.startsWithFile());
        profile.check(problems);
        profile.choice().ifPresent(choice -> engine.checkSizeIsKnown(problems, choice));
        shared.check(problems);
        metrics.check(problems);
        if (incarnation != null) {
            Incarnations.check(problems, incarnation);
        }
        problems.require(
                duration == null || !(duration.isZero() || duration.isNegative()), "--for must be longer than 0");
        Matcher matcher = PROCESS.matcher(process);
        if (!matcher.matches()) {
            problems.add("--process must be I/N, such as 0/2, not '" + process + "'");
            return;
        }
        block = Integer.parseInt(matcher.group(1));
        blocks = Integer.parseInt(matcher.group(2));
        problems.require(blocks >= 1 && block < blocks, "--process " + process + ": processes are numbered from 0");
        problems.require(
                blocks < 1 || engine.ranks() % blocks == 0,
                "--process " + process + ": " + engine.ranks() + " ranks do not divide over " + blocks + " processes");
        problems.require(
                blocks <= 1 || incarnation != null,
                "--process " + process + " needs an --incarnation, the same in all " + blocks + " processes");
        problems.require(
                blocks <= 1 || !engine.engineMoves(),
                "--process " + process
                        + " with --engine-moves: the simulated engine moves weights by itself only within one process");
        problems.require(
                blocks != 1 || !survive, "--survive with --process " + process + ": there is nobody to survive");
        meeting.check(problems, process, blocks, engine.nodes());
        if (!problems.any()) {
            engine.checkMemory(problems, engine.ranks() / blocks);
            checkFile(problems);
        }
    }

    /** A life that is over, or another deployment's, is replaced; a later life is not. */
    private void checkFile(Problems problems) {
        Membership fresh = engine.members(incarnation());
        MembershipFile file = new MembershipFile(shared.directory());
        try {
            file.read()
                    .filter(there -> there.deployment().equals(fresh.deployment()))
                    .flatMap(there -> Incarnations.tooLow(
                            fresh.deployment(),
                            fresh.incarnation(),
                            OptionalLong.of(there.incarnation()),
                            file.path().toString()))
                    .ifPresent(problem -> problems.add(problem
                            + "; where no collector or worker has published it, removing the directory does too"));
        } catch (IllegalStateException unreadable) {
            problems.add("--ring-dir: ", unreadable);
        }
    }

    /** Of the clock, where none was given: always the same for one process. */
    private long incarnation() {
        return incarnation == null ? started : incarnation;
    }

    @Override
    public Integer call() throws Exception {
        Files.createDirectories(shared.directory());
        int localRanks = engine.ranks() / blocks;
        Membership members = start.of(engine.members(incarnation()));
        Optional<ProcessGroup> group = blocks == 1
                ? Optional.empty()
                : Optional.of(new ProcessGroup(
                        meeting.at(shared.directory().resolve("engine.segment")),
                        members.incarnation(),
                        blocks,
                        block,
                        survive));
        try (RoleRun run = new RoleRun()) {
            if (group.isPresent()) {
                if (group.get().meeting() instanceof Meeting.ByAddress there) {
                    System.err.println("meeting   " + (blocks - 1) + " other processes at " + there.engine());
                }
                Rendezvous.of(group.get(), members.start().hash(), run.lifecycle());
            }
            LocalRanks ranks = run.lifecycle()
                    .start(
                            "ranks",
                            () -> new LocalRanks(
                                    run.lifecycle(),
                                    members,
                                    engine.engine(block * localRanks, localRanks, profile.choice()),
                                    engine.traffic(),
                                    engine.transfers(),
                                    shared.directory(),
                                    group,
                                    run.meters().agents(),
                                    problem -> System.err.println("problem   " + problem)));
            run.meters().engine(members.deployment(), ranks.counts());
            CompletableFuture<Ending> ending = ranks.start();
            run.serve(metrics, Map.of("ranks", () -> !ending.isDone()));
            System.err.println("ranks     " + block * localRanks + ".." + ((block + 1) * localRanks - 1) + " of "
                    + engine.summary() + ", incarnation " + members.incarnation());
            wait(run.lifecycle(), ending);
            ranks.stopStepping();
            return tell(ranks, ending);
        }
    }

    private void wait(Lifecycle lifecycle, CompletableFuture<Ending> ending) throws InterruptedException {
        long began = System.nanoTime();
        while (!ending.isDone()) {
            if (duration != null && System.nanoTime() - began >= duration.toNanos()) {
                return;
            }
            if (lifecycle.await(POLL)) {
                return;
            }
        }
    }

    private static int tell(LocalRanks ranks, CompletableFuture<Ending> ending) {
        Totals totals = ranks.totals();
        Histogram boundary = ranks.boundaryNanos();
        System.out.printf(
                Locale.ROOT,
                "{\"steps\":%d,\"tokens\":%d,\"misrouted\":%d,\"boundaryMicros\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}}%n",
                totals.steps(),
                totals.tokens(),
                totals.misrouted(),
                boundary.getValueAtPercentile(50) / 1e3,
                boundary.getValueAtPercentile(99) / 1e3,
                boundary.getMaxValue() / 1e3);
        Ending end = ending.getNow(new Ending(Ending.Reason.STOPPED, totals.steps(), ""));
        if (end.reason() == Ending.Reason.FAILED || end.reason() == Ending.Reason.LEFT_GROUP) {
            System.err.println("problem   ended at step " + end.step() + ": " + end.reason() + " " + end.detail());
            return 1;
        }
        return totals.misrouted() == 0 ? 0 : 1;
    }
}
