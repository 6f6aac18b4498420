package dev.plimsoll.model;

/** The clean end of an incarnation: closes every open window. */
public record End(Deployment deployment, long incarnation) implements SampleRecord {}
