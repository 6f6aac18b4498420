package dev.plimsoll.wire.kafka;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Makes a Kafka client of an object that has the methods in use; all others refuse, so that nothing passes for simulated that is not. */
final class SimClient {
    private static final Map<Class<?>, Map<Method, Method>> METHODS = new ConcurrentHashMap<>();

    private SimClient() {}

    static <C> C of(Class<C> type, Object played) {
        Map<Method, Method> methods = METHODS.computeIfAbsent(played.getClass(), by -> methods(type, by));
        InvocationHandler handler = (proxy, method, arguments) -> {
            Method own = methods.get(method);
            if (own == null) {
                if (method.getName().equals("toString")) {
                    return played.toString();
                }
                throw new UnsupportedOperationException(method + " is not simulated");
            }
            try {
                return own.invoke(played, arguments);
            } catch (InvocationTargetException e) {
                throw e.getTargetException();
            }
        };
        return type.cast(Proxy.newProxyInstance(SimClient.class.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static Map<Method, Method> methods(Class<?> type, Class<?> by) {
        Map<Method, Method> found = new HashMap<>();
        for (Method method : type.getMethods()) {
            try {
                Method own = by.getDeclaredMethod(method.getName(), method.getParameterTypes());
                own.setAccessible(true);
                found.put(method, own);
            } catch (NoSuchMethodException e) {
                // Not in use.
            }
        }
        return found;
    }
}
