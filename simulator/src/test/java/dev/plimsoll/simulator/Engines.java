package dev.plimsoll.simulator;

import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.Placement;
import dev.plimsoll.model.RankId;
import dev.plimsoll.model.Topology;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** A small engine for tests: 3 layers, 8 experts, top-2, 4 ranks with 3 slots (experts 0 to 3 have two replicas). */
final class Engines {
    static final ModelPreset TINY = new ModelPreset(ModelShape.of("tiny", 8, 2, 0, 3), 0.5, 1.0, 1);
    static final Topology TOPOLOGY = Topology.even(4, 2, 3);
    static final Placement INITIAL = Placement.initial(TINY.shape(), TOPOLOGY);
    static final int TOKENS = 10;
    static final int BYTES = 256;
    static final int K = 4;

    private Engines() {}

    static EngineSettings settings() {
        return new EngineSettings(
                TINY.shape(), TOPOLOGY, 0, TOPOLOGY.ranks(), TOKENS, 0, BYTES, K, Duration.ofSeconds(5));
    }

    static Traffic traffic() {
        return new GeneratedTraffic(TINY, TOKENS, 1);
    }

    static Engine engine(Hardware hardware) {
        return engine(hardware, EngineListener.NONE);
    }

    static Engine engine(Hardware hardware, EngineListener listener) {
        EngineSettings settings = settings();
        return new Engine(hardware, settings, INITIAL, traffic(), listener, AssignmentExchange.alone(settings));
    }

    /** One of several processes, with its own block of ranks. */
    static Engine member(Exchange exchange, int firstRank, int ranks, int process, Traffic traffic) {
        return member(exchange, firstRank, ranks, process, traffic, false);
    }

    /** The same, which may go on when the other process is lost. */
    static Engine member(Exchange exchange, int firstRank, int ranks, int process, Traffic traffic, boolean survives) {
        EngineSettings settings = settings().withRanks(firstRank, ranks);
        return new Engine(
                new FakeHardware(),
                settings,
                INITIAL,
                traffic,
                EngineListener.NONE,
                AssignmentExchange.among(exchange, settings, 2, process, survives));
    }

    static SimulatedRank rank(Engine engine, int rank) {
        return engine.rank(new RankId(rank));
    }

    static Ending join(CompletableFuture<Ending> ending) {
        return ending.orTimeout(30, java.util.concurrent.TimeUnit.SECONDS).join();
    }
}
