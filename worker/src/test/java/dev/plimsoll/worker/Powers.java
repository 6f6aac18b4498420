package dev.plimsoll.worker;

/**
 * What the adversary of a world may do, and how often.
 *
 * @param losses gathers whose votes one rank cannot see, or that one rank's vote does not reach
 * @param failedTransfers transfers that end badly, or moves of an engine that leave the map as it was
 * @param failsOver another planner follows
 * @param splitLog rank 2 reads another plan of the same epoch, and leave for it
 * @param heldStaging how often staging memory stays touched over a boundary
 * @param deaf ranks whose mailbox breaks
 * @param missed ends of decisions that do not reach one rank
 * @param changes moves of an engine's own balancer, which make another map or the same
 * @param stops orders to stop that the planner writes with no need
 */
record Powers(
        int losses,
        int failedTransfers,
        boolean failsOver,
        boolean splitLog,
        int heldStaging,
        int deaf,
        int missed,
        int changes,
        int stops) {
    static final Powers NONE = new Powers(0, 0, false, false, 0, 0, 0, 0, 1);

    Powers losing(int gathers) {
        return new Powers(gathers, failedTransfers, failsOver, splitLog, heldStaging, deaf, missed, changes, stops);
    }

    Powers failingTransfers(int transfers) {
        return new Powers(losses, transfers, failsOver, splitLog, heldStaging, deaf, missed, changes, stops);
    }

    Powers failingOver() {
        return new Powers(losses, failedTransfers, true, splitLog, heldStaging, deaf, missed, changes, stops);
    }

    Powers splittingTheLog() {
        return new Powers(losses, failedTransfers, failsOver, true, heldStaging, deaf, missed, changes, stops);
    }

    Powers holdingStaging(int times) {
        return new Powers(losses, failedTransfers, failsOver, splitLog, times, deaf, missed, changes, stops);
    }

    Powers breakingMailboxes(int ranks) {
        return new Powers(losses, failedTransfers, failsOver, splitLog, heldStaging, ranks, missed, changes, stops);
    }

    Powers missing(int ends) {
        return new Powers(losses, failedTransfers, failsOver, splitLog, heldStaging, deaf, ends, changes, stops);
    }

    Powers changing(int maps) {
        return new Powers(losses, failedTransfers, failsOver, splitLog, heldStaging, deaf, missed, maps, stops);
    }

    Powers stopping(int times) {
        return new Powers(losses, failedTransfers, failsOver, splitLog, heldStaging, deaf, missed, changes, times);
    }
}
