package dev.plimsoll.wire.life;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * What must hold of a partition's life, whatever happens to it: does what a machine says with counted writers and tasks, and checks
 * each step against rules that are put down here once more.
 */
final class LifeOracle {
    /** The machine under test, which may be wrong on purpose. */
    interface Machine {
        Step on(PartitionLife life, Event event);
    }

    private static final int MOST_PLACES = 100;

    private enum Wait {
        NONE,
        SHORT,
        LONG
    }

    private final Machine machine;
    private PartitionLife life = PartitionLife.assigned();
    private boolean takingOver;
    private boolean task;
    private boolean reading;
    private boolean writer;
    private boolean wroteOrWillWrite;
    private Wait wait = Wait.NONE;
    private final Map<Place, Integer> crashes = new HashMap<>();

    private LifeOracle(Machine machine) {
        this.machine = machine;
    }

    /** Lives as many lives as there are seeds; throws an AssertionError that names the seed of one in which a rule was broken. */
    static void check(Machine machine, int lives, int eventsEach) {
        for (int seed = 0; seed < lives; seed++) {
            Random random = new Random(seed);
            LifeOracle oracle = new LifeOracle(machine);
            boolean hostile = seed % 50 == 0;
            // Four events bring one crash.
            int events = hostile ? 10 * eventsEach : eventsEach;
            for (int i = 0; i < events; i++) {
                Event event = oracle.random(random, hostile);
                try {
                    oracle.happens(event);
                } catch (AssertionError e) {
                    throw new AssertionError("seed " + seed + ", event " + i + " " + event, e);
                }
            }
        }
    }

    /** Mostly what brings a partition on, so that all phases are visited; now and then what makes no sense. In a hostile life every
     * record crashes. */
    private Event random(Random random, boolean hostile) {
        if (random.nextInt(3) > 0) {
            return switch (life.phase()) {
                case ASSIGNED, WAITING, QUARANTINED -> new Event.Due();
                case FENCING -> new Event.TakenOver(random.nextBoolean());
                case RECOVERING -> new Event.Recovered();
                case RUNNING ->
                    hostile ? new Event.Crashed(new Place("input", random.nextInt(1_000_000)), false) : running(random);
            };
        }
        return switch (random.nextInt(hostile ? 6 : 8)) {
            case 0 -> new Event.Due();
            case 1 -> new Event.TakenOver(random.nextBoolean());
            case 2 -> new Event.Recovered();
            case 3 -> new Event.LogChanged();
            case 4 -> new Event.WriterWanted();
            case 5 -> new Event.Failed(Event.Remedy.values()[random.nextInt(3)]);
            default -> running(random);
        };
    }

    private static Event running(Random random) {
        String topic = random.nextInt(4) == 0 ? "companion" : "input";
        long offset = random.nextInt(4);
        return new Event.Crashed(new Place(topic, offset), random.nextInt(3) == 0);
    }

    private void happens(Event event) {
        PartitionLife before = life;
        boolean hadTask = task;
        boolean hadWriter = writer;
        boolean wasTakingOver = takingOver;
        if (event instanceof Event.TakenOver taken && takingOver) {
            takingOver = false;
            writer = taken.writer();
        } else if (event instanceof Event.WriterWanted && reading && !writer) {
            wroteOrWillWrite = true;
        } else if (event instanceof Event.Crashed crash && task) {
            crashes.merge(crash.at(), 1, Integer::sum);
        }
        Step step = machine.on(before, event);
        life = step.next();
        Set<Effect> done = EnumSet.noneOf(Effect.class);
        for (Effect effect : step.effects()) {
            assertThat(done.add(effect)).as("%s once", effect).isTrue();
            perform(effect);
        }
        checkResources();
        checkDecision(before, event, step.effects(), hadTask, hadWriter, wasTakingOver);
        checkCrashes();
    }

