package dev.plimsoll.wire.life;

import java.util.List;

/** What comes of an event: the state that follows, and what has to be done, in order. */
public record Step(PartitionLife next, List<Effect> effects) {
    public Step {
        effects = List.copyOf(effects);
    }
}
