package dev.plimsoll.app.command;

import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The directory where the ranks of a node meet its collector and its worker: heat rings, mailboxes, the membership. */
public final class SharedOptions {
    @Option(
            names = {"--ring-dir", "--shm"},
            paramLabel = "DIR",
            required = true,
            description =
                    "Directory on tmpfs where ranks, collector and worker of a node meet, such as /dev/shm/demo."
                            + " Collector and worker serve the deployments in its direct sub-directories too. --shm is the older name.")
    @Nullable
    private Path directory;

    public void check(Problems problems) {
        if (directory == null) {
            problems.add(
                    "--ring-dir is missing: name a directory on tmpfs, the same for ranks, collector and worker of a"
                            + " node");
        } else if (Files.exists(directory) && !Files.isDirectory(directory)) {
            problems.add("--ring-dir: " + directory + " is not a directory");
        }
    }

    public Path directory() {
        if (directory == null) {
            throw new IllegalStateException("options were not checked");
        }
        return directory;
    }
}
