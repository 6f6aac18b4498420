package dev.plimsoll.app.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ToldTest {
    private final List<String> heard = new ArrayList<>();

    /** As our listeners are: methods that nobody has to override. */
    interface Listener {
        default void said(String what) {}

        default String watched(String what) {
            return what;
        }

        default void added(int later) {}

        default int sum(int a, int b) {
            return a + b;
        }
    }

    private final Listener all = Told.all(Listener.class, List.of(named("a"), named("b")));

    private Listener named(String name) {
        return new Listener() {
            @Override
            public void said(String what) {
                heard.add(name + " heard " + what);
                if (what.equals("bad")) {
                    throw new IllegalStateException(name);
                }
            }

            @Override
            public String watched(String what) {
                return name + "(" + what + ")";
            }
        };
    }

    @Test
    void everyListenerIsToldInOrderAndMayLackAMethod() {
        all.said("x");
        all.added(1);

        assertThat(heard).containsExactly("a heard x", "b heard x");
    }

    @Test
    void whatIsWatchedGoesThroughAllHands() {
        assertThat(all.watched("flow")).isEqualTo("b(a(flow))");
    }

    @Test
    void whatAListenerThrowsIsThrownAsItIs() {
        assertThatThrownBy(() -> all.said("bad"))
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasMessage("a");
    }

    @Test
    void methodWithSeveralResultsIsRefused() {
        assertThatThrownBy(() -> all.sum(1, 2)).isInstanceOf(IllegalArgumentException.class);
    }
}
