package dev.plimsoll.replay.format;

import dev.plimsoll.replay.format.npy.NpyLoad;
import dev.plimsoll.replay.format.npy.NpyMap;
import dev.plimsoll.replay.format.npy.NpyWorkload;
import dev.plimsoll.replay.format.omni.OmniCounts;
import dev.plimsoll.replay.format.omni.OmniPlacement;
import dev.plimsoll.replay.format.sglang.SglangMapPt;
import dev.plimsoll.replay.format.sglang.SglangRecords;
import dev.plimsoll.replay.format.sglang.SglangStat;
import dev.plimsoll.replay.format.trtllm.TrtllmStatistics;
import java.util.List;

/** The formats that are not text, and OmniPlacement's dumps, which need one of them. */
public final class BinaryFormats {
    public static final List<RecordingFormat> ALL = List.of(
            new SglangStat(),
            SglangRecords.PER_PASS,
            SglangRecords.PER_TOKEN,
            new SglangMapPt(),
            new TrtllmStatistics(),
            new OmniPlacement(),
            new OmniCounts(),
            new NpyWorkload(),
            new NpyLoad(),
            new NpyMap());

    private BinaryFormats() {}
}