    private void perform(Effect effect) {
        switch (effect) {
            case TAKE_OVER -> {
                assertThat(task || writer || takingOver)
                        .as("all is given back before it is taken over")
                        .isFalse();
                assertThat(life.mustFence())
                        .as("whoever has written has to be fenced")
                        .isEqualTo(wroteOrWillWrite);
                takingOver = true;
                wait = Wait.NONE;
            }
            case RECOVER -> {
                assertThat(task || takingOver).as("one task, after the fence").isFalse();
                task = true;
            }
            case RUN -> {
                assertThat(task).as("a task that has recovered").isTrue();
                reading = true;
            }
            case DROP -> {
                wroteOrWillWrite |= writer;
                takingOver = false;
                task = false;
                reading = false;
                writer = false;
            }
            case DISCARD, TELL_RESET, TELL_QUARANTINED -> {}
            case WAIT -> wait = Wait.SHORT;
            case WAIT_LONG -> wait = Wait.LONG;
        }
    }

    /** The phase says what there is. */
    private void checkResources() {
        assertThat(takingOver).as("fencing").isEqualTo(life.phase() == Phase.FENCING);
        assertThat(task && !reading).as("recovering").isEqualTo(life.phase() == Phase.RECOVERING);
        assertThat(reading).as("running").isEqualTo(life.phase() == Phase.RUNNING);
        assertThat(wait)
                .as("waiting")
                .isEqualTo(
                        switch (life.phase()) {
                            case WAITING -> Wait.SHORT;
                            case QUARANTINED -> Wait.LONG;
                            case ASSIGNED, FENCING, RECOVERING, RUNNING -> Wait.NONE;
                        });
        assertThat(life.writer()).as("writer").isEqualTo(writer);
        assertThat(writer && !task).as("a writer without a task").isFalse();
    }

    private void checkDecision(
            PartitionLife before,
            Event event,
            List<Effect> effects,
            boolean hadTask,
            boolean hadWriter,
            boolean wasTakingOver) {
        Phase phase = before.phase();
        if (event instanceof Event.Due) {
            boolean mayBegin = phase == Phase.ASSIGNED || phase == Phase.WAITING || phase == Phase.QUARANTINED;
            assertThat(life.phase()).isEqualTo(mayBegin ? Phase.FENCING : phase);
        } else if (event instanceof Event.TakenOver) {
            assertThat(life.phase()).isEqualTo(wasTakingOver ? Phase.RECOVERING : phase);
            assertThat(effects).isEqualTo(List.of(wasTakingOver ? Effect.RECOVER : Effect.DISCARD));
        } else if (event instanceof Event.Recovered) {
            assertThat(life.phase()).isEqualTo(phase == Phase.RECOVERING ? Phase.RUNNING : phase);
        } else if (event instanceof Event.WriterWanted) {
            assertThat(life.phase()).isEqualTo(phase == Phase.RUNNING && !hadWriter ? Phase.ASSIGNED : phase);
        } else if (event instanceof Event.LogChanged) {
            assertThat(life.phase()).isEqualTo(hadTask ? Phase.ASSIGNED : phase);
            assertThat(effects.contains(Effect.TELL_RESET)).isEqualTo(hadTask);
        } else if (event instanceof Event.Crashed crash) {
            boolean spared = crashes.getOrDefault(crash.at(), 0) >= 3;
            assertThat(life.phase())
                    .isEqualTo(!hadTask ? phase : crash.broken() && !spared ? Phase.QUARANTINED : Phase.WAITING);
        } else if (event instanceof Event.Failed failed) {
            boolean something = hadTask || wasTakingOver;
            boolean leftAlone = failed.remedy() == Event.Remedy.QUARANTINE;
            assertThat(life.phase()).isEqualTo(!something ? phase : leftAlone ? Phase.QUARANTINED : Phase.WAITING);
            assertThat(effects.contains(Effect.TELL_QUARANTINED)).isEqualTo(something && leftAlone);
            boolean reset = phase == Phase.RUNNING || failed.remedy() == Event.Remedy.RESET;
            assertThat(effects.contains(Effect.TELL_RESET)).isEqualTo(something && !leftAlone && reset);
        }
    }

    private void checkCrashes() {
        assertThat(life.crashes().size()).as("bounded").isLessThanOrEqualTo(MOST_PLACES);
        if (crashes.size() > MOST_PLACES) {
            // Something had to be forgotten; what is remembered is still right.
            crashes.keySet().retainAll(life.crashes().keySet());
        }
        assertThat(life.crashes()).isEqualTo(crashes);
        crashes.forEach((place, times) ->
                assertThat(life.leavesOut(place)).as("%s", place).isEqualTo(times >= 3));
    }
}
