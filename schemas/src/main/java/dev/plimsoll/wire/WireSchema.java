package dev.plimsoll.wire;

/**
 * A schema that records carry, for a schema registry and its readers.
 *
 * @param id what stands in the frame of a record
 * @param subject the name that registries file it under
 * @param version 1, 2, 3… within its subject
 * @param json the schema as it is in the jar
 */
public record WireSchema(int id, String subject, int version, String json) {}
