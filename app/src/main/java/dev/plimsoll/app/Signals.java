package dev.plimsoll.app;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SIGINT, SIGTERM and SIGHUP as requests to this process, for as long as this is open.
 *
 * <p>Left to itself the JVM begins its own shutdown with the signal, beside a main thread that is still starting parts; libraries
 * then fail with "Shutdown in progress". {@code sun.misc.Signal} has no public successor; where it is not there, or the JVM runs
 * with {@code -Xrs}, this hears nothing.
 */
public final class Signals implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Signals.class);
    private static final List<String> NAMES = List.of("INT", "TERM", "HUP");
    private static final int BASE = 128;

    private static volatile int received;

    /** {@code sun.misc.Signal} → the {@code sun.misc.SignalHandler} before ours. */
    private final Map<Object, Object> before = new HashMap<>();

    private Signals() {}

    /** @param handler told the number of every signal that comes, by a thread of its own */
    static Signals to(IntConsumer handler) {
        Signals signals = new Signals();
        for (String name : NAMES) {
            try {
                signals.handle(name, handler);
            } catch (ReflectiveOperationException e) {
                log.debug("SIG{} is left to the JVM", name, e);
            }
        }
        return signals;
    }

    /** The exit code of a process that would end with {@code code}: after a signal, 128 and its number in place of 0. */
    public static int exitCode(int code) {
        return code == 0 && received != 0 ? BASE + received : code;
    }

    private void handle(String name, IntConsumer handler) throws ReflectiveOperationException {
        Class<?> handlers = Class.forName("sun.misc.SignalHandler");
        Object signal =
                Class.forName("sun.misc.Signal").getConstructor(String.class).newInstance(name);
        int number = (int) signal.getClass().getMethod("getNumber").invoke(signal);
        Object ours = Proxy.newProxyInstance(
                Signals.class.getClassLoader(), new Class<?>[] {handlers}, (proxy, method, arguments) -> {
                    if (method.getName().equals("handle")) {
                        received = number;
                        handler.accept(number);
                        return null;
                    }
                    return ofObject(proxy, method, arguments);
                });
        before.put(signal, install(signal, ours));
    }

    private static Object install(Object signal, Object handler) throws ReflectiveOperationException {
        try {
            return signal.getClass()
                    .getMethod("handle", signal.getClass(), Class.forName("sun.misc.SignalHandler"))
                    .invoke(null, signal, handler);
        } catch (InvocationTargetException e) {
            throw new ReflectiveOperationException(e.getCause()); // the JVM keeps this signal for itself
        }
    }

    /** A proxy is asked for these too. */
    private static Object ofObject(Object proxy, Method method, Object[] arguments) {
        return switch (method.getName()) {
            case "equals" -> proxy == arguments[0];
            case "hashCode" -> System.identityHashCode(proxy);
            default -> "plimsoll's signal handler";
        };
    }

    /** Gives the signals back to whom they belonged before. */
    @Override
    public void close() {
        before.forEach((signal, handler) -> {
            try {
                install(signal, handler);
            } catch (ReflectiveOperationException e) {
                log.debug("{} stays with a lifecycle that has ended", signal, e);
            }
        });
        before.clear();
    }
}
