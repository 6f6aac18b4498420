package dev.plimsoll.replay.format.npy;

import dev.plimsoll.replay.format.FileLayers;
import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.array.Numbers;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** What plain arrays have in common: one file, of a number of dimensions, none of them empty. */
final class PlainArray {
    private PlainArray() {}

    static Numbers read(Input input, String needs, int... dimensions) throws IOException {
        if (input.directory()) {
            throw new FormatException(input.name(), 0, "is a directory: an array is one file");
        }
        String file = input.files().get(0);
        Numbers numbers = NpyArray.read(input, file);
        boolean fits = false;
        for (int each : dimensions) {
            fits |= numbers.dimensions() == each;
        }
        if (!fits || numbers.count() == 0) {
            throw new FormatException(
                    file, 0, "is of shape " + numbers.shape() + ": needs " + needs + ", at least one of each");
        }
        return numbers;
    }

    /** The number of layers, which is bounded. */
    static int layers(Numbers numbers, int dimension) throws FormatException {
        int layers = numbers.size(dimension);
        if (layers > FileLayers.MOST) {
            throw numbers.wrong("has " + layers + " layers: at most " + FileLayers.MOST + " are read");
        }
        return layers;
    }

    static boolean has(Input input, int dimensions) throws IOException {
        Optional<List<Long>> shape = NpyArray.shape(input);
        return shape.isPresent() && shape.get().size() == dimensions;
    }

    /** {@code [layer][expert]} as counts. */
    static long[][] load(Numbers layers) {
        long[][] load = new long[layers.size(0)][];
        for (int layer = 0; layer < load.length; layer++) {
            load[layer] = layers.at(layer).row();
        }
        return load;
    }
}
