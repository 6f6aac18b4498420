package dev.plimsoll.app.metrics;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Listeners of one kind as one of them: whatever it is told, all are, in their order. What is given to be watched goes through all of
 * their hands.
 */
final class Told {
    private Told() {}

    static <L> L all(Class<L> kind, List<? extends L> listeners) {
        return kind.cast(Proxy.newProxyInstance(
                kind.getClassLoader(), new Class<?>[] {kind}, (proxy, method, told) -> all(method, told, listeners)));
    }

    private static @Nullable Object all(Method method, @Nullable Object @Nullable [] told, List<?> listeners)
            throws Throwable {
        if (method.getDeclaringClass() == Object.class) {
            return method.invoke(listeners, told);
        }
        boolean passedOn = method.getReturnType() != void.class;
        if (passedOn && method.getParameterCount() != 1) {
            throw new IllegalArgumentException(method + " returns something of which there would be several");
        }
        @Nullable Object @Nullable [] arguments = told;
        Object result = null;
        try {
            for (Object listener : listeners) {
                result = method.invoke(listener, arguments);
                if (passedOn) {
                    arguments = new Object[] {result};
                }
            }
            return result;
        } catch (InvocationTargetException e) {
            throw e.getCause() == null ? e : e.getCause();
        }
    }
}
