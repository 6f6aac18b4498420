package dev.plimsoll.model;

import java.util.Locale;

/** What an operator wants of a planner. */
public sealed interface ControlAction {
    /** A few words for people. */
    String summary();

    /** What it is, in one word in lower case. */
    default String word() {
        return getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }

    /** Makes no new decisions until {@link Resume}; what is in flight goes on. */
    record Pause() implements ControlAction {
        @Override
        public String summary() {
            return "pause";
        }
    }

    /** Ends a pause. */
    record Resume() implements ControlAction {
        @Override
        public String summary() {
            return "resume";
        }
    }

    /** Lets a decision go on that waits for a person. */
    record Approve(int epoch) implements ControlAction {
        public Approve {
            requireEpoch(epoch);
        }

        @Override
        public String summary() {
            return "approve decision " + epoch;
        }
    }

    /** Ends a decision that waits for a person. */
    record Reject(int epoch) implements ControlAction {
        public Reject {
            requireEpoch(epoch);
        }

        @Override
        public String summary() {
            return "reject decision " + epoch;
        }
    }

    /** Stops a decision in flight; what it has flipped stays. */
    record Abort(int epoch) implements ControlAction {
        public Abort {
            requireEpoch(epoch);
        }

        @Override
        public String summary() {
            return "abort decision " + epoch;
        }
    }

    /** Ends what cannot end by itself: a decision whose ranks do not say how far they got, or a quarantine. */
    record Void() implements ControlAction {
        @Override
        public String summary() {
            return "void what is in flight";
        }
    }

    /** Decides for a placement that the incarnation has had. */
    record Rollback(int version) implements ControlAction {
        public Rollback {
            if (version < 0) {
                throw new IllegalArgumentException("no version is negative: " + version);
            }
        }

        @Override
        public String summary() {
            return "roll back to v" + version;
        }
    }

    /** Wants an expert to have a slot on a rank, always. */
    record Pin(LayerId layer, ExpertId expert, RankId rank) implements ControlAction {
        @Override
        public String summary() {
            return "pin expert " + expert.index() + " of layer " + layer.index() + " to rank " + rank.index();
        }
    }

    /** Ends a {@link Pin}. */
    record Unpin(LayerId layer, ExpertId expert, RankId rank) implements ControlAction {
        @Override
        public String summary() {
            return "unpin expert " + expert.index() + " of layer " + layer.index() + " from rank " + rank.index();
        }
    }

    /** Wants a rank to be needed for no expert. */
    record Drain(RankId rank) implements ControlAction {
        @Override
        public String summary() {
            return "drain rank " + rank.index();
        }
    }

    /** Ends a {@link Drain}. */
    record Undrain(RankId rank) implements ControlAction {
        @Override
        public String summary() {
            return "undrain rank " + rank.index();
        }
    }

    private static void requireEpoch(int epoch) {
        if (epoch < 1) {
            throw new IllegalArgumentException("epoch must be at least 1: " + epoch);
        }
    }
}
