package dev.plimsoll.worker.explorer;

import dev.plimsoll.device.RankEffect;
import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankWords;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.device.api.PlimsollApi;
import dev.plimsoll.model.Batch;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.worker.Fixture;
import java.util.List;
import java.util.Optional;

/** What happens to the rank in turn, and what its machine makes its agent do. */
final class RankActs {
    private static final int EVERY_BATCH = 0xff;
    private static final RankEvent NO_GATHER = RankEvent.verdict(PlimsollApi.PLM_OUTCOME_NONE, 0, 0, 0);

    private RankActs() {}

    /** The rank in turn begins its boundary: {@code outcome} where it cannot see all votes, negative where it can. */
    static void resolve(World world, int outcome) {
        boolean spansChange = world.mine(OfRank.FLUX) != 0;
        world.setMine(OfRank.FLUX, world.mine(OfRank.ENGINE) == 0 ? 0 : 1);
        if (world.get(Of.ANY_GATHER) == 0) {
            feed(world, NO_GATHER);
        } else if (outcome >= 0) {
            world.tell("does not see all votes (outcome %d)", outcome);
            feed(world, RankEvent.verdict(outcome, 0, 0, 0));
        } else {
            RankEvent verdict = world.scope.ranks.verdict(
                    world.get(0, OfRank.GATHERED), world.get(1, OfRank.GATHERED), world.get(2, OfRank.GATHERED));
            StepRules.checkPending(world, verdict);
            feed(world, verdict);
        }
        StepRules.checkMixed(world, spansChange);
    }

    static void deliver(World world, int count) {
        for (int i = 0; i < count && world.undelivered() > 0; i++) {
            int read = world.mine(OfRank.READ);
            world.setMine(OfRank.READ, read + 1);
            world.tell("hears %s", world.log().commands.get(read));
            world.log().event(world.life(), read, world.turn()).ifPresent(order -> feed(world, order));
        }
    }

    /** Whether what comes next is the end of the first decision. */
    static boolean endIsNext(World world) {
        if (world.undelivered() == 0) {
            return false;
        }
        PlanCommand next = world.log().commands.get(world.mine(OfRank.READ));
        return next instanceof PlanCommand.Settled settled && settled.epoch() == 1
                || next instanceof PlanCommand.Void ended && ended.epoch() == 1;
    }

    static void miss(World world) {
        world.tell("misses the end");
        world.use(Power.MISS_END);
        world.setMine(OfRank.READ, world.mine(OfRank.READ) + 1);
    }

    /** The end of the decision that the rank in turn has not heard of, if it asks for it. */
    static Optional<RankEvent> askedFor(World world) {
        return world.asks()
                ? world.log().again(world.life(), world.words(world.turn()).epoch(), world.turn())
                : Optional.empty();
    }

    static void tellAgain(World world, RankEvent end) {
        world.tell("asks how it ended, and is told");
        feed(world, end);
        if (world.words(world.turn()).phase() != RankPhase.SERVING) {
            throw new Violation(
                    "P10 liveness",
                    "rank " + world.turn() + " asked how a decision ended, was told and is "
                            + world.words(world.turn()));
        }
    }

    static void goDeaf(World world) {
        world.tell("goes deaf");
        world.use(Power.BREAK_MAILBOX);
        world.setMine(OfRank.DEAF, 1);
        feed(world, RankEvent.of(RankEvent.Kind.DEAF));
    }

    static void endTransfer(World world, boolean verified) {
        int exchange = world.mine(OfRank.MOVING);
        int epoch = exchange >> 8;
        int batch = exchange & EVERY_BATCH;
        world.tell("transfers of batch %d end %s", batch, verified ? "well" : "badly");
        if (!verified && world.get(Of.SOURCE_DIED) != 0) {
            world.scope.reached.add("transfers of a source that died end badly");
        }
        if (verified) {
            int[] weights = world.scope.array(world.get(Of.WEIGHTS));
            world.setMine(
                    OfRank.STAGING,
                    world.scope.array(world.scope.weights.received(batch(world, epoch, batch), world.turn(), weights)));
        } else {
            world.giveUp(exchange);
        }
        world.setMine(OfRank.MOVING, 0);
        feed(world, RankEvent.transferEnded(epoch, batch, verified));
    }

    static void freeStaging(World world) {
        world.setMine(OfRank.TOUCHED, 0);
        feed(world, RankEvent.of(RankEvent.Kind.STAGING_FREED));
    }

