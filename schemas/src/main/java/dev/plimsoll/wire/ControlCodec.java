package dev.plimsoll.wire;

import dev.plimsoll.model.Control;
import dev.plimsoll.model.ControlAction;
import dev.plimsoll.model.ControlAction.Abort;
import dev.plimsoll.model.ControlAction.Approve;
import dev.plimsoll.model.ControlAction.Drain;
import dev.plimsoll.model.ControlAction.Pause;
import dev.plimsoll.model.ControlAction.Pin;
import dev.plimsoll.model.ControlAction.Reject;
import dev.plimsoll.model.ControlAction.Resume;
import dev.plimsoll.model.ControlAction.Rollback;
import dev.plimsoll.model.ControlAction.Undrain;
import dev.plimsoll.model.ControlAction.Unpin;
import dev.plimsoll.model.ControlAction.Void;
import dev.plimsoll.model.ExpertId;
import dev.plimsoll.model.LayerId;
import dev.plimsoll.model.RankId;
import java.util.OptionalInt;

/** {@link Control}. */
final class ControlCodec implements Codec<Control> {
    /** Names are those of the schema. */
    private enum Kind {
        PAUSE,
        RESUME,
        APPROVE,
        REJECT,
        ABORT,
        VOID,
        ROLLBACK,
        PIN,
        UNPIN,
        DRAIN,
        UNDRAIN
    }

    @Override
    public void write(Control control, Fields to) {
        to.put("summary", control.summary())
                .put("deployment", control.deployment().id())
                .put("id", control.id())
                .put("atMillis", control.atMillis())
                .put("by", control.by())
                .put("reason", control.reason());
        control.basedOn().ifPresent(version -> to.put("basedOn", version));
        write(control.action(), to);
    }

    private static void write(ControlAction action, Fields to) {
        if (action instanceof Pause) {
            to.putSymbol("action", Kind.PAUSE);
        } else if (action instanceof Resume) {
            to.putSymbol("action", Kind.RESUME);
        } else if (action instanceof Approve approve) {
            to.putSymbol("action", Kind.APPROVE).put("epoch", approve.epoch());
        } else if (action instanceof Reject reject) {
            to.putSymbol("action", Kind.REJECT).put("epoch", reject.epoch());
        } else if (action instanceof Abort abort) {
            to.putSymbol("action", Kind.ABORT).put("epoch", abort.epoch());
        } else if (action instanceof Void) {
            to.putSymbol("action", Kind.VOID);
        } else if (action instanceof Rollback rollback) {
            to.putSymbol("action", Kind.ROLLBACK).put("version", rollback.version());
        } else if (action instanceof Pin pin) {
            place(to.putSymbol("action", Kind.PIN), pin.layer(), pin.expert(), pin.rank());
        } else if (action instanceof Unpin unpin) {
            place(to.putSymbol("action", Kind.UNPIN), unpin.layer(), unpin.expert(), unpin.rank());
        } else if (action instanceof Drain drain) {
            to.putSymbol("action", Kind.DRAIN).put("rank", drain.rank().index());
        } else if (action instanceof Undrain undrain) {
            to.putSymbol("action", Kind.UNDRAIN).put("rank", undrain.rank().index());
        } else {
            throw new IllegalStateException("no schema for " + action.getClass());
        }
    }

    private static void place(Fields to, LayerId layer, ExpertId expert, RankId rank) {
        to.put("layer", layer.index()).put("expert", expert.index()).put("rank", rank.index());
    }

    @Override
    public Control read(Fields from) {
        return new Control(
                Shared.deployment(from),
                from.text("id"),
                from.number("atMillis"),
                from.text("by"),
                from.text("reason"),
                from.has("basedOn") ? OptionalInt.of(from.integer("basedOn")) : OptionalInt.empty(),
                action(from));
    }

    private static ControlAction action(Fields from) {
        return switch (from.symbol("action", Kind.class)) {
            case PAUSE -> new Pause();
            case RESUME -> new Resume();
            case APPROVE -> new Approve(from.integer("epoch"));
            case REJECT -> new Reject(from.integer("epoch"));
            case ABORT -> new Abort(from.integer("epoch"));
            case VOID -> new Void();
            case ROLLBACK -> new Rollback(from.integer("version"));
            case PIN -> new Pin(layer(from), expert(from), rank(from));
            case UNPIN -> new Unpin(layer(from), expert(from), rank(from));
            case DRAIN -> new Drain(rank(from));
            case UNDRAIN -> new Undrain(rank(from));
        };
    }

    private static LayerId layer(Fields from) {
        return new LayerId(from.integer("layer"));
    }

    private static ExpertId expert(Fields from) {
        return new ExpertId(from.integer("expert"));
    }

    private static RankId rank(Fields from) {
        return new RankId(from.integer("rank"));
    }

    @Override
    public String line(Control control) {
        return "CONTROL " + control.deployment() + " " + control.id() + " " + control.summary();
    }
}
