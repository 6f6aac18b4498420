package dev.plimsoll.worker;

import dev.plimsoll.device.RankEffect;
import dev.plimsoll.device.RankEvent;
import dev.plimsoll.device.RankPhase;
import dev.plimsoll.device.RankState;
import dev.plimsoll.device.RankVote;
import dev.plimsoll.device.RankWords;
import dev.plimsoll.device.RankWords.Word;
import dev.plimsoll.model.FlipCost;
import dev.plimsoll.model.PlacementState;
import dev.plimsoll.model.RankId;
import dev.plimsoll.worker.explorer.Weights;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** A rank of a simulated group: the library's machine, a mailbox, staging memory, and transfers that take boundaries. */
final class SimulatedRank implements RankPort {
    private final SimulatedGroup group;
    private final int index;
    private final RankId rank;
    private final Deque<byte[]> mailbox = new ArrayDeque<>();
    private RememberedMachine.Known at;
    /** What stands in the ring's header, but for its step. */
    private RankState described;

    private RankState state;
    Optional<RankVote> cast = Optional.empty();
    int[] map;
    int[] staging = Weights.nothingStaged();
    /** Epoch and batch of the last exchange started, as one number. */
    int started;

    /** Epoch and batch of the exchange under way, 0 for none. */
    private int moving;

    private int boundariesLeft;
    private long last = -1;
    /** Batches of the decision in its words that were flipped here, by epoch. */
    final int[] flipped = new int[SimulatedGroup.MOST_EPOCHS];

    boolean gone;

    SimulatedRank(SimulatedGroup group, int index, RememberedMachine.Known at, int[] map) {
        this.group = group;
        this.index = index;
        this.rank = new RankId(index);
        this.at = at;
        described = at.state();
        state = described;
        this.map = map;
    }

    /** @param reads orders that the agent takes from the mailbox at most */
    void boundary(RankEvent verdict, int reads) {
        apply(verdict);
        for (int i = 0; i < reads && !gone && !mailbox.isEmpty(); i++) {
            apply(RankEvent.order(mailbox.remove()));
        }
        if (moving != 0 && !gone) {
            transfer();
        }
        cast = Optional.empty();
        if (!gone && words().intAt(Word.OBSERVES) == 0) {
            RememberedMachine.Cast voted = at.cast();
            apply(voted.turn());
            cast = voted.vote();
        }
        publish();
    }

    private void publish() {
        if (at.state() == described) {
            return;
        }
        described = at.state();
        state = new RankState(
                described.incarnation(),
                described.settledVersion(),
                described.epoch(),
                described.phase(),
                described.batchesFlipped(),
                described.planHash(),
                described.refusal(),
                described.fatal(),
                described.commandNumber(),
                group.step(),
                described.refusedEpoch(),
                described.refusedHash(),
                described.refusedStopped(),
                described.flags(),
                described.refusedPeer());
    }

    private void transfer() {
        int epoch = moving >> 8;
        int batch = moving & 0xff;
        boolean failed = group.gaveUp >= moving || group.failsTransfer();
        if (!failed && (--boundariesLeft > 0 || !group.allStarted(moving))) {
            return;
        }
        if (failed) {
            group.giveUp(moving);
        } else {
            staging = group.received(epoch, batch, index);
        }
        moving = 0;
        apply(RankEvent.transferEnded(epoch, batch, !failed));
    }

    private void apply(RankEvent event) {
        apply(at.on(event));
    }

    private void apply(RememberedMachine.Turn turn) {
        at = turn.next();
        for (RankEffect effect : turn.effects()) {
            carryOut(effect);
        }
        if (at.phase == RankPhase.FATAL && !gone) {
            die();
        }
    }

    private void carryOut(RankEffect effect) {
        int exchange = effect.epoch() << 8 | effect.batch();
        switch (effect.kind()) {
            case START_TRANSFERS -> {
                moving = exchange;
                started = exchange;
                boundariesLeft = group.boundariesOfTransfer();
                staging = Weights.nothingStaged();
            }
            case CANCEL_TRANSFERS -> group.giveUp(exchange);
            case ABANDON_GROUP -> group.giveUp(exchange | 0xff);
            case FREE_STAGING -> {
                staging = Weights.nothingStaged();
                apply(RankEvent.of(RankEvent.Kind.STAGING_FREED));
            }
            case FLIP -> {
                group.flip(this, index, effect.epoch(), effect.batch());
                flipped[effect.epoch()] = effect.batch();
            }
            default -> {}
        }
    }

    /** It runs no further step. */
    void die() {
        gone = true;
        group.giveUp(words().epoch() << 8 | 0xff);
    }

    PlacementState served() {
        return at.served();
    }

    RankWords words() {
        return at.words;
    }

    @Override
    public RankId rank() {
        return rank;
    }

    @Override
    public long incarnation() {
        return words().at(Word.INCARNATION);
    }

    @Override
    public RankState state() {
        return state;
    }

    @Override
    public Optional<FlipCost> flipCost(int epoch, int batch) {
        return Optional.empty();
    }

    @Override
    public boolean engineClosed() {
        return false;
    }

    @Override
    public long lastPosition() {
        return last;
    }

    @Override
    public Written write(long position, byte[] record) {
        if (group.mailboxIsFull()) {
            return Written.FULL;
        }
        last = position;
        mailbox.add(record);
        return Written.THERE;
    }

    @Override
    public void close() {}
}
