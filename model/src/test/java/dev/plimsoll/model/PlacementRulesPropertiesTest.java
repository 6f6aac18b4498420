package dev.plimsoll.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random decisions, whole and broken in every way that we can think of; and the wrong rules that these must catch. */
class PlacementRulesPropertiesTest {
    private static final int PLANS = 2000;

    @Test
    void soundDecisionsAreAcceptedAndEveryCorruptionIsFound() {
        Map<Corruption, Integer> tried = new EnumMap<>(Corruption.class);
        for (long seed = 0; seed < PLANS; seed++) {
            run(seed, new PlacementRules()).forEach(corruption -> tried.merge(corruption, 1, Integer::sum));
        }

        assertThat(tried.keySet()).containsExactly(Corruption.values());
        assertThat(tried.values()).allMatch(times -> times > 200);
    }

    /** The corruptions that this decision was broken by. */
    private static List<Corruption> run(long seed, PlacementRules rules) {
        RandomPlan plan = RandomPlan.of(seed);
        assertThat(check(rules, plan)).as("seed %d, a sound decision", seed).isEmpty();
        Random random = RandomPlan.random(~seed);
        return Stream.of(Corruption.values())
                .filter(corruption -> {
                    Optional<RandomPlan> broken = corruption.of(plan, random);
                    broken.ifPresent(bad -> assertThat(check(rules, bad))
                            .as("seed %d, %s", seed, corruption)
                            .anyMatch(line -> line.contains(corruption.says)));
                    return broken.isPresent();
                })
                .toList();
    }

    private static List<String> check(PlacementRules rules, RandomPlan plan) {
        return rules.check(plan.propose(), plan.settled(), plan.target(), plan.members());
    }

    @Test
    void whatIsWantedIsAskedOnlyWhereItIsKnown() {
        for (long seed = 0; seed < 200; seed++) {
            RandomPlan plan = RandomPlan.of(seed);
            Corruption.LAYER_LEFT_OUT
                    .of(plan, new Random(seed))
                    .ifPresent(bad -> assertThat(PlacementRules.violations(bad.propose(), bad.settled(), bad.members()))
                            .isEmpty());
        }
    }

