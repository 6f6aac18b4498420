package dev.plimsoll.app.command;

import picocli.CommandLine.Command;

/** The schemas of the records. */
@Command(
        name = "schemas",
        mixinStandardHelpOptions = true,
        description = "Look at the schemas of the records, and take them to a schema registry.",
        subcommands = {SchemasListCommand.class, SchemasShowCommand.class, SchemasRegisterCommand.class})
public final class SchemasCommand {}
