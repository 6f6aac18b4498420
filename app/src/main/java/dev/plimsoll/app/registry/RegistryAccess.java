package dev.plimsoll.app.registry;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * How a schema registry of others is reached: by the properties that its own clients have, with or without {@code schema.registry.}
 * before their names.
 *
 * @param url without credentials and without a slash at its end
 * @param authorization the header of that name
 * @param tls where certificates of its own are to be trusted or shown
 */
public record RegistryAccess(URI url, Optional<String> authorization, Optional<SSLContext> tls) {
    private static final String PREFIX = "schema.registry.";

    /**
     * Of properties, and an address that wins over theirs.
     *
     * @throws IllegalArgumentException when they name no address or contradict each other; passwords are not repeated
     */
    public static RegistryAccess of(Optional<String> address, Map<String, String> properties) {
        String given = address.orElseGet(() -> properties.getOrDefault(PREFIX + "url", ""));
        // Of several, which stand for one another, one must do.
        String first = given.split(",", 2)[0].strip();
        if (first.isEmpty()) {
            throw new IllegalArgumentException(
                    "no registry is named: give --schema-registry-url, or schema.registry.url in --kafka-properties");
        }
        URI url;
        try {
            url = URI.create(first);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("the registry's address is not a URL, such as http://localhost:8081");
        }
        if (url.getHost() == null || !("http".equals(url.getScheme()) || "https".equals(url.getScheme()))) {
            throw new IllegalArgumentException(
                    "the registry's address must be http://HOST:PORT or https://HOST:PORT, not " + url.getScheme()
                            + "://" + (url.getHost() == null ? "" : url.getHost()));
        }
        if (url.getRawQuery() != null || url.getRawFragment() != null) {
            throw new IllegalArgumentException("the registry's address must end with its path, without ? or #");
        }
        return new RegistryAccess(bare(url), authorization(url, properties), tls(properties));
    }

    private static URI bare(URI url) {
        String path = url.getRawPath() == null ? "" : url.getRawPath().replaceAll("/+$", "");
        String host = url.getHost() + (url.getPort() < 0 ? "" : ":" + url.getPort());
        return URI.create(url.getScheme() + "://" + host + path);
    }

    private static Optional<String> property(Map<String, String> properties, String name) {
        return Optional.ofNullable(properties.getOrDefault(PREFIX + name, properties.get(name)))
                .map(String::strip)
                .filter(value -> !value.isEmpty());
    }

    private static Optional<String> authorization(URI url, Map<String, String> properties) {
        Optional<String> token = property(properties, "bearer.auth.token");
        Optional<String> user =
                property(properties, "basic.auth.user.info").or(() -> Optional.ofNullable(url.getUserInfo()));
        if (token.isPresent() && user.isPresent()) {
            throw new IllegalArgumentException(
                    "bearer.auth.token and a user for basic authentication contradict each other");
        }
        if (user.isPresent() && user.orElseThrow().indexOf(':') < 0) {
            throw new IllegalArgumentException("basic.auth.user.info must be USER:PASSWORD");
        }
        return token.map(text -> "Bearer " + text)
                .or(() -> user.map(
                        text -> "Basic " + Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8))));
    }

    private static Optional<SSLContext> tls(Map<String, String> properties) {
        // Without the prefix they are those of the brokers, whose authority need not be the registry's.
        Optional<String> trusted = Optional.ofNullable(properties.get(PREFIX + "ssl.truststore.location"));
        Optional<String> shown = Optional.ofNullable(properties.get(PREFIX + "ssl.keystore.location"));
        if (trusted.isEmpty() && shown.isEmpty()) {
            return Optional.empty();
        }
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            if (shown.isPresent()) {
                String store = properties.getOrDefault(PREFIX + "ssl.keystore.password", "");
                keys.init(
                        store(properties, "keystore", Path.of(shown.orElseThrow())),
                        properties
                                .getOrDefault(PREFIX + "ssl.key.password", store)
                                .toCharArray());
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            if (trusted.isPresent()) {
                trust.init(store(properties, "truststore", Path.of(trusted.orElseThrow())));
            }
            context.init(
                    shown.isPresent() ? keys.getKeyManagers() : null,
                    trusted.isPresent() ? trust.getTrustManagers() : null,
                    null);
            return Optional.of(context);
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalArgumentException(
                    "schema.registry.ssl.*: " + trusted.or(() -> shown).orElseThrow() + " cannot be used: " + e, e);
        }
    }

    private static KeyStore store(Map<String, String> properties, String kind, Path file)
            throws GeneralSecurityException, IOException {
        String type = properties
                .getOrDefault(PREFIX + "ssl." + kind + ".type", KeyStore.getDefaultType())
                .toUpperCase(Locale.ROOT);
        char[] password = properties
                .getOrDefault(PREFIX + "ssl." + kind + ".password", "")
                .toCharArray();
        try (InputStream in = Files.newInputStream(file)) {
            if (!type.equals("PEM")) {
                KeyStore store = KeyStore.getInstance(type);
                store.load(in, password.length == 0 ? null : password);
                return store;
            }
            if (kind.equals("keystore")) {
                throw new KeyStoreTypeException("a key store as PEM is not read here: make it PKCS12");
            }
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            int number = 0;
            for (Certificate certificate :
                    CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                store.setCertificateEntry("authority-" + number++, certificate);
            }
            return store;
        }
    }

    /** Its message is its all. */
    private static final class KeyStoreTypeException extends GeneralSecurityException {
        private static final long serialVersionUID = 1;

        KeyStoreTypeException(String message) {
            super(message);
        }
    }

    /** Without the credentials. */
    @Override
    public String toString() {
        return url.toString();
    }
}
