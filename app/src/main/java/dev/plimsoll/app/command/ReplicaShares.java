package dev.plimsoll.app.command;

import dev.plimsoll.model.ReplicaShare;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The rules by which a router can share, as words on a command line: {@code by-source}. */
final class ReplicaShares implements ITypeConverter<ReplicaShare>, Iterable<String> {
    private static final List<String> WORDS = Arrays.stream(ReplicaShare.values())
            .filter(share -> share != ReplicaShare.FITTED)
            .map(ReplicaShares::word)
            .toList();

    @Override
    public ReplicaShare convert(String word) {
        return Arrays.stream(ReplicaShare.values())
                .filter(share -> share != ReplicaShare.FITTED && word(share).equals(word))
                .findFirst()
                .orElseThrow(() -> new TypeConversionException(
                        "'" + word + "' is no way to share: choose one of " + String.join(", ", WORDS)));
    }

    @Override
    public Iterator<String> iterator() {
        return WORDS.iterator();
    }

    private static String word(ReplicaShare share) {
        return share.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
