package dev.plimsoll.replay.format.torch;

import dev.plimsoll.replay.format.FormatException;
import dev.plimsoll.replay.format.Input;
import dev.plimsoll.replay.format.array.Numbers;
import dev.plimsoll.replay.format.torch.ZipDirectory.Entry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A file that {@code torch.save} wrote: a dictionary, and the tensors in it, whose numbers stay where they are in the file.
 *
 * <p>Of all tensors together no more numbers are given out than the file has, so that a file that shows one storage many times cannot
 * make its reader build more than it holds.
 */
public final class TorchFile {
    private static final String PICKLE = "/data.pkl";

    private final ZipDirectory zip;
    private final String pickle;
    private final String root;
    private final ByteOrder order;
    private final Py.Dict dict;
    private final Map<String, Stored> storages = new HashMap<>();
    private long bytesLeft;

    private TorchFile(ZipDirectory zip, String pickle, String root, ByteOrder order, Py.Dict dict, long size) {
        this.zip = zip;
        this.pickle = pickle;
        this.root = root;
        this.order = order;
        this.dict = dict;
        bytesLeft = size;
    }

    private record Stored(String part, ByteBuffer bytes) {}

    /** Whether a file is a zip file, by its first bytes. */
    static boolean isZip(byte[] head) {
        return head.length > 3 && head[0] == 'P' && head[1] == 'K' && head[2] == 3 && head[3] == 4;
    }

    /** @throws FormatException also when it is not a dictionary with text as keys */
    public static TorchFile read(Input input, String file) throws IOException {
        byte[] bytes = input.bytes(file);
        if (!isZip(bytes)) {
            throw new FormatException(
                    file,
                    0,
                    "is no zip file, as torch.save has written since PyTorch 1.6: load it there and save it again");
        }
        Allowance allowance = new Allowance(file, bytes.length);
        ZipDirectory zip = ZipDirectory.read(file, bytes, allowance);
        List<Entry> pickles = new ArrayList<>();
        for (Entry entry : zip.entries(PICKLE)) {
            if (zip.name(entry).indexOf('/') == zip.name(entry).length() - PICKLE.length()) {
                pickles.add(entry);
            }
        }
        if (pickles.size() != 1) {
            throw new FormatException(
                    file,
                    0,
                    "has " + pickles.size() + " entries " + PICKLE.substring(1)
                            + " in a folder: torch.save writes one");
        }
        Entry entry = pickles.get(0);
        String name = zip.name(entry);
        String root = name.substring(0, name.length() - PICKLE.length() + 1);
        allowance.charge(zip.part(entry), 0, entry.size() - entry.packed());
        Py top = Pickle.read(zip.part(entry), zip.data(entry), allowance);
        if (!(top instanceof Py.Dict dict)) {
            throw new FormatException(zip.part(entry), 0, "is a " + top.kind() + ": a recording is a dictionary");
        }
        return new TorchFile(zip, zip.part(entry), root, order(zip, root), dict, zip.sizes() - entry.size());
    }

    private static ByteOrder order(ZipDirectory zip, String root) throws FormatException {
        Optional<Entry> named = zip.entry(root + "byteorder");
        if (named.isEmpty()) {
            return ByteOrder.LITTLE_ENDIAN;
        }
        Entry entry = named.get();
        String order = entry.size() > 16
                ? ""
                : StandardCharsets.US_ASCII.decode(zip.data(entry).duplicate()).toString();
        return switch (order) {
            case "little" -> ByteOrder.LITTLE_ENDIAN;
            case "big" -> ByteOrder.BIG_ENDIAN;
            default -> throw new FormatException(zip.part(entry), 0, "is neither little nor big");
        };
    }

    public Py.Dict dict() {
        return dict;
    }

    /** Where messages about the pickle say that it is. */
    public String pickle() {
        return pickle;
    }

    /** What stands under a key, when it is of the kind that is needed. */
    public <T extends Py> T need(Py.Dict in, String key, Class<T> kind) throws FormatException {
        Py value = in.get(key);
        if (!kind.isInstance(value)) {
            throw new FormatException(
                    pickle,
                    0,
                    "has no " + kind.getSimpleName().toLowerCase(java.util.Locale.ROOT) + " '" + key + "'"
                            + (in.has(key) ? ", but a " + value.kind() : ""));
        }
        return kind.cast(value);
    }

    /** The numbers of the tensor that stands under a key, if one does. */
    public Optional<Numbers> tensor(Py.Dict in, String key) throws FormatException {
        return in.get(key) instanceof Py.Tensor tensor ? Optional.of(numbers(tensor)) : Optional.empty();
    }

    /** The numbers of a tensor. */
    public Numbers numbers(Py.Tensor tensor) throws FormatException {
        Py.Storage storage = tensor.storage();
        Stored stored = storages.get(storage.key());
        if (stored == null) {
            stored = stored(storage);
            storages.put(storage.key(), stored);
        }
        int each = storage.type().bytes();
        int there = stored.bytes.remaining() / each;
        if (storage.numbers() > there || tensor.offset() > storage.numbers()) {
            throw new FormatException(
                    pickle,
                    tensor.position(),
                    "has a tensor that begins at number " + tensor.offset() + " of " + storage.numbers() + ", with "
                            + there + " there");
        }
        int from = (int) tensor.offset() * each;
        ByteBuffer bytes = stored.bytes.slice(from, there * each - from).order(order);
        Numbers numbers = Numbers.strided(stored.part, from, bytes, storage.type(), tensor.shape(), tensor.strides());
        bytesLeft -= numbers.count() * storage.type().bytes();
        if (bytesLeft < 0) {
            throw new FormatException(
                    pickle, tensor.position(), "has tensors of more numbers than are stored: they overlap");
        }
        return numbers;
    }

    private Stored stored(Py.Storage storage) throws FormatException {
        Optional<Entry> entry = zip.entry(root + "data/" + storage.key());
        int each = storage.type().bytes();
        long there = entry.isPresent() ? entry.get().size() : -1;
        if (there < 0 || there / each != storage.numbers() || there % each != 0) {
            throw new FormatException(
                    pickle,
                    storage.position(),
                    "wants " + storage.numbers() + " numbers of "
                            + storage.type() + " in data/" + shown(storage.key()) + ", which "
                            + (there < 0 ? "is not there" : "has " + there + " bytes"));
        }
        return new Stored(zip.part(entry.get()), zip.data(entry.get()));
    }

    private static String shown(String text) {
        return text.length() > 40 ? text.substring(0, 40) + "..." : text;
    }
}
