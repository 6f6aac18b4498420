package dev.plimsoll.app.command;

import dev.plimsoll.app.Plimsoll;
import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/** What a command that prints by picocli's writers said, and how it ended. */
record Told(int exitCode, String out, String err) {
    static Told by(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine line = Plimsoll.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        return new Told(line.execute(arguments), out.toString(), err.toString());
    }
}
