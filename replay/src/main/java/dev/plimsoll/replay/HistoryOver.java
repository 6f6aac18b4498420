package dev.plimsoll.replay;

import dev.plimsoll.model.Membership;
import dev.plimsoll.model.Placement;
import dev.plimsoll.replay.result.PolicyRun;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** A past that is another one but for what a subclass says. */
abstract class HistoryOver implements History {
    final History history;

    HistoryOver(History history) {
        this.history = history;
    }

    @Override
    public Membership members() {
        return history.members();
    }

    @Override
    public boolean expertBytesKnown() {
        return history.expertBytesKnown();
    }

    @Override
    public Placement placement() {
        return history.placement();
    }

    @Override
    public OptionalInt windows() {
        return history.windows();
    }

    @Override
    public Optional<HistoryWindow> next() throws IOException {
        return history.next();
    }

    @Override
    public Optional<PolicyRun> live() {
        return history.live();
    }

    @Override
    public Optional<List<Integer>> modelLayerIds() {
        return history.modelLayerIds();
    }

    @Override
    public OptionalInt hiddenLayers() {
        return history.hiddenLayers();
    }

    @Override
    public String source() {
        return history.source();
    }

    @Override
    public Map<String, String> inputs() {
        return history.inputs();
    }

    @Override
    public List<String> notes() {
        return history.notes();
    }

    @Override
    public void close() {
        history.close();
    }
}
