package dev.plimsoll.model;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;

/**
 * The hash of a plan: of where it leads, and of every step on the way there. Ranks that vote with the same one do the same: the
 * same batches, the same moves from the same sources, the same switches.
 *
 * <p>The first 8 bytes of SHA-256 over big-endian numbers: 8 bytes of {@link Placement#hash()} of the target, then ints: how many
 * batches, and for each its number, its moves (how many; layer, slot, expert and source of each) and its switches (how many; layer,
 * slot and 1 for into use of each). Equal on any JVM.
 */
public final class PlanHash {
    private PlanHash() {}

    /** @param target the whole result, with the decision's epoch as its version */
    public static long of(Placement target, List<Batch> batches) {
        int ints = 1;
        for (Batch batch : batches) {
            ints = Math.addExact(
                    ints, 3 + 4 * batch.moves().size() + 3 * batch.switches().size());
        }
        ByteBuffer bytes = ByteBuffer.allocate(Math.addExact(8, Math.multiplyExact(4, ints)));
        bytes.putLong(target.hash()).putInt(batches.size());
        for (Batch batch : batches) {
            bytes.putInt(batch.number()).putInt(batch.moves().size());
            for (Move move : batch.moves()) {
                bytes.putInt(move.layer().index())
                        .putInt(move.slot().index())
                        .putInt(move.expert().index())
                        .putInt(move.source().index());
            }
            bytes.putInt(batch.switches().size());
            for (Switch change : batch.switches()) {
                bytes.putInt(change.layer().index())
                        .putInt(change.slot().index())
                        .putInt(change.inUse() ? 1 : 0);
            }
        }
        try {
            return ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(bytes.array()))
                    .getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /**
     * Whether a plan of the past has this hash. Releases before the hash covered the way said {@link Placement#hash()} of the target:
     * that is what a log may hold, and what no rank agrees to any more.
     */
    public static boolean isOfPast(long hash, Placement target, List<Batch> batches) {
        return hash == of(target, batches) || hash == target.hash();
    }
}
