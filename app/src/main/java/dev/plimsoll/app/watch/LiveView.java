package dev.plimsoll.app.watch;

import dev.plimsoll.model.Outcome;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanReasons;
import dev.plimsoll.model.StepPromise;
import dev.plimsoll.model.WindowSummary;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;

/**
 * What a person sees of a running loop: a line per window, a line per event of a decision, and on a terminal a status line that
 * is kept up to date below them.
 *
 * <p>Piped, the same lines without colour and without the status line. Thread-safe.
 */
public final class LiveView {
    private static final String[] EIGHTHS = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};

    private final PrintStream out;
    private final boolean terminal;
    private final boolean colour;
    private final int width;
    private String status = "";

    /**
     * @param terminal whether the status line may be rewritten in place
     * @param colour whether ANSI colours may be used
     * @param width columns that a line may take: longer ones are shortened, or go on below
     */
    public LiveView(PrintStream out, boolean terminal, boolean colour, int width) {
        this.out = out;
        this.terminal = terminal;
        this.colour = colour;
        this.width = width;
    }

    /** A line that starts with what kind of thing it tells. */
    public void note(String kind, String text) {
        print(paint(36, String.format(Locale.ROOT, "%-9s", kind)) + " " + text);
    }

    public void problem(String text) {
        print(paint(31, "problem  ") + " " + text);
    }

    /**
     * @param tokensPerSecond in this window, 0 where it is not known
     * @param boundarySteps K
     * @param moves moves flipped since the window before
     */
    public void window(
            WindowSummary window, double tokensPerSecond, int boundarySteps, int version, long moves, long misrouted) {
        String step = window.stepTime()
                .map(time -> String.format(Locale.ROOT, "  step %5s ms", Millis.of(time.stepMicros(boundarySteps))))
                .orElse("");
        for (Detail detail : Detail.values()) {
            String line = window(detail, window, tokensPerSecond, step, version, moves, misrouted);
            if (Folding.columns(line) <= width || detail == Detail.LEAST) {
                print(line);
                return;
            }
        }
    }

    private String window(
            Detail detail,
            WindowSummary window,
            double tokensPerSecond,
            String step,
            int version,
            long moves,
            long misrouted) {
        String bar = detail.barCells == 0 ? "" : bar(Math.max(0, loaded(window)), detail.barCells) + " ";
        String measured = window.balance().loaded()
                ? String.format(
                                Locale.ROOT,
                                "%s%.3f  worst %.3f",
                                bar,
                                window.balance().mean(),
                                window.balance().min())
                        + (detail.layer
                                ? String.format(
                                        Locale.ROOT,
                                        " (layer %d)",
                                        window.balance().worstLayer())
                                : "")
                : bar + "no load";
        String rate = String.format(
                Locale.ROOT,
                "  %8s tok/s",
                tokensPerSecond > 0 ? String.format(Locale.ROOT, "%,.0f", tokensPerSecond) : "-");
        return paint(2, "window   ")
                + String.format(
                        Locale.ROOT,
                        " %,9d%s%s  %s  v%d  %3d moves  misrouted %s%s",
                        window.steps().to(),
                        detail.rate ? rate : "",
                        step,
                        measured,
                        version,
                        moves,
                        misrouted == 0 ? "0" : paint(31, String.format(Locale.ROOT, "%,d", misrouted)),
                        window.complete()
                                ? ""
                                : paint(
                                        33,
                                        String.format(
                                                Locale.ROOT,
                                                "  %s %.0f %%",
                                                window.reason(),
                                                100 * window.completeness())))
                + (window.conservation().violated() ? paint(31, "  NOT CONSERVED") : "");
    }

    private static double loaded(WindowSummary window) {
        return window.balance().loaded() ? window.balance().mean() : 0;
    }

    /** What a window's line tells where there is less and less room. */
    private enum Detail {
        ALL(20, true, true),
        SHORT_BAR(10, true, true),
        NO_LAYER(10, false, true),
        NO_RATE(10, false, false),
        LEAST(0, false, false);

        private final int barCells;
        private final boolean layer;
        private final boolean rate;

        Detail(int barCells, boolean layer, boolean rate) {
            this.barCells = barCells;
            this.layer = layer;
            this.rate = rate;
        }
    }

    public void command(PlanCommand command) {
        if (command instanceof PlanCommand.Propose propose) {
            int layers = PlanReasons.slots(propose.batches()).size();
            decision(
                    35,
                    "proposed",
                    propose.epoch(),
                    propose.step().map(promise -> promised(promise) + "; ").orElse("")
                            + String.format(
                                    Locale.ROOT,
                                    "%s%s in %s, %s: %s%.3f → predicted %.3f; %s",
                                    count(propose.moves().size(), "move", "moves"),
                                    propose.switches() == 0
                                            ? ""
                                            : ", " + count(propose.switches(), "switch", "switches"),
                                    count(layers, "layer", "layers"),
                                    count(propose.batches().size(), "batch", "batches"),
                                    propose.step().isPresent() ? "balancedness " : "",
                                    propose.currentBalancedness(),
                                    propose.predictedBalancedness(),
                                    why(propose)));
        } else if (command instanceof PlanCommand.Permit permit) {
            decision(34, "permitted", permit.epoch(), "all ranks accepted the same plan");
        } else if (command instanceof PlanCommand.Settled settled) {
            decision(
                    32,
                    "settled",
                    settled.epoch(),
                    "placement v" + settled.epoch()
                            + (settled.complete()
                                    ? " on all ranks"
                                    : ": only the first " + settled.batchesFlipped() + " batches"));
        } else if (command instanceof PlanCommand.Abort abort) {
            decision(33, "aborted", abort.epoch(), abort.reason());
        } else if (command instanceof PlanCommand.Void none) {
            decision(33, "void", none.epoch(), none.reason());
        }
    }

    /** All ranks have flipped a batch. */
    public void flipped(int epoch, int batch, long step) {
        decision(34, "flipped", epoch, String.format(Locale.ROOT, "batch %d on all ranks at step %,d", batch, step));
    }

    public void outcome(Outcome outcome) {
        decision(
                32,
                "measured",
                outcome.version(),
                DecisionTime.of(outcome)
                                .map(time -> measured(time)
                                        + (assumed(outcome) ? ", promised with the rest of a step assumed, " : ", "))
                                .orElse("")
                        + outcome.measured()
                                .map(gain -> String.format(
                                        Locale.ROOT,
                                        "gain %.1f %%%s over %d window%s%s; balancedness ",
                                        100 * gain.gain(),
                                        outcome.promisedGain().isPresent()
                                                ? String.format(
                                                        Locale.ROOT,
                                                        " of %.1f %% promised",
                                                        100
                                                                * outcome.promisedGain()
                                                                        .getAsDouble())
                                                : "",
                                        gain.windows(),
                                        gain.windows() == 1 ? "" : "s",
                                        gain.last() ? "" : " so far"))
                                .orElse("")
                        + String.format(
                                Locale.ROOT,
                                "%s → predicted %s → measured %s (worst layer %d: %s)",
                                number(outcome.before()),
                                number(outcome.predicted()),
                                number(outcome.realised().mean()),
                                outcome.realised().worstLayer(),
                                number(outcome.realised().min())));
    }

    private static String count(int number, String one, String many) {
        return number + " " + (number == 1 ? one : many);
    }

    /** The first thing that the reason says, beside the promise of time that the line begins with. */
    private static String why(PlanCommand.Propose propose) {
        String promise = propose.step().map(step -> step.summary() + ", ").orElse("");
        String reason = propose.reason();
        return (reason.startsWith(promise) ? reason.substring(promise.length()) : reason).split(",", 2)[0];
    }

    private static String promised(StepPromise promise) {
        return String.format(
                Locale.ROOT,
                "step %s → %s ms promised (%s)%s",
                Millis.of(promise.stepMicrosBefore()),
                Millis.of(promise.stepMicrosPromised()),
                change(promise.stepMicrosBefore(), promise.stepMicrosPromised()),
                promise.assumed() ? ", the rest of a step assumed" : "");
    }

    private static boolean assumed(Outcome outcome) {
        return outcome.step().map(StepPromise::assumed).orElse(false);
    }

    private static String measured(DecisionTime time) {
        return String.format(
                Locale.ROOT,
                "step %s → %s ms promised, %s measured, %s without it (%s)",
                Millis.of(time.before()),
                Millis.of(time.promised()),
                Millis.of(time.measured()),
                Millis.of(time.without()),
                change(time.without(), time.measured()));
    }

    /** Such as {@code −10.9 %}. */
    private static String change(double from, double to) {
        double percent = from > 0 ? 100 * (to - from) / from : 0;
        return String.format(Locale.ROOT, "%s%.1f %%", percent < 0 ? "−" : "+", Math.abs(percent));
    }

    /** Renews the line at the bottom of a terminal. */
    public synchronized void status(Duration running, long steps, String pace, long misrouted, long dropped) {
        if (!terminal) {
            return;
        }
        // A line that wraps cannot be taken back, and one that fills the last column wraps on some terminals.
        String line = String.format(
                Locale.ROOT,
                "%s %d:%02d  %,d steps  pace %s  misrouted %,d  dropped %,d  Ctrl-C stops",
                misrouted == 0 ? paint(32, "●") : paint(31, "●"),
                running.toMinutes(),
                running.toSecondsPart(),
                steps,
                pace,
                misrouted,
                dropped);
        int room = width - 1;
        status = Folding.columns(line) <= room ? line : Folding.cut(line.replace("  Ctrl-C stops", ""), room);
        out.print("\r\u001b[K" + status);
        out.flush();
    }

    /** Takes the status line away. */
    public synchronized void end() {
        if (terminal && !status.isEmpty()) {
            out.print("\r\u001b[K");
            out.flush();
        }
        status = "";
    }

    private void decision(int ansi, String what, int epoch, String text) {
        print(paint(ansi, String.format(Locale.ROOT, "%-9s", what))
                + String.format(Locale.ROOT, " #%-3d ", epoch)
                + text);
    }

    private synchronized void print(String line) {
        if (terminal && !status.isEmpty()) {
            out.print("\r\u001b[K");
        }
        Folding.fold(line, width).forEach(out::println);
        if (terminal && !status.isEmpty()) {
            out.print(status);
        }
        out.flush();
    }

    private String bar(double share, int cells) {
        int eighths = (int) Math.round(Math.min(1, share) * cells * 8);
        String filled = "█".repeat(eighths / 8) + EIGHTHS[eighths % 8];
        int ansi = share >= 0.9 ? 32 : share >= 0.75 ? 33 : 31;
        return paint(ansi, filled) + " ".repeat(cells - filled.length());
    }

    private static String number(double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, "%.3f", value) : "–";
    }

    private String paint(int ansi, String text) {
        return colour ? "\u001b[" + ansi + "m" + text + "\u001b[0m" : text;
    }
}
