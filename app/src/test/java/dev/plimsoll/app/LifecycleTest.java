package dev.plimsoll.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class LifecycleTest {
    private final Lifecycle lifecycle = new Lifecycle();
    private final List<String> closed = new ArrayList<>();

    @Test
    void partsAreClosedLastFirst() throws Exception {
        lifecycle.start("first", () -> part("first"));
        lifecycle.start("second", () -> part("second"));

        lifecycle.close();

        assertThat(closed).containsExactly("second", "first");
    }

    @Test
    void nothingStartsAfterAStopWasRequested() {
        lifecycle.requestStop();
        AtomicBoolean began = new AtomicBoolean();

        assertThatThrownBy(() -> lifecycle.start("late", () -> {
                    began.set(true);
                    return part("late");
                }))
                .isInstanceOf(Lifecycle.Stopped.class);

        assertThat(began).isFalse();
    }

    @Test
    void partThatComesUpWhileStoppingIsClosedWithTheOthers() throws Exception {
        CountDownLatch starting = new CountDownLatch(1);
        CompletableFuture<Void> start = CompletableFuture.runAsync(() -> {
            try {
                lifecycle.start("broker", () -> {
                    starting.countDown();
                    lifecycle.await(Duration.ofSeconds(20)); // comes up only when the stop is there
                    return part("broker");
                });
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        starting.await();

        lifecycle.requestStop();

        assertThatThrownBy(start::join).hasRootCauseInstanceOf(Lifecycle.Stopped.class);
        lifecycle.close();
        assertThat(closed).containsExactly("broker");
    }

    @Test
    void stopInterruptsAQuestionThatWouldBeWaitedForForEver() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch never = new CountDownLatch(1);
        CompletableFuture<Void> question = CompletableFuture.runAsync(() -> {
            try {
                lifecycle.ask("topics", () -> {
                    asked.countDown();
                    never.await();
                    return 1;
                });
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        asked.await();

        lifecycle.requestStop();

        assertThatThrownBy(question::join).hasRootCauseInstanceOf(Lifecycle.Stopped.class);
    }

    @Test
    void whatFailsWithoutAStopIsToldAsItWas() {
        IOException full = new IOException("no space left");

        assertThatThrownBy(() -> lifecycle.start("broker", () -> {
                    throw full;
                }))
                .isSameAs(full);
        assertThatThrownBy(() -> lifecycle.ask("topics", () -> {
                    throw new LinkageError("wrong jar");
                }))
                .isInstanceOf(LinkageError.class);
    }

    @Test
    void whatFailsBecauseOfTheStopIsNoFailure() {
        assertThatThrownBy(() -> lifecycle.start("loop", () -> {
                    lifecycle.requestStop();
                    throw new IOException("interrupted");
                }))
                .isInstanceOf(Lifecycle.Stopped.class)
                .satisfies(stopped -> assertThat(stopped.getStackTrace()).isEmpty());
    }

    @Test
    void stopOfTheProcessStopsWhatIsWithinIt() {
        Lifecycle within = lifecycle.within();

        lifecycle.requestStop();

        assertThatThrownBy(within::proceed).isInstanceOf(Lifecycle.Stopped.class);
    }

    @Test
    void directoryIsKnownBeforeItIsThereAndRemovedWithAllThatIsInIt(@TempDir Path parent) throws IOException {
        SharedDirectory planned = lifecycle.started("data", SharedDirectory.planned(parent, "plimsoll-test-"));
        assertThat(planned.path()).doesNotExist();
        lifecycle.close(); // not made yet: nothing to remove

        planned = lifecycle.started("data", SharedDirectory.planned(parent, "plimsoll-test-"));
        Files.createDirectories(planned.make().path().resolve("a/b"));
        Files.writeString(planned.path().resolve("a/b/c"), "x");
        lifecycle.close();

        assertThat(planned.path()).doesNotExist();
    }

    @Test
    void directoryIsRemovedWhileSomebodyStillWritesInIt(@TempDir Path parent) throws Exception {
        SharedDirectory directory =
                SharedDirectory.planned(parent, "plimsoll-test-").make();
        AtomicBoolean gone = new AtomicBoolean();
        Thread writer = new Thread(() -> {
            for (int i = 0; !gone.get(); i++) {
                try {
                    Files.writeString(directory.path().resolve("file" + i % 50), "x");
                } catch (IOException e) {
                    gone.set(true); // the directory is not there any more
                }
            }
        });
        writer.start();

        directory.close();

        writer.join();
        assertThat(directory.path()).doesNotExist();
    }

    private AutoCloseable part(String name) {
        return () -> closed.add(name);
    }
}