    /** The engine has moved its experts, or could not. */
    static void endMove(World world, int read) {
        int rank = world.turn();
        world.tell("engine has moved: map %d", read);
        if (read == PlimsollApi.PLM_MAP_TARGET) {
            int epoch = world.words(rank).epoch();
            int batch = world.words(rank).intAt(Word.MOVING);
            world.setMine(
                    OfRank.MAP,
                    world.scope.array(world.log().decision(epoch).maps().get(batch)));
            world.setFlipped(rank, epoch, batch);
        }
        int engine = world.mine(OfRank.ENGINE) & ~World.MOVES;
        world.setMine(OfRank.ENGINE, read == PlimsollApi.PLM_MAP_OTHER ? engine | World.CHANGED : engine);
        feed(world, RankEvent.moved(read));
    }

    /** The engine's own balancer begins. */
    static void beginOwnMove(World world) {
        world.tell("engine begins a move of its own");
        world.use(Power.BALANCE);
        world.setMine(OfRank.ENGINE, world.mine(OfRank.ENGINE) | World.BALANCES);
        world.setMine(OfRank.FLUX, 1);
        feed(world, RankEvent.engineBusy(true));
    }

    /** It is through, with another map than before or with the same. */
    static void endOwnMove(World world, boolean changed) {
        world.tell("engine's own move ends, map %s", changed ? "changed" : "the same");
        int engine = world.mine(OfRank.ENGINE) & ~World.BALANCES;
        world.setMine(OfRank.ENGINE, changed ? engine | World.CHANGED : engine);
        if (changed) {
            feed(world, RankEvent.of(RankEvent.Kind.CHANGED));
        }
        feed(world, RankEvent.engineBusy(false));
    }

    static void crash(World world) {
        world.tell("dies");
        world.use(Power.CRASH);
        if (isSource(world)) {
            world.set(Of.SOURCE_DIED, 1);
            world.scope.reached.add("a source dies in a transfer");
        }
        world.giveUp(world.words(world.turn()).epoch() << 8 | EVERY_BATCH);
        world.setMine(OfRank.GONE, 1);
    }

    /** Whether another rank is being sent weights by the rank in turn. */
    private static boolean isSource(World world) {
        for (int rank = 0; rank < World.RANKS; rank++) {
            int exchange = world.get(rank, OfRank.MOVING);
            if (rank != world.turn()
                    && exchange > 0
                    && world.scope.weights.sends(
                            batch(world, exchange >> 8, exchange & EVERY_BATCH), world.turn(), rank)) {
                return true;
            }
        }
        return false;
    }

    /** The engine asks whether it may load other weights, and does where it may. */
    static void askToReload(World world) {
        world.tell("engine asks whether it may load other weights");
        world.setMine(OfRank.RELOADS, 1);
        feed(world, RankEvent.reload());
        if (world.words(world.turn()).intAt(Word.RELOADING) == PlimsollApi.PLM_RELOAD_UNDER_WAY) {
            StepRules.checkReload(world);
            reload(world);
        }
    }

    /** The engine loads other weights into all slots of the rank in turn. */
    static void reload(World world) {
        int rank = world.turn();
        world.tell("engine loads other weights");
        world.scope.reached.add("reloaded while " + world.words(rank).phase());
        world.setMine(OfRank.RELOADS, 0);
        world.setMine(OfRank.GENERATION, 1);
        int[] weights = Weights.reloaded(world.scope.array(world.get(Of.WEIGHTS)), world.map(rank), rank, 1);
        world.set(Of.WEIGHTS, world.scope.array(weights));
        feed(world, RankEvent.reloaded(1));
    }

    /** The rank in turn votes, unless it has lost the group. */
    static void vote(World world, boolean arrives) {
        RankWords words = world.words(world.turn());
        boolean observes = words.intAt(Word.OBSERVES) != 0;
        if (!observes && words.phase() != RankPhase.FATAL && world.scope.ranks.joins(world.mine(OfRank.WORDS))) {
            int vote = world.scope.ranks.vote(world.mine(OfRank.WORDS));
            int level = world.scope.ranks.votes.value(vote).level();
            world.tell("votes %d%s", level, arrives ? "" : ", which reaches nobody");
            world.setMine(OfRank.CASTING, arrives ? vote : 0);
            feed(world, world.scope.ranks.casting(vote));
            StepRules.checkVote(world, level);
        }
    }

