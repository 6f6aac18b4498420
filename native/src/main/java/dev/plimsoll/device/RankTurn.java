package dev.plimsoll.device;

import java.util.List;

/**
 * What an event makes of a rank.
 *
 * @param words the rank after it
 * @param effects what is to be done now, in this order
 */
public record RankTurn(RankWords words, List<RankEffect> effects) {
    public RankTurn {
        effects = List.copyOf(effects);
    }
}
