package dev.plimsoll.replay.verify;

import dev.plimsoll.replay.source.PastDecision;

/** What came of deciding again. */
public sealed interface Finding {
    /** The window that was decided on, or might have been. */
    long windowIndex();

    /** What a decision is made from, and what comes of it, in the order in which they are compared. */
    enum Input {
        /** Policy, gate, budget, cooldown …: what the planner's term says. */
        SETTINGS("settings"),
        /** Which windows were looked back on. */
        WINDOWS("history's windows"),
        /** How much load the experts had in them. */
        LOADS("loads of the history"),
        /** The placement that the moves start from. */
        SETTLED_VERSION("settled version"),
        /** How long a window took. */
        WINDOW_TIME("window time"),
        /** The moves, their batches and sources. */
        PLAN("plan"),
        /** The hash of the placement that the moves lead to. */
        PLAN_HASH("plan hash"),
        /** The balancedness that was promised. */
        PROMISE("promise"),
        /** Whether there was to be a decision at all. */
        DECISION("decision");

        private final String words;

        Input(String words) {
            this.words = words;
        }

        /** As people read it. */
        public String words() {
            return words;
        }
    }

    /**
     * The same inputs gave the same batches, sources, hash and promise.
     *
     * @param note what a person may want to know; empty for nothing
     */
    record Reproduced(PastDecision decision, String note) implements Finding {
        @Override
        public long windowIndex() {
            return decision.windowIndex();
        }
    }

    /** Something is not the same; the first thing in the order of {@link Input}. */
    record Different(PastDecision decision, Input first, String detail) implements Finding {
        @Override
        public long windowIndex() {
            return decision.windowIndex();
        }
    }

    /** The topics do not have what it takes to decide again. */
    record Unchecked(PastDecision decision, String reason) implements Finding {
        @Override
        public long windowIndex() {
            return decision.windowIndex();
        }
    }

    /**
     * Decisions from long before the first window that is read, which cannot be checked.
     *
     * @param windowIndex of the last one's window
     */
    record Expired(int decisions, int firstEpoch, int lastEpoch, long windowIndex) implements Finding {}

    /** A window that the live planner did not decide on and this side would. */
    record Undecided(long windowIndex, Explanation explanation, String detail) implements Finding {}

    /** Why nothing was decided, as far as the log can tell. */
    enum Explanation {
        /** The log says that no verdict was found on it: a later window was there already, or time was up. */
        NOT_JUDGED,
        /** The log does not say which windows were judged: no later decision of the same term has said so. */
        NOT_TOLD,
        /** The log says that it was judged. */
        NONE
    }
}
