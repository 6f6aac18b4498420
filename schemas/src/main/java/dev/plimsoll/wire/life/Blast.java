package dev.plimsoll.wire.life;

/** How far a failure reaches: everything within goes back to what is committed, everything beyond goes on. */
public enum Blast {
    /** One record: it is left out when it has failed too often. */
    RECORD,
    /** One partition: its task is dropped. */
    PARTITION,
    /** One member of the group: all its tasks are dropped. */
    MEMBER,
    /** Whatever this process does in the group: it stops with one clear line. */
    PROCESS
}