    /** The node looks at the rank in turn, and the next one has its turn; after the last one the step runs. */
    static void pass(World world, boolean looked) {
        int rank = world.turn();
        if (looked) {
            int said = world.scope.ranks.say(
                    world.mine(OfRank.SAID), world.mine(OfRank.WORDS), rank, world.life(), world.log());
            world.setMine(OfRank.SAID, world.scope.ranks.since(said, world.log().over()));
        } else {
            world.tell("is not looked at");
        }
        StepRules.checkSaid(world, rank);
        world.scope.reached.add(world.words(rank).phase().name());
        if (rank + 1 < World.RANKS) {
            world.set(Of.TURN, rank + 1);
            return;
        }
        world.set(Of.TURN, 0);
        world.set(Of.ANY_GATHER, 1);
        for (int each = 0; each < World.RANKS; each++) {
            world.set(each, OfRank.GATHERED, world.get(each, OfRank.CASTING));
            world.set(each, OfRank.CASTING, 0);
        }
        StepRules.checkStep(world);
    }

    static void feed(World world, RankEvent event) {
        int state = world.mine(OfRank.WORDS);
        RankTable.Step step = world.scope.ranks.on(state, event);
        if (step.words() != state) {
            world.setMine(OfRank.WORDS, step.words());
            RankWords before = world.scope.ranks.words.value(state);
            RankWords after = world.scope.ranks.words.value(step.words());
            StepRules.checkMonotone(before, after);
            if (after.phase() == RankPhase.FATAL && before.phase() != RankPhase.FATAL) {
                world.tell("is FATAL");
                world.setMine(OfRank.GONE, 1);
                world.giveUp(before.epoch() << 8 | EVERY_BATCH);
                StepRules.checkFatal(before, event);
            }
        }
        for (RankEffect effect : step.effects()) {
            carryOut(world, state, effect);
        }
    }

    private static void carryOut(World world, int state, RankEffect effect) {
        int exchange = effect.epoch() << 8 | effect.batch();
        switch (effect.kind()) {
            case START_TRANSFERS -> {
                world.tell("starts transfers of batch %d", effect.batch());
                StepRules.checkStart(world);
                world.setMine(OfRank.MOVING, exchange);
                world.setMine(OfRank.STARTED, exchange);
                world.setMine(OfRank.STARTED_NOW, exchange);
                world.setMine(OfRank.STAGING, world.scope.array(Weights.nothingStaged()));
            }
            case CANCEL_TRANSFERS -> world.giveUp(exchange);
            case FREE_STAGING -> {
                StepRules.checkFree(world);
                world.setMine(OfRank.TOUCHED, 1);
                world.setMine(OfRank.STAGING, world.scope.array(Weights.nothingStaged()));
            }
            case FLIP -> {
                world.tell("FLIPS batch %d of decision %d", effect.batch(), effect.epoch());
                StepRules.checkAuthority(world, world.scope.ranks.words.value(state), effect);
                flip(world, effect);
            }
            case MOVE -> {
                world.tell("engine moves to decision %d", effect.epoch());
                StepRules.checkAuthority(world, world.scope.ranks.words.value(state), effect);
                world.setMine(OfRank.ENGINE, world.mine(OfRank.ENGINE) | World.MOVES);
                world.setMine(OfRank.FLUX, 1);
            }
            case ABANDON_GROUP -> {
                world.tell("abandons the group");
                world.giveUp(exchange | EVERY_BATCH);
            }
            default -> {}
        }
    }

    private static void flip(World world, RankEffect flip) {
        int rank = world.turn();
        Batch batch = batch(world, flip.epoch(), flip.batch());
        int[] weights = world.scope.array(world.get(Of.WEIGHTS));
        int[] staging = world.scope.array(world.mine(OfRank.STAGING));
        world.set(Of.WEIGHTS, world.scope.array(world.scope.weights.flipped(batch, rank, weights, staging)));
        world.setMine(OfRank.MAP, world.scope.array(Weights.flipped(batch, world.map(rank))));
        world.setFlipped(rank, flip.epoch(), world.flipped(rank, flip.epoch()) + 1);
    }

    private static Batch batch(World world, int epoch, int number) {
        List<Batch> batches = world.log().split() && world.turn() == 2
                ? Fixture.OTHER_BATCHES
                : world.log().decision(epoch).propose().batches();
        return batches.get(number - 1);
    }
}
