package dev.plimsoll.app.metrics;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;

/** Listeners of one kind as one of them: whatever it is told, all are, in their order. For listeners whose methods return nothing. */
final class Told {
    private Told() {}

    static <L> L all(Class<L> kind, List<? extends L> listeners) {
        return kind.cast(Proxy.newProxyInstance(kind.getClassLoader(), new Class<?>[] {kind}, (proxy, method, told) -> {
            if (method.getDeclaringClass() == Object.class) {
                return method.invoke(listeners, told);
            }
            try {
                for (L listener : listeners) {
                    method.invoke(listener, told);
                }
                return null;
            } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
            }
        }));
    }
}
