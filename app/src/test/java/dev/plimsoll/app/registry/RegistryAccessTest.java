package dev.plimsoll.app.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How a registry is named and who we are there. */
final class RegistryAccessTest {
    /** @param url empty where it is among the properties */
    private static RegistryAccess of(String url, String... properties) {
        Map<String, String> map = new HashMap<>();
        for (int i = 0; i < properties.length; i += 2) {
            map.put(properties[i], properties[i + 1]);
        }
        return RegistryAccess.of(url.isEmpty() ? Optional.empty() : Optional.of(url), map);
    }

    @Test
    void anAddressMayHaveAPathAndNotASlashAtItsEnd() {
        assertThat(of("http://localhost:8081/")).hasToString("http://localhost:8081");
        assertThat(of("https://sr.example/contexts/.plimsoll")).hasToString("https://sr.example/contexts/.plimsoll");
        assertThat(of("", "schema.registry.url", "http://a:1, http://b:2")).hasToString("http://a:1");
        assertThat(of("http://c:3", "schema.registry.url", "http://a:1")).hasToString("http://c:3");
    }

    @Test
    void credentialsAreSentAndNotShown() {
        String header = "Basic dTpw";
        for (RegistryAccess access : new RegistryAccess[] {
            of("http://u:p@localhost:8081"),
            of("http://localhost:8081", "basic.auth.user.info", "u:p"),
            of("http://localhost:8081", "schema.registry.basic.auth.user.info", "u:p")
        }) {
            assertThat(access.authorization()).hasValue(header);
            assertThat(access).hasToString("http://localhost:8081");
        }
        assertThat(of("http://localhost:8081", "bearer.auth.token", "t").authorization())
                .hasValue("Bearer t");
        assertThat(of("http://localhost:8081").authorization()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "'', no registry is named",
        "ftp://x, http://HOST",
        "localhost:8081, http://HOST",
        "http:///x, http://HOST",
        "http://a b, not a URL",
        "http://a?b=c, without"
    })
    void anAddressThatIsNoneIsRefused(String url, String why) {
        assertThatThrownBy(() -> of(url))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(why);
    }

    @Test
    void whatContradictsIsRefusedWithoutThePassword() {
        assertThatThrownBy(() -> of("http://a", "basic.auth.user.info", "secret"))
                .hasMessageContaining("USER:PASSWORD")
                .hasMessageNotContaining("secret");
        assertThatThrownBy(() -> of("http://a", "basic.auth.user.info", "u:secret", "bearer.auth.token", "t"))
                .hasMessageContaining("contradict")
                .hasMessageNotContaining("secret");
        assertThatThrownBy(() -> of("ftp://u:secret@a")).hasMessageNotContaining("secret");
        assertThatThrownBy(() -> of("http://u:secret@a b")).hasMessageNotContaining("secret");
        assertThatThrownBy(() -> of("https://a", "schema.registry.ssl.truststore.location", "/no/such/file"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("/no/such/file");
    }
}
