package dev.plimsoll.wire;

import dev.plimsoll.model.LoadWindow;
import dev.plimsoll.model.Phase;

/** {@link LoadWindow}. */
final class LoadWindowCodec implements Codec<LoadWindow> {
    @Override
    public void write(LoadWindow window, Fields to) {
        Shared.identity(to.put("summary", window.summary()), window.deployment(), window.incarnation())
                .putSymbol("phase", window.phase())
                .put("index", window.index())
                .put("layer", window.layer())
                .put("segment", window.segment())
                .put("firstSlot", window.firstSlot())
                .put("load", window.load())
                .put(
                        "subWindows",
                        window.load().size() == 0
                                ? 0
                                : window.subSums().size() / window.load().size())
                .put("firstSubWindow", window.firstSubWindow())
                .put("windowParts", window.subWindows())
                .put("subLoad", window.subSums());
        Shared.steps(to, window.steps());
        Shared.state(to.putFields("state"), window.state());
    }

    @Override
    public LoadWindow read(Fields from) {
        return new LoadWindow(
                Shared.deployment(from),
                from.number("incarnation"),
                from.symbol("phase", Phase.class),
                from.number("index"),
                Shared.steps(from),
                from.integer("layer"),
                from.integer("segment"),
                Shared.state(from.fields("state")),
                from.integer("firstSlot"),
                from.longs("load"),
                from.integer(from.integer("windowParts") == 0 ? "subWindows" : "windowParts"),
                from.integer("firstSubWindow"),
                from.longs("subLoad"),
                from.text("summary"));
    }

    @Override
    public String line(LoadWindow window) {
        return "WINDOW " + window.summary();
    }
}
