package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.simulator.Meeting;
import dev.plimsoll.simulator.ProcessGroup;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Processes of one life that meet by address. */
@Timeout(120)
class RendezvousTest {
    @TempDir
    Path directory;

    @Test
    void processesThatStartWithTheSameGoOn() throws Exception {
        assertThat(meet(7, 7)).containsExactly("met", "met");
    }

    @Test
    void processesThatStartWithDifferentPlacementsAreRefusedByName() throws Exception {
        List<String> told = meet(7, 8);

        assertThat(told.get(0)).contains("process 1 of incarnation 3 starts with another placement than process 0");
        assertThat(told.get(1)).contains("process 0 of incarnation 3 starts with another placement than process 1");
    }

    /** What each process says. */
    private List<String> meet(long... starts) throws Exception {
        Path secret = Files.writeString(directory.resolve("secret"), "0123456789abcdef0123456789abcdef");
        Meeting meeting = new Meeting.ByAddress("127.0.0.1", freePort(), secret);
        try (Lifecycle lifecycle = new Lifecycle()) {
            List<CompletableFuture<String>> processes = IntStream.range(0, starts.length)
                    .mapToObj(process -> CompletableFuture.supplyAsync(
                            () -> meet(
                                    new ProcessGroup(meeting, 3, starts.length, process), starts[process], lifecycle),
                            task -> new Thread(task).start()))
                    .toList();
            CompletableFuture.allOf(processes.toArray(CompletableFuture[]::new)).get(60, TimeUnit.SECONDS);
            return processes.stream().map(CompletableFuture::join).toList();
        }
    }

    private static String meet(ProcessGroup group, long start, Lifecycle lifecycle) {
        try {
            Rendezvous.of(group, start, lifecycle);
            return "met";
        } catch (IllegalStateException | InterruptedException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return Math.min(socket.getLocalPort(), 65_534);
        }
    }
}
