package dev.plimsoll.model;

/** A sign that time went on in a silent partition; its append time is the only thing in it that counts. */
public record Tick(Deployment deployment) implements SampleRecord {}
