package dev.plimsoll.app.command;

import dev.plimsoll.app.profile.ProfileFile;
import dev.plimsoll.model.DevicePreset;
import dev.plimsoll.model.ExpertSize;
import dev.plimsoll.model.ModelShape;
import dev.plimsoll.model.ProfileChoice;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What experts take on the ranks' devices: a device by name, or a table in a file. */
final class ProfileOption {
    static final String NAME = "--device-profile";

    @Option(
            names = NAME,
            paramLabel = "PROFILE",
            description =
                    "What experts take on the ranks' devices: h20, h100, h200, a100, mi300x, ascend-910b or ascend-910c;"
                            + " such a name and a model, as h200/gpt-oss-20b; or a FILE of measured times. 'plimsoll"
                            + " devices profiles' explains them.")
    @Nullable
    private String profile;

    private Optional<ProfileChoice> choice = Optional.empty();

    void check(Problems problems) {
        String given = profile;
        if (given != null) {
            try {
                choice = Optional.of(read(given));
            } catch (IllegalArgumentException | UncheckedIOException e) {
                problems.add(NAME + " ", e);
            }
        }
    }

    /** Whether a profile was asked for, readable or not. */
    boolean given() {
        return profile != null;
    }

    /** The profile that was asked for; empty before {@link #check}. */
    Optional<ProfileChoice> choice() {
        return choice;
    }

    /** A device's name comes first; a file of that name is meant by {@code ./NAME}. */
    private static ProfileChoice read(String text) {
        int slash = text.indexOf('/');
        if (DevicePreset.names().contains(slash < 0 ? text : text.substring(0, slash))) {
            return ProfileChoice.read(text);
        }
        Path file;
        try {
            file = Path.of(text);
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("'" + text + "' is no name of a file: " + e.getReason(), e);
        }
        if (!Files.exists(file)) {
            throw new IllegalArgumentException("'" + text + "' is neither a device nor a file: devices are "
                    + String.join(", ", DevicePreset.names()));
        }
        return new ProfileChoice.Table(ProfileFile.read(file).profile());
    }

    /**
     * Refuses a device's name alone for a model whose experts' size is not known: for ranks whose experts stand for larger ones, so
     * that the bytes that they have say nothing.
     */
    static void requireKnownSize(Problems problems, ProfileChoice choice, ModelShape shape) {
        if (choice instanceof ProfileChoice.Preset preset
                && preset.model().isEmpty()
                && ExpertSize.named(shape.name()).isEmpty()) {
            problems.add(NAME + " " + choice.text() + ": the size of an expert of model '" + shape.name()
                    + "' is not known: write " + choice.text() + "/MODEL with one of "
                    + String.join(
                            ", ", ExpertSize.ALL.stream().map(ExpertSize::model).toList()));
        }
    }
}
