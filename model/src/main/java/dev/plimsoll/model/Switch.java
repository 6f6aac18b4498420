package dev.plimsoll.model;

/**
 * One slot is taken into use, or left idle: routers send tokens to it from then on, or send none. No weights move.
 *
 * @param inUse whether routers send tokens to the slot from then on
 */
public record Switch(LayerId layer, SlotId slot, boolean inUse) {}
