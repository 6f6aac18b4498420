package dev.plimsoll.wire.kafka;

import dev.plimsoll.model.Deployment;
import dev.plimsoll.model.End;
import dev.plimsoll.model.PlanCommand;
import dev.plimsoll.model.PlanHeader;
import dev.plimsoll.model.Quarantined;
import dev.plimsoll.model.RankAck;
import dev.plimsoll.model.SampleRecord;
import dev.plimsoll.wire.Topic;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Numbers what it reads, of its input and of a companion, in two chains of the plan log; its state is what the plan log says that it
 * has numbered. It says at once when it is given what it should not be given, or recovers to what it should not.
 */
final class SimTask implements PartitionTask<SampleRecord> {
    private final SimWorld world;
    private final SimProcess process;
    private final TopicPartition input;
    private final SimChain chain;
    private final int hold;
    private final long start;
    private final boolean single;
    private final Deque<Transaction> ready = new ArrayDeque<>();
    private final List<Output<?>> outputs = new ArrayList<>();
    private long written;
    private long told;
    private long seen;
    private long next;
    private int reads;
    private int polls;
    private boolean dirty;
    private Optional<Transaction> underWay = Optional.empty();
    private boolean lost;

    /**
     * @param hold how many polls it waits for more before it commits
     * @param single whether each record has a transaction of its own, however many are taken at once
     */
    SimTask(SimWorld world, SimProcess process, int partition, SimChain chain, int hold, boolean single) {
        this.world = world;
        this.process = process;
        this.input = new TopicPartition(Topic.SAMPLES.name(), partition);
        this.chain = chain;
        this.hold = hold;
        this.single = single;
        this.start = process.takeSeenStart(input);
    }

    @Override
    public List<Topic<?>> companions() {
        return List.of(Topic.ACKS);
    }

    @Override
    public Optional<RecoveryRead<?>> nextRead(InputLog log) {
        world.hazard(process);
        reads++;
        return switch (reads) {
            case 1 -> Optional.of(RecoveryRead.all(Topic.ACKS, ack -> saw(ack.value())));
            case 2 ->
                Optional.of(RecoveryRead.state(Topic.PLAN, command -> {
                    PlanHeader header = command.value().header();
                    if (header.deployment().equals(chain.ofInput())) {
                        written = follows(written, header.number());
                    } else {
                        told = follows(told, header.number());
                    }
                }));
            default -> Optional.empty();
        };
    }

    private long follows(long before, long number) {
        if (number != before + 1) {
            violated("the plan log's number " + number + " follows " + before);
        }
        return number;
    }

    @Override
    public long recovered(InputLog log) {
        world.hazard(process);
        String note = written + "," + told;
        boolean never = written == 0 && told == 0 && log.note().isEmpty();
        if (!never && !log.note().equals(note)) {
            violated("E1: recovered to " + note + " but committed was '" + log.note() + "'");
        }
        long committed = log.committed().orElse(log.first());
        if (log.committed().isPresent()) {
            world.checks().loss(input, committed, start, log.first());
        }
        if (seen < told) {
            world.checks().missesAcks(this.input.partition(), seen, told);
            seen = told;
        }
        next = committed;
        return next;
    }

    private void saw(RankAck ack) {
        boolean beginning = seen == 0 && world.checks().areAcksCut(input.partition());
        if (ack.step() != seen + 1 && !beginning) {
            violated("ack " + ack.step() + " follows " + seen);
        }
        seen = ack.step();
    }

    @Override
    public void onRecord(Received<SampleRecord> record) {
        world.checks().given(input, next, record.offset());
        long number = ((End) record.value()).incarnation();
        world.hazard(process, input, record.offset());
        if (world.poisonous(number)) {
            throw new IllegalStateException("poison");
        }
        next = record.offset() + 1;
        dirty = true;
        written++;
        outputs.add(permit(chain.ofInput(), number, written));
        taken();
    }

    private static Output<PlanCommand> permit(Deployment deployment, long incarnation, long number) {
        return Output.of(
                Topic.PLAN,
                deployment,
                new PlanCommand.Permit(new PlanHeader(deployment, incarnation, 1, number), 1, number));
    }

    @Override
    public void onCompanion(Received<?> record) {
        world.hazard(process, new TopicPartition(Topic.ACKS.name(), input.partition()), record.offset());
        saw((RankAck) record.value());
    }

    @Override
    public void onUnreadable(Quarantined record, long timestampMillis) {
        world.checks().given(input, next, record.offset());
        next = record.offset() + 1;
        dirty = true;
        outputs.add(Output.of(Topic.QUARANTINE, chain.ofInput(), record));
        taken();
    }

    @Override
    public void onPoll(long nowMillis) {
        world.hazard(process);
        while (told < seen) {
            told++;
            outputs.add(permit(chain.ofAcks(), told, told));
            dirty = true;
        }
        polls++;
    }

    @Override
    public Optional<Transaction> takeTransaction() {
        world.hazard(process);
        if (underWay.isPresent() || lost) {
            violated("E6: asked for more " + (lost ? "when it was lost" : "before the last was said to be committed"));
        }
        if (polls < hold) {
            return Optional.empty();
        }
        if (dirty) {
            finish();
        }
        if (ready.isEmpty()) {
            polls = 0;
        }
        underWay = Optional.ofNullable(ready.poll());
        return underWay;
    }

    @Override
    public void onCommitted() {
        world.hazard(process);
        Optional<Transaction> said = underWay;
        underWay = Optional.empty();
        if (said.isEmpty() || lost) {
            violated("E6: told of a commit " + (lost ? "when it was lost" : "of nothing"));
            return;
        }
        OffsetAndMetadata committed = world.transactions().committed().get(input);
        long offset = said.orElseThrow().nextInputOffset();
        if (!world.transactions().unstable(input) && (committed == null || committed.offset() < offset)) {
            violated("E6: told that " + offset + " is committed, and it is " + committed);
        }
    }

    @Override
    public void onLost() {
        lost = true;
    }

    private void taken() {
        if (single) {
            finish();
        }
    }

    private void finish() {
        ready.add(new Transaction(outputs, next, written + "," + told));
        outputs.clear();
        dirty = false;
    }

    private void violated(String what) {
        world.violated(process + ", task of " + input + ": " + what);
    }
}
