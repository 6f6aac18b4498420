package dev.plimsoll.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ranks of several machines: the same rings and transfers, over TCP. */
@Timeout(60)
class TcpGroupTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int LAYERS = 3;
    private static final int SLOTS = 4;
    private static final int BYTES = 1 << 16;

    @TempDir
    Path directory;

    private final List<AutoCloseable> open = new ArrayList<>();
    private final Device device = keep(Device.open("host"));

    private <T extends AutoCloseable> T keep(T closeable) {
        open.add(0, closeable);
        return closeable;
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable closeable : open) {
            closeable.close();
        }
    }

    private Path secret(String text) throws IOException {
        return Files.writeString(directory.resolve("secret-" + text.hashCode()), text);
    }

    private static String freeAddress() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return "127.0.0.1:" + socket.getLocalPort();
        }
    }

    private Communicator member(String address, Path secret, int rank, Duration timeout) {
        return keep(Communicator.overTcp(
                device, address, secret, 1, 2, rank, 32 + 8L * LAYERS * (SLOTS + 1), 4L * BYTES, timeout));
    }

    @Test
    void ringsGatherAndVoteAndWeightsMove() throws Exception {
        String address = freeAddress();
        Path secret = secret("a secret that all ranks share");
        List<HeatCapture> rings = new ArrayList<>();
        List<Stream> streams = new ArrayList<>();
        List<Communicator> members = new ArrayList<>();
        List<DeviceMemory> loads = new ArrayList<>();
        for (int rank = 0; rank < 2; rank++) {
            streams.add(keep(device.stream("compute-" + rank)));
            loads.add(keep(device.allocate(8L * LAYERS * SLOTS)));
            DeviceMemory routed = keep(device.allocate(8L * LAYERS));
            members.add(member(address, secret, rank, PATIENCE));
            rings.add(keep(HeatCapture.open(
                    device,
                    members.get(rank),
                    new HeatCapture.Options(
                            Optional.of(directory.resolve("ring-" + rank)),
                            "tcp/decode-0",
                            7,
                            rank,
                            2,
                            LAYERS,
                            SLOTS,
                            16,
                            loads.get(rank).address(),
                            routed.address()))));
        }
        HeatRing reader = keep(HeatRing.open(directory.resolve("ring-1")));
        Vote ready = new Vote(7, 0, 0, 3, 1, 2, 9);
        for (int b = 0; b < 20; b++) {
            for (int rank = 0; rank < 2; rank++) {
                ByteBuffer counters = loads.get(rank).buffer();
                long count = 10L * b + rank;
                streams.get(rank).launch(() -> counters.putLong(0, count));
                Verdict verdict = rings.get(rank).begin(streams.get(rank), 16L * b, PATIENCE);
                if (b > 0) {
                    assertThat(verdict).isEqualTo(new Verdict(Verdict.Outcome.RESOLVED, 3, 1, 2));
                }
                rings.get(rank).end(ready);
            }
        }
        List<HeatRing.Snapshot> read = Group.readUntil(reader, 16L * 19);
        HeatRing.Snapshot last = read.get(read.size() - 1);
        assertThat(last.load()[0]).isEqualTo(190);
        assertThat(last.load()[LAYERS * SLOTS]).isEqualTo(191);

        DeviceMemory source = keep(device.allocate(BYTES));
        DeviceMemory target = keep(device.allocate(BYTES));
        for (int i = 0; i < BYTES; i += 8) {
            source.buffer().putLong(i, i * 31L);
        }
        Transfer receive = keep(members.get(1).transfer(1));
        receive.receive(0, target.address(), BYTES, 0);
        receive.submit(streams.get(1));
        Transfer send = keep(members.get(0).transfer(1));
        send.send(1, source.address(), BYTES, 0);
        send.submit(streams.get(0));
        assertThat(ended(receive)).isEqualTo(Transfer.Status.DONE);
        assertThat(ended(send)).isEqualTo(Transfer.Status.DONE);
        assertThat(target.buffer()).isEqualTo(source.buffer());
    }

    private static Transfer.Status ended(Transfer transfer) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (transfer.poll() == Transfer.Status.PENDING && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        return transfer.poll();
    }

    @Test
    void aMemberWithAnotherSecretIsNotLetIn() throws Exception {
        String address = freeAddress();
        Communicator first = member(address, secret("a secret that all ranks share"), 0, Duration.ofSeconds(1));
        Communicator stranger = member(address, secret("another one, as long as that"), 1, Duration.ofSeconds(1));
        ByteBuffer out = ByteBuffer.allocateDirect(16);
        assertThatThrownBy(() -> stranger.allGather(ByteBuffer.allocateDirect(8), out, Duration.ofSeconds(2)))
                .isInstanceOf(DeviceException.class);
        assertThatThrownBy(() -> first.allGather(ByteBuffer.allocateDirect(8), out, Duration.ofMillis(200)))
                .isInstanceOf(DeviceException.class);
    }

    @Test
    void aSecretThatIsTooShortIsRefusedAtOnce() throws Exception {
        Path secret = secret("short");
        assertThatThrownBy(() -> member("127.0.0.1:1", secret, 1, PATIENCE))
                .hasMessageContaining("16")
                .hasMessageContaining(secret.toString());
    }
}
