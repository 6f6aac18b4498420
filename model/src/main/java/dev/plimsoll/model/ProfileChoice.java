package dev.plimsoll.model;

import java.util.Optional;

/** How somebody says what experts take on their devices: by a table, or by the name of a device. */
public sealed interface ProfileChoice {
    /** The profile for a deployment's experts. */
    DeviceProfile of(ModelShape shape, long bytesPerExpert);

    /** The choice as one word, from which {@link #read} makes it again. */
    String text();

    /** A table, measured or made by somebody: the same for every model. */
    record Table(DeviceProfile profile) implements ProfileChoice {
        @Override
        public DeviceProfile of(ModelShape shape, long bytesPerExpert) {
            return profile;
        }

        @Override
        public String text() {
            return profile.text();
        }
    }

    /**
     * The roofline of a device.
     *
     * @param model whose experts are meant; without it that of the membership, by its name or, where we do not know that, by the bytes of
     *     an expert
     */
    record Preset(DevicePreset device, Optional<String> model) implements ProfileChoice {
        public Preset {
            if (model.isPresent() && ExpertSize.named(model.get()).isEmpty()) {
                throw new IllegalArgumentException("no sizes of experts are known of model '" + model.get()
                        + "': choose one of "
                        + String.join(
                                ", ",
                                ExpertSize.ALL.stream().map(ExpertSize::model).toList()));
            }
        }

        @Override
        public DeviceProfile of(ModelShape shape, long bytesPerExpert) {
            return device.roofline(ExpertSize.named(model.orElse(shape.name()))
                    .orElseGet(() -> ExpertSize.ofBytes(shape.name().replaceAll("[\\s|;]+", "-"), bytesPerExpert)));
        }

        @Override
        public String text() {
            return device.name() + model.map(name -> "/" + name).orElse("");
        }
    }

    /**
     * The choice of a text: {@code h200}, {@code h200/gpt-oss-20b}, or a table as {@link DeviceProfile#text} writes it.
     *
     * @throws IllegalArgumentException when it is none of these
     */
    static ProfileChoice read(String text) {
        if (text.indexOf('|') >= 0) {
            return new Table(DeviceProfile.read(text));
        }
        int slash = text.indexOf('/');
        return slash < 0
                ? new Preset(DevicePreset.named(text), Optional.empty())
                : new Preset(DevicePreset.named(text.substring(0, slash)), Optional.of(text.substring(slash + 1)));
    }
}
