package dev.plimsoll.app.command;

import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The directory where the ranks of a node meet its collector and its worker. */
public final class SharedOptions {
    @Option(
            names = "--shm",
            paramLabel = "DIR",
            description = "Directory on tmpfs where ranks, collector and worker of a node meet, such as /dev/shm/demo.")
    @Nullable
    private Path directory;

    public void check(Problems problems) {
        if (directory == null) {
            problems.add(
                    "--shm is missing: name a directory on tmpfs, the same for ranks, collector and worker of a node");
        } else if (Files.exists(directory) && !Files.isDirectory(directory)) {
            problems.add("--shm: " + directory + " is not a directory");
        }
    }

    public Path directory() {
        if (directory == null) {
            throw new IllegalStateException("options were not checked");
        }
        return directory;
    }
}
