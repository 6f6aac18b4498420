package dev.plimsoll.simulator;

import static dev.plimsoll.simulator.Engines.rank;
import static org.assertj.core.api.Assertions.assertThat;

import dev.plimsoll.device.BoundaryHook;
import dev.plimsoll.model.RankId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Moves of weights that the engine makes by itself, layer by layer. */
class OwnMoveTest {
    private static final int LAYERS = 3;
    private static final int SLOTS = 12;
    private static final int EXPERTS = 8;
    /** Slots in reverse: nearly every slot gets another expert, and is the source of another. */
    private static final int[] TARGET = IntStream.range(0, LAYERS * SLOTS)
            .map(i -> (SLOTS - 1 - i % SLOTS) % EXPERTS)
            .toArray();

    private final FakeHardware hardware = new FakeHardware();
    private final Engine engine = Engines.engine(hardware);

    @AfterEach
    void everythingIsClosed() {
        engine.close();
        assertThat(hardware.open()).isZero();
    }

    @Test
    void everyTokenMeetsItsExpertWhileLayersFlipOneByOne() {
        List<int[]> maps = new ArrayList<>();
        orderAt(Engines.K, TARGET, 0, 1, 2, 3);
        for (int r = 0; r < 4; r++) {
            SimulatedRank rank = rank(engine, r);
            hookAfter(r, step -> rank.moved().ifPresent(maps::add));
        }

        engine.run(Engines.K + 2);
        assertThat(layersAt(TARGET)).as("a layer a step").isEqualTo(2);
        engine.run(4 * Engines.K);

        assertThat(engine.totals().misrouted()).isZero();
        assertThat(layersAt(TARGET)).isEqualTo(LAYERS);
        assertThat(maps).hasSize(4).allSatisfy(map -> assertThat(map).isEqualTo(TARGET));
        assertThat(rank(engine, 0).moved()).as("is told once").isEmpty();
    }

    @Test
    void nothingMovesBeforeAllRanksWereOrderedTo() {
        orderAt(Engines.K, TARGET, 0, 1, 3);
        engine.run(3 * Engines.K);
        assertThat(layersAt(TARGET)).isZero();

        orderAt(4 * Engines.K, TARGET, 2);
        engine.run(6 * Engines.K);

        assertThat(layersAt(TARGET)).isEqualTo(LAYERS);
        assertThat(engine.totals().misrouted()).isZero();
    }

    @Test
    void otherMapsOnOtherRanksEndTheEngine() {
        int[] other = TARGET.clone();
        other[0] = (other[0] + 1) % EXPERTS;
        orderAt(Engines.K, TARGET, 0, 1, 2);
        orderAt(Engines.K, other, 3);

        Ending ending = engine.run(3 * Engines.K);

        assertThat(ending.reason()).isEqualTo(Ending.Reason.FAILED);
        assertThat(ending.detail()).contains("ranks 0 and 3 were ordered to move to other maps");
    }

    @Test
    void anEngineThatIsClosedHalfwayLeavesNothingBehind() {
        orderAt(Engines.K, TARGET, 0, 1, 2, 3);

        engine.run(Engines.K + 1);

        assertThat(layersAt(TARGET)).isEqualTo(1);
    }

    private interface AtBoundary {
        void at(long step);
    }

    private void orderAt(long boundary, int[] target, int... ranks) {
        for (int r : ranks) {
            SimulatedRank rank = rank(engine, r);
            hookAfter(r, step -> {
                if (step == boundary) {
                    rank.move(target);
                }
            });
        }
    }

    private final List<List<AtBoundary>> hooks = IntStream.range(0, 4)
            .mapToObj(rank -> (List<AtBoundary>) new ArrayList<AtBoundary>())
            .toList();

    private void hookAfter(int rank, AtBoundary hook) {
        hooks.get(rank).add(hook);
        engine.hook(new RankId(rank), step -> {
            hooks.get(rank).forEach(each -> each.at(step));
            return BoundaryHook.Order.GO_ON;
        });
    }

    /** Layers whose map is the target's on all ranks, the others being as they were. */
    private int layersAt(int[] target) {
        int layers = 0;
        for (int layer = 0; layer < LAYERS; layer++) {
            int[] wanted = Arrays.copyOfRange(target, layer * SLOTS, (layer + 1) * SLOTS);
            Optional<int[]> map = Optional.empty();
            for (int r = 0; r < 4; r++) {
                SimulatedRank rank = rank(engine, r);
                int at = layer;
                int[] here = IntStream.range(0, SLOTS)
                        .map(slot -> rank.expertOf(at, slot))
                        .toArray();
                map.ifPresent(other -> assertThat(here).isEqualTo(other));
                map = Optional.of(here);
            }
            layers += Arrays.equals(map.orElseThrow(), wanted) ? 1 : 0;
        }
        return layers;
    }
}
