package dev.plimsoll.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TransferTest {
    private static final int BYTES = 3 * 1024 * 1024 + 40;
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    private final Device device = Device.open("host");
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void closeAll() throws Exception {
        for (int i = opened.size() - 1; i >= 0; i--) {
            opened.get(i).close();
        }
        device.close();
    }

    private <T extends AutoCloseable> T keep(T thing) {
        opened.add(thing);
        return thing;
    }

    private Communicator member(int rank, int size, Duration timeout) {
        return keep(
                Communicator.open(device, directory.resolve("segment"), 1, size, rank, 64, 4L * BYTES + 64, timeout));
    }

    private DeviceMemory weights(long seed) {
        DeviceMemory memory = keep(device.allocate(BYTES));
        LongBuffer words = memory.buffer().asLongBuffer();
        for (int i = 0; i < words.capacity(); i++) {
            words.put(i, seed * 0x9e3779b97f4a7c15L + i);
        }
        return memory;
    }

    private static Transfer.Status await(Transfer transfer) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (transfer.poll() == Transfer.Status.PENDING && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        return transfer.poll();
    }

    @Test
    void expertsArriveVerifiedAtEveryMember() {
        int size = 3;
        List<Transfer> transfers = new ArrayList<>();
        List<DeviceMemory> received = new ArrayList<>();
        for (int rank = 0; rank < size; rank++) {
            Stream stream = keep(device.stream("s" + rank));
            Transfer transfer = keep(member(rank, size, PATIENCE).transfer(42));
            DeviceMemory source = weights(rank);
            for (int step = 0; step < size; step++) {
                // Everybody sends to everybody, itself included; the tag is the sender's distance.
                int to = (rank + step) % size;
                int from = (rank + size - step) % size;
                transfer.send(to, source.address(), BYTES, step);
                DeviceMemory room = keep(device.allocate(BYTES));
                received.add(room);
                transfer.receive(from, room.address(), BYTES, step);
            }
            transfer.submit(stream);
            transfers.add(transfer);
        }
        for (Transfer transfer : transfers) {
            assertThat(await(transfer)).as(transfer.failure()).isEqualTo(Transfer.Status.DONE);
        }
        for (int rank = 0; rank < size; rank++) {
            for (int step = 0; step < size; step++) {
                int from = (rank + size - step) % size;
                assertThat(received.get(rank * size + step).buffer())
                        .isEqualTo(weights(from).buffer());
            }
        }
    }

    @Test
    void sourceIsReadAfterItsStreamAndJoinIsRefusedUntilItsEnd() {
        Stream writer = keep(device.stream("writer"));
        Stream compute = keep(device.stream("compute"));
        Communicator first = member(0, 2, PATIENCE);
        Communicator second = member(1, 2, PATIENCE);
        DeviceMemory source = keep(device.allocate(BYTES));
        DeviceMemory target = keep(device.allocate(BYTES));
        DeviceMemory copy = keep(device.allocate(BYTES));
        CountDownLatch latch = new CountDownLatch(1);
        writer.launch(() -> awaited(latch));
        DeviceMemory late = weights(7);
        writer.copy(source.address(), late.address(), BYTES);
        Transfer send = keep(first.transfer(1));
        send.send(1, source.address(), BYTES, 0);
        send.submit(writer);
        Transfer receive = keep(second.transfer(1));
        receive.receive(0, target.address(), BYTES, 0);
        receive.submit(compute);
        assertThatThrownBy(() -> receive.join(compute)).hasMessageContaining("still under way");
        latch.countDown();
        assertThat(await(receive)).isEqualTo(Transfer.Status.DONE);
        receive.join(compute);
        compute.copy(copy.address(), target.address(), BYTES);
        compute.synchronize(PATIENCE);
        assertThat(copy.buffer()).isEqualTo(late.buffer());
        assertThat(await(send)).isEqualTo(Transfer.Status.DONE);
    }

    @Test
    void corruptedBytesFailTheReceiver() throws Exception {
        Stream sending = keep(device.stream("sending"));
        Stream receiving = keep(device.stream("receiving"));
        Communicator first = member(0, 2, PATIENCE);
        Communicator second = member(1, 2, PATIENCE);
        CountDownLatch latch = new CountDownLatch(1);
        receiving.launch(() -> awaited(latch));
        DeviceMemory source = weights(3);
        DeviceMemory target = keep(device.allocate(BYTES));
        Transfer receive = keep(second.transfer(1));
        receive.receive(0, target.address(), BYTES, 2);
        receive.submit(receiving);
        Transfer send = keep(first.transfer(1));
        send.send(1, source.address(), BYTES, 2);
        send.submit(sending);
        assertThat(await(send)).isEqualTo(Transfer.Status.DONE);
        // The receiver has granted its room but not yet read it: one bit of what lies there flips.
        flipOneBit(directory.resolve("segment"), source.buffer());
        latch.countDown();
        assertThat(await(receive)).isEqualTo(Transfer.Status.FAILED);
        assertThat(receive.failure()).contains("tag 2", "member 0", "wrong checksum");
    }

    private static void flipOneBit(Path segment, ByteBuffer payload) throws IOException {
        try (FileChannel file = FileChannel.open(segment, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer map = file.map(FileChannel.MapMode.READ_WRITE, 0, file.size());
            ByteBuffer head = payload.duplicate().position(0).limit(64);
            for (int at = 0; at + 64 <= map.capacity(); at += 8) {
                if (map.get(at) == head.get(0)
                        && map.duplicate().position(at).limit(at + 64).equals(head)) {
                    map.put(at + 1_000_000, (byte) (map.get(at + 1_000_000) ^ 4));
                    return;
                }
            }
            throw new AssertionError("the payload is not in the segment");
        }
    }

    @Test
    void aMissingPeerFailsBothDirectionsByTimeout() {
        Stream stream = keep(device.stream("s"));
        Communicator alone = member(0, 2, Duration.ofMillis(200));
        DeviceMemory memory = weights(1);
        Transfer send = keep(alone.transfer(1));
        send.send(1, memory.address(), BYTES, 0);
        send.submit(stream);
        assertThat(await(send)).isEqualTo(Transfer.Status.FAILED);
        assertThat(send.failure()).contains("send to member 1", "tag 0", "no room was granted within");
        Transfer receive = keep(alone.transfer(2));
        receive.receive(1, memory.address(), BYTES, 0);
        receive.submit(stream);
        assertThat(await(receive)).isEqualTo(Transfer.Status.FAILED);
        assertThat(receive.failure()).contains("receive from member 1", "nothing arrived within");
    }

    @Test
    void anExchangeAfterAFailedOneIsNotSpoiledByLateSenders() {
        Stream stream = keep(device.stream("s"));
        Communicator first = member(0, 2, Duration.ofMillis(150));
        Communicator second = member(1, 2, Duration.ofSeconds(5));
        DeviceMemory old = weights(1);
        DeviceMemory fresh = weights(2);
        DeviceMemory target = keep(device.allocate(BYTES));
        Transfer given = keep(first.transfer(1));
        given.receive(1, target.address(), BYTES, 0);
        given.submit(stream);
        assertThat(await(given)).isEqualTo(Transfer.Status.FAILED);
        // The peer comes late with the old exchange; it must not write into a room that was taken back.
        Transfer late = second.transfer(1);
        late.send(0, old.address(), BYTES, 0);
        late.submit(stream);
        assertThat(late.poll()).isEqualTo(Transfer.Status.PENDING);
        late.close();
        Transfer next = keep(first.transfer(2));
        next.receive(1, target.address(), BYTES, 0);
        next.submit(stream);
        Transfer sent = keep(second.transfer(2));
        sent.send(0, fresh.address(), BYTES, 0);
        sent.submit(stream);
        assertThat(await(next)).as(next.failure()).isEqualTo(Transfer.Status.DONE);
        assertThat(target.buffer()).isEqualTo(fresh.buffer());
    }

    @Test
    void closeCancelsAndLetsGoOfTheAddresses() {
        Stream stream = keep(device.stream("s"));
        Communicator alone = member(0, 2, Duration.ofSeconds(30));
        DeviceMemory memory = device.allocate(BYTES);
        Transfer transfer = alone.transfer(1);
        transfer.receive(1, memory.address(), BYTES, 0);
        transfer.submit(stream);
        long start = System.nanoTime();
        transfer.close();
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(3));
        memory.close();
    }

    @Test
    void whatCannotFitOrMatchIsRefusedWhenAdded() {
        Stream stream = keep(device.stream("s"));
        Communicator alone = member(0, 2, PATIENCE);
        Transfer transfer = keep(alone.transfer(1));
        DeviceMemory memory = weights(1);
        assertThatThrownBy(() -> transfer.receive(1, memory.address(), BYTES, 4))
                .hasMessageContaining("behind the staging memory");
        assertThatThrownBy(() -> transfer.receive(2, memory.address(), BYTES, 0))
                .hasMessageContaining("peer 2 of 2");
        transfer.receive(1, memory.address(), BYTES, 0);
        assertThatThrownBy(() -> transfer.receive(1, memory.address(), BYTES - 8, 1))
                .hasMessageContaining("one size");
        assertThatThrownBy(() -> transfer.receive(1, memory.address(), BYTES, 0))
                .hasMessageContaining("used twice");
        transfer.send(0, memory.address(), BYTES, 3);
        assertThatThrownBy(() -> transfer.submit(stream)).hasMessageContaining("only one end");
        assertThatThrownBy(transfer::poll).isInstanceOf(DeviceException.class).hasMessageContaining("before submit");
    }

    private static void awaited(CountDownLatch latch) {
        try {
            if (!latch.await(20, TimeUnit.SECONDS)) {
                throw new AssertionError("nobody opened the latch");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
