package dev.plimsoll.app.chaos;

import dev.plimsoll.app.broker.FreePorts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The ranks of one deployment, in processes that know of each other by address only, as on so many machines. An incarnation is of all of
 * them or of some; when one is gone the others serve on, and decide nothing until the next incarnation.
 *
 * <p>Each rank checks every token against the weights of the slot that computes it, and says so at once where they are another expert's.
 */
final class RankProcesses implements AutoCloseable {
    static final String DEPLOYMENT = "chaos/decode-0";
    static final int RANKS = 16;
    static final int PROCESSES = 4;
    static final int PER_PROCESS = RANKS / PROCESSES;
    static final int BOUNDARY_STEPS = 8;
    /** Short, as the next decision waits for a window or two. */
    static final int WINDOW_STEPS = 16;

    /** So many that three processes have one for each of 128 experts. */
    private static final int SLOTS_PER_RANK = 11;

    private static final int EXPERTS = 128;
    private static final int STEPS_PER_SECOND = 100;
    private static final int MEGABYTES = 192;
    private static final int SECRET_BYTES = 32;
    private static final Duration STOPPING = Duration.ofSeconds(10);
    private static final Duration CLOSING = Duration.ofSeconds(3);
    private static final Duration EXPORT = Duration.ofSeconds(60);
    private static final Pattern MISROUTED = Pattern.compile("\"misrouted\":(\\d+)");

    private final String servers;
    private final List<Path> machines;
    private final Path secret;
    private final Path map;
    /** One for each machine. */
    private final List<Member> members;
    /** Makes a start for other ranks than before. */
    private final Member export;
    /** Those of the incarnation, in the order of their blocks of ranks. */
    private List<Member> serving;

    private List<String> start = List.of();
    private List<String> exported = List.of();
    private long incarnation;
    private int lives;
    private int port;

    /**
     * @param servers of the broker
     * @param machines a directory each
     */
    RankProcesses(String servers, Path logs, List<Path> machines, Path secret, FaultLibrary faults) {
        this.servers = servers;
        this.machines = List.copyOf(machines);
        this.secret = secret;
        this.map = secret.resolveSibling("map.npy");
        members = IntStream.range(0, PROCESSES)
                .mapToObj(machine -> new Member(
                        "ranks-" + machine,
                        MEGABYTES,
                        logs,
                        () -> new Member.Life(arguments(machine), faults.connections(port, port + 1))))
                .toList();
        export = new Member("export", MEGABYTES, logs, () -> new Member.Life(exported, Map.of()));
        serving = members;
    }

    private List<String> arguments(int machine) {
        int processes = serving.size();
        int ranks = processes * PER_PROCESS;
        List<String> arguments = new ArrayList<>(List.of(
                "ranks",
                "--deployment",
                DEPLOYMENT,
                "--model",
                "qwen3-30b",
                "--layers",
                "10", // of 11 slots, of which staging holds 64: two batches
                "--ranks",
                Integer.toString(ranks),
                "--redundant",
                Integer.toString(ranks * SLOTS_PER_RANK - EXPERTS),
                "--nodes",
                Integer.toString(processes),
                "--process",
                serving.indexOf(members.get(machine)) + "/" + processes,
                "--survive",
                "--meet",
                "127.0.0.1:" + port,
                "--secret-file",
                secret.toString(),
                "--incarnation",
                Long.toString(incarnation),
                "--ring-dir",
                machines.get(machine).toString(),
                "--steps-per-second",
                Integer.toString(STEPS_PER_SECOND),
                "--tokens-per-step",
                "32",
                "--boundary",
                Integer.toString(BOUNDARY_STEPS),
                "--window",
                Integer.toString(WINDOW_STEPS),
                "--transfer-bytes-per-second",
                "1MiB")); // so that a batch is on its way for some boundaries
        arguments.addAll(start);
        return arguments;
    }

