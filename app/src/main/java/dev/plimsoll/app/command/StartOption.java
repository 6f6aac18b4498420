package dev.plimsoll.app.command;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.replay.source.LastSettled;
import java.io.IOException;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Whether ranks start with what their deployment's last incarnation had settled. */
final class StartOption {
    /** Where the first placement comes from. */
    enum Start {
        INITIAL,
        SETTLED
    }

    @Option(
            names = "--start",
            paramLabel = "WITH",
            defaultValue = "initial",
            description =
                    "initial, or settled: the placement that the deployment's last incarnation had settled, as the"
                            + " topics at --bootstrap-servers say. Of another shape it is refused; where nothing had"
                            + " settled, as initial (default: ${DEFAULT-VALUE}).")
    private Start start = Start.INITIAL;

    @Mixin
    private KafkaOptions kafka = new KafkaOptions();

    void check(Problems problems, boolean initialGiven) {
        kafka.check(problems);
        if (start == Start.SETTLED) {
            kafka.require(problems);
            problems.require(!initialGiven, "--start settled and --initial-placement both say what ranks start with");
        }
    }

    /**
     * The membership as it is to start.
     *
     * @throws IOException when what had settled cannot be read, or does not fit
     */
    Membership of(Membership fresh) throws IOException {
        if (start == Start.INITIAL) {
            return fresh;
        }
        Optional<LastSettled> last = LastSettled.of(kafka.settings(), fresh.deployment(), fresh.incarnation());
        if (last.isEmpty()) {
            System.err.println("start     initial: the topics know no incarnation of " + fresh.deployment());
            return fresh;
        }
        LastSettled found = last.orElseThrow();
        Placement placement = found.placement();
        if (!found.members().shape().equals(fresh.shape())
                || !found.members().topology().equals(fresh.topology())) {
            throw new IOException(
                    "--start settled: incarnation " + found.members().incarnation() + " of "
                            + fresh.deployment() + " was " + what(found.members()) + ", these ranks are " + what(fresh)
                            + ": 'plimsoll placement export' with --without-ranks, --joining-ranks or --slots-per-rank"
                            + " makes a start for --initial-placement");
        }
        System.err.println(
                found.members().incarnation() == fresh.incarnation()
                        ? "start     as others of incarnation " + fresh.incarnation() + " did"
                        : "start     settled: v" + placement.version() + " of incarnation "
                                + found.members().incarnation());
        return fresh.startingWith(placement).startable();
    }

    private static String what(Membership members) {
        return members.shape().name() + " of " + members.shape().layers() + " layers × "
                + members.shape().experts() + " experts on "
                + members.topology().ranks() + " ranks × "
                + members.topology().slotsPerRank() + " slots";
    }
}
