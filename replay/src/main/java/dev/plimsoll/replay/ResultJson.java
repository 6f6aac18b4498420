package dev.plimsoll.replay;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import dev.plimsoll.replay.result.PastWindow;
import dev.plimsoll.replay.result.PolicyRun;
import dev.plimsoll.replay.result.PolicyRun.MadeDecision;
import dev.plimsoll.replay.result.PolicyRun.ServedWindow;
import dev.plimsoll.replay.result.Provenance;
import dev.plimsoll.replay.result.ReplayResult;
import dev.plimsoll.replay.result.ReplayResult.Gap;
import dev.plimsoll.replay.result.WindowMatrix;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A result as JSON: every value of {@link ReplayResult} under its own name, in its order; keys of maps sorted. What is not a number is
 * null, plan hashes are sixteen hexadecimal digits, and times of this machine are left out: the same result has the same bytes.
 */
public final class ResultJson {
    private static final String FORM = "plimsoll-replay-result/1";

    private final JsonGenerator json;

    private ResultJson(JsonGenerator json) {
        this.json = json;
    }

    /** Writes it and leaves the stream open. */
    public static void write(ReplayResult result, OutputStream to) throws IOException {
        JsonGenerator json = new JsonFactory().createGenerator(to);
        json.configure(JsonGenerator.Feature.AUTO_CLOSE_TARGET, false);
        // A line for each value and object: files can be compared line by line, on any system.
        DefaultPrettyPrinter lines = new DefaultPrettyPrinter();
        lines.indentObjectsWith(new DefaultIndenter(" ", "\n"));
        json.setPrettyPrinter(lines);
        new ResultJson(json).result(result);
        json.flush();
        to.write('\n');
    }

    /** All of its bytes. */
    public static byte[] bytes(ReplayResult result) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        write(result, bytes);
        return bytes.toByteArray();
    }

    private void result(ReplayResult result) throws IOException {
        json.writeStartObject();
        json.writeStringField("form", FORM);
        provenance(result.provenance());
        json.writeObjectFieldStart("shape");
        json.writeStringField("name", result.shape().name());
        json.writeNumberField("experts", result.shape().experts());
        json.writeNumberField("topK", result.shape().topK());
        ints("layerIds", result.shape().layerIds().stream().mapToInt(id -> id).toArray());
        json.writeEndObject();
        json.writeArrayFieldStart("windows");
        for (PastWindow window : result.windows()) {
            window(window);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("gaps");
        for (Gap gap : result.gaps()) {
            json.writeStartObject();
            json.writeNumberField("fromIndex", gap.fromIndex());
            json.writeNumberField("toIndex", gap.toIndex());
            json.writeStringField("reason", gap.reason());
            json.writeEndObject();
        }
        json.writeEndArray();
        runs("live", result.live());
        runs("runs", result.runs());
        json.writeArrayFieldStart("matrices");
        for (WindowMatrix matrix : result.matrices()) {
            json.writeStartObject();
            json.writeNumberField("index", matrix.index());
            json.writeStringField("why", matrix.why());
            json.writeArrayFieldStart("load");
            for (long[] layer : matrix.load()) {
                json.writeArray(layer, 0, layer.length);
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void provenance(Provenance provenance) throws IOException {
        json.writeObjectFieldStart("provenance");
        json.writeStringField("source", provenance.source());
        json.writeStringField("deployment", provenance.deployment());
        strings("inputs", provenance.inputs());
        json.writeStringField("command", provenance.command());
        json.writeStringField("version", provenance.version());
        json.writeStringField("manifestHash", provenance.manifestHash());
        json.writeArrayFieldStart("notes");
        for (String note : provenance.notes()) {
            json.writeString(note);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private void window(PastWindow window) throws IOException {
        json.writeStartObject();
        json.writeNumberField("index", window.index());
        json.writeNumberField("firstStep", window.firstStep());
        json.writeNumberField("lastStep", window.lastStep());
        json.writeNumberField("closedAtMillis", window.closedAtMillis());
        json.writeNumberField("load", window.load());
        real("completeness", window.completeness());
        json.writeBooleanField("usable", window.usable());
        json.writeStringField("why", window.why());
        json.writeEndObject();
    }

    private void runs(String name, List<PolicyRun> runs) throws IOException {
        json.writeArrayFieldStart(name);
        for (PolicyRun run : runs) {
            json.writeStartObject();
            json.writeStringField("name", run.name());
            strings("settings", run.settings());
            json.writeNumberField("ranks", run.ranks());
            json.writeNumberField("redundant", run.redundant());
            json.writeNumberField("nodes", run.nodes());
            real("meanBalancedness", run.meanBalancedness());
            json.writeNumberField("moves", run.moves());
            json.writeNumberField("bytes", run.bytes());
            json.writeArrayFieldStart("served");
            for (ServedWindow window : run.served()) {
                served(window);
            }
            json.writeEndArray();
            json.writeArrayFieldStart("decisions");
            for (MadeDecision decision : run.decisions()) {
                decision(decision);
            }
            json.writeEndArray();
            json.writeObjectFieldStart("kept");
            for (Map.Entry<String, Integer> kept : new TreeMap<>(run.kept()).entrySet()) {
                json.writeNumberField(kept.getKey(), kept.getValue());
            }
            json.writeEndObject();
            json.writeObjectFieldStart("placements");
            for (Map.Entry<Long, int[][]> placement : new TreeMap<>(run.placements()).entrySet()) {
                json.writeArrayFieldStart(placement.getKey().toString());
                for (int[] layer : placement.getValue()) {
                    json.writeArray(layer, 0, layer.length);
                }
                json.writeEndArray();
            }
            json.writeEndObject();
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void served(ServedWindow window) throws IOException {
        json.writeStartObject();
        json.writeNumberField("index", window.index());
        real("mean", window.mean());
        real("min", window.min());
        json.writeNumberField("worstLayer", window.worstLayer());
        real("hottestLoad", window.hottestLoad());
        json.writeNumberField("version", window.version());
        real("expertMicros", window.expertMicros());
        json.writeEndObject();
    }

    private void decision(MadeDecision decision) throws IOException {
        json.writeStartObject();
        json.writeNumberField("windowIndex", decision.windowIndex());
        json.writeNumberField("epoch", decision.epoch());
        json.writeStringField("planHash", String.format("%016x", decision.planHash()));
        json.writeNumberField("moves", decision.moves());
        json.writeNumberField("bytes", decision.bytes());
        json.writeNumberField("layers", decision.layers());
        real("before", decision.before());
        real("predicted", decision.predicted());
        real("measured", decision.measured());
        real("without", decision.without());
        real("gain", decision.gain());
        json.writeNumberField("windows", decision.windows());
        json.writeStringField("reason", decision.reason());
        json.writeEndObject();
    }

    private void strings(String name, Map<String, String> values) throws IOException {
        json.writeObjectFieldStart(name);
        for (Map.Entry<String, String> value : new TreeMap<>(values).entrySet()) {
            json.writeStringField(value.getKey(), value.getValue());
        }
        json.writeEndObject();
    }

    private void ints(String name, int[] values) throws IOException {
        json.writeFieldName(name);
        json.writeArray(values, 0, values.length);
    }

    private void real(String name, double value) throws IOException {
        if (Double.isFinite(value)) {
            json.writeNumberField(name, value);
        } else {
            json.writeNullField(name);
        }
    }
}
