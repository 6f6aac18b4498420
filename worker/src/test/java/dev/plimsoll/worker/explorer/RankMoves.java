package dev.plimsoll.worker.explorer;

import dev.plimsoll.device.api.PlimsollApi;
import java.util.ArrayList;
import java.util.List;

/** All that the boundary of the rank in turn may be. */
final class RankMoves {
    private RankMoves() {}

    static List<World> of(World world) {
        List<World> next = new ArrayList<>();
        int rank = world.turn();
        if (world.isGone(rank)) {
            next.add(world.with(w -> RankActs.pass(w, true)));
            return next;
        }
        if (world.may(Power.CRASH)) {
            next.add(world.with(w -> {
                w.tell("rank %d", rank);
                RankActs.crash(w);
                RankActs.pass(w, false);
            }));
        }
        World begun = world.with(w -> w.tell("rank %d", rank));
        for (World between : between(begun)) {
            for (World told : told(between)) {
                for (World ended : transfers(told)) {
                    vote(ended, next);
                }
            }
        }
        return next;
    }

    private static void vote(World world, List<World> next) {
        look(world.with(w -> RankActs.vote(w, true)), next);
        boolean counts = world.scope
                        .ranks
                        .votes
                        .value(world.scope.ranks.vote(world.mine(OfRank.WORDS)))
                        .level()
                > 0;
        if (counts && world.may(Power.LOSE_GATHER) && !world.isGone(world.turn())) {
            look(
                    world.with(w -> {
                        w.use(Power.LOSE_GATHER);
                        RankActs.vote(w, false);
                    }),
                    next);
        }
    }

    private static void look(World world, List<World> next) {
        next.add(world.with(w -> RankActs.pass(w, true)));
        if (world.may(Power.LOSE_ACKS)) {
            next.add(world.with(w -> {
                w.use(Power.LOSE_ACKS);
                RankActs.pass(w, false);
            }));
        }
    }

    /** What an engine does between two boundaries. */
    private static List<World> between(World world) {
        List<World> worlds = new ArrayList<>(List.of(world));
        int engine = world.mine(OfRank.ENGINE);
        if ((engine & (World.MOVES | World.BALANCES)) == 0 && world.may(Power.BALANCE)) {
            worlds.add(world.with(RankActs::beginOwnMove));
        }
        reload(world, worlds);
        if ((engine & World.MOVES) != 0) {
            worlds.add(world.with(w -> RankActs.endMove(w, PlimsollApi.PLM_MAP_TARGET)));
            if (world.may(Power.FAIL_TRANSFER)) {
                for (int read : new int[] {PlimsollApi.PLM_MAP_BASE, PlimsollApi.PLM_MAP_OTHER}) {
                    worlds.add(world.with(w -> {
                        w.use(Power.FAIL_TRANSFER);
                        RankActs.endMove(w, read);
                    }));
                }
            }
        }
        if ((engine & World.BALANCES) != 0) {
            worlds.add(world.with(w -> RankActs.endOwnMove(w, false)));
            worlds.add(world.with(w -> RankActs.endOwnMove(w, true)));
        }
        return worlds;
    }

    /** Each rank once; whoever has asked asks at every boundary. */
    private static void reload(World world, List<World> worlds) {
        if (world.mine(OfRank.RELOADS) != 0) {
            worlds.clear();
            worlds.add(world.with(RankActs::askToReload));
        } else if (world.mine(OfRank.GENERATION) == 0) {
            if (world.may(Power.RELOAD)) {
                worlds.add(world.with(w -> {
                    w.use(Power.RELOAD);
                    RankActs.askToReload(w);
                }));
            }
            if (world.may(Power.RELOAD_UNASKED)) {
                worlds.add(world.with(w -> {
                    w.use(Power.RELOAD_UNASKED);
                    RankActs.reload(w);
                }));
            }
        }
    }

    /** The verdict, with some of the orders that are there before it and some after it. */
    private static List<World> told(World world) {
        List<World> worlds = new ArrayList<>();
        for (int early = 0; early <= Math.min(1, world.undelivered()); early++) {
            int before = early;
            World heard = early == 0 ? world : world.with(w -> RankActs.deliver(w, before));
            for (World resolved : resolved(heard)) {
                if (resolved.isGone(resolved.turn())) {
                    worlds.add(resolved);
                    continue;
                }
                for (int late = 0; late <= resolved.undelivered(); late++) {
                    int after = late;
                    hear(
                            resolved.with(w -> {
                                RankActs.deliver(w, after);
                                Noise.check(w);
                            }),
                            worlds);
                }
            }
        }
        return worlds;
    }

    private static void hear(World told, List<World> worlds) {
        worlds.add(told);
        if (told.may(Power.MISS_END) && RankActs.endIsNext(told)) {
            worlds.add(told.with(RankActs::miss));
        }
        if (told.mine(OfRank.DEAF) == 0 && told.may(Power.BREAK_MAILBOX)) {
            worlds.add(told.with(RankActs::goDeaf));
        }
        RankActs.askedFor(told).ifPresent(end -> worlds.add(told.with(w -> RankActs.tellAgain(w, end))));
    }

    private static List<World> resolved(World world) {
        List<World> worlds = new ArrayList<>();
        if (!world.incomplete()) {
            worlds.add(world.with(w -> RankActs.resolve(w, -1)));
            if (world.mayLose() && world.may(Power.LOSE_GATHER)) {
                worlds.add(world.with(w -> {
                    w.use(Power.LOSE_GATHER);
                    RankActs.resolve(w, PlimsollApi.PLM_OUTCOME_TIMED_OUT);
                }));
            }
            return worlds;
        }
        StepRules.checkGather(world);
        if (world.unsent()) {
            worlds.add(world.with(w -> RankActs.resolve(w, PlimsollApi.PLM_OUTCOME_FAILED)));
        } else {
            worlds.add(world.with(w -> RankActs.resolve(w, PlimsollApi.PLM_OUTCOME_TIMED_OUT)));
            if (world.mayLose()) {
                worlds.add(world.with(w -> RankActs.resolve(w, PlimsollApi.PLM_OUTCOME_UNDECIDED)));
            }
        }
        return worlds;
    }

    /** Transfers and staging memory, when nobody holds them up. */
    private static List<World> transfers(World world) {
        List<World> worlds = new ArrayList<>();
        worlds.add(world);
        if (world.isGone(world.turn())) {
            return worlds;
        }
        if (world.mayFinish()) {
            worlds.add(world.with(w -> RankActs.endTransfer(w, true)));
        }
        if (world.givenUp()) {
            worlds.add(world.with(w -> RankActs.endTransfer(w, false)));
        } else if (world.mine(OfRank.MOVING) > 0 && world.may(Power.FAIL_TRANSFER)) {
            worlds.add(world.with(w -> {
                w.use(Power.FAIL_TRANSFER);
                RankActs.endTransfer(w, false);
            }));
        }
        List<World> freed = new ArrayList<>();
        for (World one : worlds) {
            if (one.mine(OfRank.TOUCHED) == 0) {
                freed.add(one);
                continue;
            }
            freed.add(one.with(RankActs::freeStaging));
            if (one.may(Power.HOLD_STAGING)) {
                freed.add(one.with(w -> w.use(Power.HOLD_STAGING)));
            }
        }
        return freed;
    }
}
