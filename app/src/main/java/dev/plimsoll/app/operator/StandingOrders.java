package dev.plimsoll.app.operator;

import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAction.Drain;
import dev.plimsoll.model.ControlAction.Pause;
import dev.plimsoll.model.ControlAction.Pin;
import dev.plimsoll.model.ControlAction.Resume;
import dev.plimsoll.model.ControlAction.Undrain;
import dev.plimsoll.model.ControlAction.Unpin;
import dev.plimsoll.model.RankId;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What operators have ordered that holds until they take it back, over incarnations: a pause, pins and drains, each with who gave it.
 *
 * @param pause who has paused the deployment
 * @param pins experts that must have a slot on a rank
 * @param drains ranks that must be needed for no expert
 */
public record StandingOrders(Optional<Request> pause, Map<Pin, Request> pins, SortedMap<RankId, Request> drains) {
    public StandingOrders {
        pins = Collections.unmodifiableMap(new LinkedHashMap<>(pins));
        drains = Collections.unmodifiableSortedMap(new TreeMap<>(drains));
    }

    /**
     * What holds now: the last one wins. What the planner has not said yes to holds not yet, or never.
     *
     * @param requests in the order of the log
     */
    public static StandingOrders of(List<Request> requests) {
        Optional<Request> pause = Optional.empty();
        Map<Pin, Request> pins = new LinkedHashMap<>();
        SortedMap<RankId, Request> drains = new TreeMap<>();
        for (Request request : requests) {
            if (!request.done()) {
                continue;
            }
            ControlAction action = request.control().value().action();
            if (action instanceof Pause) {
                pause = pause.or(() -> Optional.of(request));
            } else if (action instanceof Resume) {
                pause = Optional.empty();
            } else if (action instanceof Pin pin) {
                pins.putIfAbsent(pin, request);
            } else if (action instanceof Unpin unpin) {
                pins.remove(new Pin(unpin.layer(), unpin.expert(), unpin.rank()));
            } else if (action instanceof Drain drain) {
                drains.putIfAbsent(drain.rank(), request);
            } else if (action instanceof Undrain undrain) {
                drains.remove(undrain.rank());
            }
        }
        return new StandingOrders(pause, pins, drains);
    }
}
