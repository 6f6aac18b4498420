package dev.plimsoll.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.plimsoll.model.Deadlines;
import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.EngineTraits;
import dev.plimsoll.model.GatherMode;
import dev.plimsoll.model.LoadKind;
import dev.plimsoll.model.Membership;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Phase;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.ReplicaShare;
import dev.plimsoll.model.Topology;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An engine in Python writes its membership without us; what it wrote is what we would have. */
class PythonMembershipTest {
    @TempDir
    private Path directory;

    @Test
    void whatPythonHasWrittenIsReadAsTheSameMembershipOfTodaysSchema() throws Exception {
        python(
                "from plimsoll_engine.membership import Membership",
                "Membership(deployment='prod/decode', incarnation=1764480000000, model='m', experts=3, top_k=2, layer_ids=[1, 3],",
                "    node_of_rank=[0, 1], slots_per_rank=2, engine='vllm 0.32.0', phase='decode', gather='host', boundary_steps=4,",
                "    window_steps=1024, expert_bytes=44 << 20, moves_weights=True, load='routed-to', share='by-source',",
                "    progress_boundaries=354, placement=[[0, 1, 2, 0], [2, 2, 1, 0]]).write(" + "'" + directory + "')");

        Membership expected = new Membership(
                new Deployment("prod/decode"),
                1764480000000L,
                new ModelShape("m", 3, 2, List.of(1, 3)),
                new Topology(List.of(0, 1), 2),
                "vllm 0.32.0",
                Phase.DECODE,
                GatherMode.HOST,
                4,
                1024,
                44L << 20,
                44L << 20,
                new EngineTraits(
                        false,
                        true,
                        LoadKind.ROUTED_TO,
                        ReplicaShare.BY_SOURCE,
                        new Deadlines(Deadlines.DEFAULT.accept(), 354)),
                Optional.of(Placement.of(0, new int[][] {{0, 1, 2, 0}, {2, 2, 1, 0}})));
        MembershipFile file = new MembershipFile(directory);
        assertThat(file.read()).contains(expected);
        assertThat(expected.startable()).isEqualTo(expected);
        assertThat(schema(Files.readAllBytes(file.path())))
                .as("the schema that a membership is written with today: _ID in membership.py")
                .isEqualTo(schema(Topic.MEMBERS.encode(expected)));
    }

    @Test
    void pythonCountsOnFromWhatWeHaveWritten() throws Exception {
        Membership ours = new Membership(
                new Deployment("toy"),
                4_102_444_800_000L,
                ModelShape.of("m", 4, 1, 0, 1),
                Topology.even(2, 1, 2),
                "test",
                Phase.ALL,
                GatherMode.NONE,
                1,
                1,
                1,
                1);
        new MembershipFile(directory).write(ours);

        String next = python(
                "from plimsoll_engine.membership import next_incarnation",
                "print(next_incarnation('" + directory + "'))");

        assertThat(next.strip()).isEqualTo("4102444800001");
    }

    private static byte[] schema(byte[] record) {
        return Arrays.copyOf(record, 5);
    }

    private String python(String... lines) throws Exception {
        Path output = directory.resolve("python.out");
        ProcessBuilder builder = new ProcessBuilder("python3", "-B", "-c", String.join("\n", lines))
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("PYTHONPATH", "../python");
        try {
            Process process = builder.start();
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(Files.readString(output)).isZero();
        } catch (IOException e) {
            System.out.println("NOTICE: what Python writes is not read: there is no python3");
            assumeTrue(false, "no python3");
        }
        return Files.readString(output);
    }
}