    static Path secret(Path directory) {
        byte[] bytes = new byte[SECRET_BYTES];
        new java.security.SecureRandom().nextBytes(bytes);
        try {
            return Files.write(directory.resolve("secret"), bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write a secret into " + directory, e);
        }
    }

    /** Begins the next incarnation, of all, with the first placement; all processes must have ended. */
    void begin() {
        begin(members, List.of());
    }

    /**
     * The same, of those that are there after one was lost.
     *
     * @param gone who was lost
     * @throws IllegalStateException when there is no such start: says where to read why
     */
    void begin(RankStart with, Member gone) {
        switch (with) {
            case INITIAL -> begin();
            case SETTLED -> begin(serving, List.of("--start", "settled", "--bootstrap-servers", servers));
            case OTHER_RANKS -> beginOthers(gone);
        }
    }

    private void beginOthers(Member gone) {
        List<Member> next = new ArrayList<>(serving);
        if (whole()) {
            int first = serving.indexOf(gone) * PER_PROCESS;
            export(
                    "--without-ranks",
                    IntStream.range(first, first + PER_PROCESS)
                            .mapToObj(Integer::toString)
                            .collect(Collectors.joining(",")));
            next.remove(gone);
        } else {
            export("--joining-ranks", Integer.toString((PROCESSES - serving.size()) * PER_PROCESS));
            members.stream().filter(member -> !serving.contains(member)).forEach(next::add);
        }
        begin(next, List.of("--initial-placement", map.toString()));
    }

    private void export(String option, String value) {
        exported = List.of(
                "placement",
                "export",
                "--bootstrap-servers",
                servers,
                "--deployment",
                DEPLOYMENT,
                option,
                value,
                "--to",
                "npy:" + map);
        export.start();
        boolean ended = export.awaitEnd(EXPORT);
        int code = export.endedByItself().orElse(-1);
        export.kill(); // which marks it as down
        if (!ended || code != 0) {
            throw new IllegalStateException(
                    "placement export " + option + " " + value + " has ended with " + code + "; see export.log");
        }
    }

    private void begin(List<Member> next, List<String> startingWith) {
        serving = List.copyOf(next);
        start = startingWith;
        incarnation = Math.max(incarnation + 1, System.currentTimeMillis());
        port = FreePorts.pair();
        lives++;
        serving.forEach(Member::start);
    }

    /** Ends all in order, side by side. */
    void stop() {
        members.forEach(Member::askToStop);
        members.forEach(member -> member.stop(STOPPING));
    }

    /** Those of the incarnation. */
    List<Member> members() {
        return serving;
    }

    /** Whether all are of the incarnation. */
    boolean whole() {
        return serving.size() == PROCESSES;
    }

    /** Whether others cannot know what became of a gather when this one is lost: it completes them. */
    boolean completesGathers(Member member) {
        return serving.indexOf(member) == 0;
    }

    /** The ranks of one of the incarnation. */
    IntStream ranksOf(Member member) {
        int first = serving.indexOf(member) * PER_PROCESS;
        return IntStream.range(first, first + PER_PROCESS);
    }

    long incarnation() {
        return incarnation;
    }

    int lives() {
        return lives;
    }

    /** Whether a process has ended that nobody here has killed. */
    boolean endedByThemselves() {
        return serving.stream().anyMatch(member -> member.endedByItself().isPresent());
    }

    /** Tokens that met the weights of another expert: what processes that ended in order have counted, or all have told one by one. */
    long misrouted() {
        return members.stream().mapToLong(RankProcesses::misrouted).sum();
    }

    private static long misrouted(Member member) {
        long counted = member.printed()
                .map(MISROUTED::matcher)
                .filter(Matcher::find)
                .mapToLong(found -> Long.parseLong(found.group(1)))
                .sum();
        return Math.max(counted, member.lines("misrouted token"));
    }

    /** Within three seconds, as a whole run has ten to stop in. */
    @Override
    public void close() {
        export.kill();
        members.forEach(Member::askToStop);
        long deadline = System.nanoTime() + CLOSING.toNanos();
        for (Member member : members) {
            member.stop(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
        }
    }
}
