package dev.plimsoll.worker.protocol;

import java.util.List;

/** What an event leads to. */
public record Transition(ProtocolState state, List<RankEffect> effects) {
    public Transition {
        effects = List.copyOf(effects);
    }
}
