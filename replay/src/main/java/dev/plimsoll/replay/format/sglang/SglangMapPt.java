package dev.plimsoll.replay.format.sglang;

import dev.plimsoll.replay.format.CannotHoldException;
import dev.plimsoll.replay.format.ExpertMap;
import dev.plimsoll.replay.format.FileLayers;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Given;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.Recording;
import dev.plimsoll.replay.format.ToWrite;
import dev.plimsoll.replay.format.WritableFormat;
import dev.plimsoll.replay.format.Written;
import dev.plimsoll.replay.format.array.NumberType;
import dev.plimsoll.replay.format.array.Numbers;
import dev.plimsoll.replay.format.torch.Py;
import dev.plimsoll.replay.format.torch.TorchFile;
import dev.plimsoll.replay.format.torch.TorchWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** SGLang's {@code --init-expert-location} as a {@code .pt} with a map: {@code physical_to_logical_map} of {@code [hidden layer][slot]}. */
public final class SglangMapPt implements WritableFormat {
    @Override
    public String name() {
        return "sglang-map-pt";
    }

    @Override
    public String description() {
        return "SGLang --init-expert-location (.pt), a map of experts for all hidden layers; needs --ranks and --layer-ids";
    }

    @Override
    public boolean recognises(Input input) throws IOException {
        return Dump.of(input).equals(Optional.of(Dump.MAP));
    }

    @Override
    public Recording read(Input input, Given given) throws IOException {
        List<String> files = Dump.files(input);
        if (files.size() != 1) {
            throw new FormatException(
                    input.name(), 0, "has " + files.size() + " files that end in .pt: name one of them");
        }
        TorchFile file = TorchFile.read(input, files.get(0));
        Numbers numbers = file.numbers(file.need(file.dict(), Dump.MAP.key(), Py.Tensor.class));
        SlotMap slots = SlotMap.of(numbers, given);
        if (given.ranks().isEmpty()) {
            throw numbers.wrong("has " + slots.slots()
                    + " slots in a layer and does not say on how many ranks: --ranks is" + " needed");
        }
        FileLayers layers = FileLayers.allHidden(numbers.file(), slots.rows().length, new boolean[0], given);
        ExpertMap map = slots.of(layers.rows(), given.ranks().getAsInt(), numbers.file());
        List<String> notes = new ArrayList<>(layers.notes());
        notes.addAll(SlotMap.notes(map, slots.experts()));
        return new Recording(
                input.name(),
                name(),
                layers.numbering(),
                layers.ids(),
                layers.hiddenLayers(),
                slots.experts(),
                given.ranks(),
                given.topK(),
                List.of(),
                List.of(map),
                notes);
    }

    @Override
    public Written write(Recording recording, Given given) throws CannotHoldException {
        ToWrite to = new ToWrite(name(), recording, given);
        ExpertMap map = to.map();
        to.requireEven(map);
        List<Integer> ids = to.modelLayerIds();
        int hidden = to.hiddenLayers(ids);
        to.check();
        to.loseLoad();
        to.noteHidden(ids, hidden, "with the trivial map, which SGLang never looks at");
        int[][] rows = ToWrite.hiddenSlots(map, ids, hidden, recording.experts());
        long[] all =
                Arrays.stream(rows).flatMapToInt(Arrays::stream).asLongStream().toArray();
        return Written.file(
                new TorchWriter()
                        .put(Dump.MAP.key(), NumberType.INT64, List.of(hidden, map.slots(0)), all)
                        .bytes("expert_location"),
                to.notes());
    }
}