    private record Mutant(String name, String breaks, PlacementRules rules) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Mutant> mutants() {
        return Stream.of(
                new Mutant("allows an expert twice on a rank", "TWICE_ON_A_RANK", new PlacementRules() {
                    @Override
                    boolean isTwice(BitSet onRank, int expert) {
                        return false;
                    }
                }),
                new Mutant("does not ask for a slot for every expert", "LAST_", new PlacementRules() {
                    @Override
                    int nextUnserved(BitSet served, int from) {
                        return Integer.MAX_VALUE;
                    }
                }),
                new Mutant("does not look for the last expert", "LAST_COPY_LOST", new PlacementRules() {
                    @Override
                    int nextUnserved(BitSet served, int from) {
                        int next = served.nextClearBit(from);
                        return next == served.length() ? Integer.MAX_VALUE : next;
                    }
                }),
                new Mutant("takes a bound for an index", "OUT_OF_BOUNDS", new PlacementRules() {
                    @Override
                    boolean isBelow(int index, int bound) {
                        return index >= 0 && index <= bound;
                    }
                }),
                new Mutant("ignores the hash", "OTHER_HASH", new PlacementRules() {
                    @Override
                    boolean isPromised(long hash, long promised) {
                        return true;
                    }
                }),
                new Mutant("compares half of the hash", "OTHER_HASH", new PlacementRules() {
                    @Override
                    boolean isPromised(long hash, long promised) {
                        return (int) hash == (int) promised;
                    }
                }),
                new Mutant("does not miss a layer's moves", "LAYER_LEFT_OUT", new PlacementRules() {
                    @Override
                    boolean isWanted(int moved, int wanted) {
                        return true;
                    }
                }),
                new Mutant("believes the source", "WRONG_SOURCE", new PlacementRules() {
                    @Override
                    boolean holds(ExpertId held, Move move) {
                        return true;
                    }
                }),
                new Mutant("allows one expert too many in staging", "STAGING_ONE_SHORT", new PlacementRules() {
                    @Override
                    boolean fitsStaging(int incoming, Membership members) {
                        return incoming <= members.stagedExpertsPerRank() + 1;
                    }
                }),
                new Mutant("rounds staging up to whole experts", "STAGING_ONE_SHORT", new PlacementRules() {
                    @Override
                    boolean fitsStaging(int incoming, Membership members) {
                        return (incoming - 1) * members.bytesPerExpert() < members.stagingBytesPerRank();
                    }
                }),
                new Mutant("allows a layer in two batches", "LAYER_IN_TWO_BATCHES", new PlacementRules() {
                    @Override
                    boolean isRepeated(BitSet layersBefore, int layer) {
                        return false;
                    }
                }),
                new Mutant(
                        "reads sources as they were before the decision", "SOURCE_OVERWRITTEN", new PlacementRules() {
                            @Override
                            boolean isLost(int expertNow, Move move) {
                                return false;
                            }
                        }),
                new Mutant("does not number batches", "BATCH_OUT_OF_PLACE", new PlacementRules() {
                    @Override
                    boolean isNumber(int number, int place) {
                        return true;
                    }
                }),
                new Mutant("takes decisions on any base", "OTHER_BASE", new PlacementRules() {
                    @Override
                    boolean isBase(int basedOn, int settledVersion) {
                        return true;
                    }
                }),
                new Mutant("takes the settled epoch again", "OLD_EPOCH", new PlacementRules() {
                    @Override
                    boolean isLater(int epoch, int settledVersion) {
                        return epoch >= settledVersion;
                    }
                }),
                new Mutant("allows moves that change nothing", "MOVE_OF_WHAT_IS_THERE", new PlacementRules() {
                    @Override
                    boolean changesNothing(ExpertId held, Move move) {
                        return false;
                    }
                }),
                new Mutant("lets an idle slot serve its expert", "LAST_IN_USE_SWITCHED_OFF", new PlacementRules() {
                    @Override
                    boolean isServing(boolean idle) {
                        return true;
                    }
                }),
                new Mutant("asks every slot to be in use", "a sound decision", new PlacementRules() {
                    @Override
                    boolean isServing(boolean idle) {
                        return false;
                    }
                }),
                new Mutant("allows switches that change nothing", "SWITCH_TURNED_ROUND", new PlacementRules() {
                    @Override
                    boolean switchesNothing(boolean inUse, Switch change) {
                        return false;
                    }
                }),
                new Mutant("takes switches the wrong way round", "a sound decision", new PlacementRules() {
                    @Override
                    boolean switchesNothing(boolean inUse, Switch change) {
                        return inUse != change.inUse();
                    }
                }),
                new Mutant("leaves slots of any engine idle", "ENGINE_THAT_CANNOT", new PlacementRules() {
                    @Override
                    boolean isAllowed(Switch change, Membership members) {
                        return true;
                    }
                }),
                new Mutant("takes no slot into use", "a sound decision", new PlacementRules() {
                    @Override
                    boolean isAllowed(Switch change, Membership members) {
                        return !change.inUse();
                    }
                }),
                new Mutant("does not miss a switch", "SWITCH_LEFT_OUT", new PlacementRules() {
                    @Override
                    boolean isWantedInUse(boolean inUse, boolean wanted) {
                        return true;
                    }
                }),
                new Mutant("leaves idle slots out of the hash", "a sound decision", new PlacementRules() {
                    @Override
                    long hash(PlanCommand.Propose propose, int[][] serving, BitSet[] idle) {
                        return PlanHash.of(Placement.of(propose.epoch(), serving), propose.batches());
                    }
                }),
                new Mutant("leaves the way out of the hash", "a sound decision", new PlacementRules() {
                    @Override
                    long hash(PlanCommand.Propose propose, int[][] serving, BitSet[] idle) {
                        return Placement.of(propose.epoch(), serving, idle).hash();
                    }
                }),
                new Mutant("takes the hash of a past release too", "HASH_OF_THE_TARGET_ALONE", new PlacementRules() {
                    private long past;

                    @Override
                    long hash(PlanCommand.Propose propose, int[][] serving, BitSet[] idle) {
                        past = Placement.of(propose.epoch(), serving, idle).hash();
                        return super.hash(propose, serving, idle);
                    }

                    @Override
                    boolean isPromised(long hash, long promised) {
                        return hash == promised || past == promised;
                    }
                }),
                new Mutant(
                        "gives an engine that moves weights a way and not a map",
                        "MORE_THAN_ONE_MAP",
                        new PlacementRules() {
                            @Override
                            boolean isOneMap(PlanCommand.Propose propose) {
                                return true;
                            }
                        }),
                new Mutant("gives an engine that moves weights switches", "MORE_THAN_ONE_MAP", new PlacementRules() {
                    @Override
                    boolean isOneMap(PlanCommand.Propose propose) {
                        return propose.batches().size() == 1;
                    }
                }),
                new Mutant("gives two transfers one place in staging", "a sound decision", new PlacementRules() {
                    @Override
                    TransferLists lists(Batch batch, Topology topology) {
                        TransferLists lists = TransferLists.of(batch, topology);
                        return new TransferLists(
                                lists.sends().stream()
                                        .map(sends -> sends.stream()
                                                .map(sent -> new TransferLists.Transfer(
                                                        sent.move(), sent.from(), sent.to(), 0))
                                                .toList())
                                        .toList(),
                                lists.receives());
                    }
                }));
    }

    @Tag("mutant")
    @ParameterizedTest
    @MethodSource("mutants")
    void wrongVariantIsCaught(Mutant mutant) {
        for (long seed = 0; seed < PLANS; seed++) {
            try {
                run(seed, mutant.rules());
            } catch (AssertionError caught) {
                assertThat(caught.getMessage()).contains(mutant.breaks());
                return;
            } catch (IndexOutOfBoundsException | IllegalArgumentException thrown) {
                // Rules that throw where they should refuse.
                assertThat(mutant.breaks()).isEqualTo("OUT_OF_BOUNDS");
                return;
            }
        }
        throw new AssertionError("no decision catches the rules with a mutant that " + mutant.name());
    }
}
