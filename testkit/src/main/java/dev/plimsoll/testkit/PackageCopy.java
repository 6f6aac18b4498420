package dev.plimsoll.testkit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.annotation.Annotation;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URI;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.JavaFileObject.Kind;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A package once more, with its tests, beside the one that everybody else uses: some of its sources are compiled anew, in memory; all
 * other classes of it are defined again from the same bytes.
 */
public final class PackageCopy extends ClassLoader {
    private static final JavaCompiler COMPILER =
            Objects.requireNonNull(ToolProvider.getSystemJavaCompiler(), "tests need a JDK, not a JRE");
    /** One for all copies: it keeps what it has read of the class path. */
    private static final JavaFileManager FILES = COMPILER.getStandardFileManager(null, null, null);

    private final String name;
    private final Map<String, byte[]> compiled;

    private PackageCopy(String name, Map<String, byte[]> compiled) {
        super(PackageCopy.class.getClassLoader());
        this.name = name;
        this.compiled = compiled;
    }

    /**
     * @param name of the package
     * @param sources texts by file name
     * @throws IllegalStateException where they do not compile
     */
    public static PackageCopy of(String name, Map<String, String> sources) {
        Map<String, ByteArrayOutputStream> written = new HashMap<>();
        List<Source> units = sources.entrySet().stream()
                .map(source -> new Source(name, source.getKey(), source.getValue()))
                .toList();
        StringWriter said = new StringWriter();
        List<String> options = List.of("-proc:none", "-nowarn", "-classpath", System.getProperty("java.class.path"));
        if (!COMPILER.getTask(said, new InMemory(written), null, options, null, units)
                .call()) {
            throw new IllegalStateException(sources.keySet() + " do not compile:\n" + said);
        }
        Map<String, byte[]> compiled = new HashMap<>();
        written.forEach((type, bytes) -> compiled.put(type, bytes.toByteArray()));
        return new PackageCopy(name, compiled);
    }

    /**
     * A method that failed.
     *
     * @param test names it alone, as {@link #firstFailure} takes it
     */
    public record Failure(String test, Throwable thrown) {}

    /**
     * Runs the methods with {@code @Test} of a test class of the package, in order of their names, until one fails.
     *
     * @param test name of the class, or {@code Class.method} for one method of it
     * @return the first that failed; empty when all pass
     */
    public Optional<Failure> firstFailure(String test) {
        int dot = test.indexOf('.');
        String className = dot < 0 ? test : test.substring(0, dot);
        try {
            Class<?> type = loadClass(name + "." + className);
            Constructor<?> constructor = type.getDeclaredConstructor();
            constructor.setAccessible(true);
            List<Method> methods = Stream.of(type.getDeclaredMethods())
                    .filter(method -> method.isAnnotationPresent(Test.class))
                    .filter(method -> dot < 0 || method.getName().equals(test.substring(dot + 1)))
                    .sorted(Comparator.comparing(Method::getName))
                    .toList();
            if (methods.isEmpty()) {
                throw new IllegalStateException(test + " is, or has, no method with @Test");
            }
            for (Method method : methods) {
                Optional<Throwable> thrown = thrown(method, constructor);
                if (thrown.isPresent()) {
                    return Optional.of(new Failure(className + "." + method.getName(), thrown.get()));
                }
            }
            return Optional.empty();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("cannot run " + test, e);
        }
    }

    /** Runs a method as JUnit does: on an object of its own, between what stands before and after each test. */
    private static Optional<Throwable> thrown(Method test, Constructor<?> constructor)
            throws ReflectiveOperationException {
        Object object = constructor.newInstance();
        try {
            try {
                for (Method before : annotated(constructor.getDeclaringClass(), BeforeEach.class)) {
                    before.invoke(object);
                }
                test.setAccessible(true);
                test.invoke(object);
            } finally {
                for (Method after : annotated(constructor.getDeclaringClass(), AfterEach.class)) {
                    after.invoke(object);
                }
            }
            return Optional.empty();
        } catch (InvocationTargetException e) {
            Throwable thrown = e.getTargetException();
            if (thrown instanceof LinkageError broken && !(thrown instanceof ExceptionInInitializerError)) {
                throw new IllegalStateException(test + " does not fit the copy of the package", broken);
            }
            return Optional.of(thrown);
        }
    }

    /** Methods of a class and of those that it extends, which come first. */
    private static List<Method> annotated(Class<?> type, Class<? extends Annotation> annotation) {
        if (type == Object.class) {
            return List.of();
        }
        List<Method> methods = new ArrayList<>(annotated(type.getSuperclass(), annotation));
        for (Method method : type.getDeclaredMethods()) {
            if (method.isAnnotationPresent(annotation)) {
                method.setAccessible(true);
                methods.add(method);
            }
        }
        return methods;
    }

    @Override
    protected Class<?> loadClass(String type, boolean resolve) throws ClassNotFoundException {
        if (!type.startsWith(name + ".")) {
            return super.loadClass(type, resolve);
        }
        synchronized (getClassLoadingLock(type)) {
            Class<?> loaded = findLoadedClass(type);
            return loaded == null ? define(type) : loaded;
        }
    }

    private Class<?> define(String type) throws ClassNotFoundException {
        byte[] bytes = compiled.get(type);
        if (bytes == null) {
            try (InputStream in = getResourceAsStream(type.replace('.', '/') + ".class")) {
                if (in == null) {
                    throw new ClassNotFoundException(type);
                }
                bytes = in.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return defineClass(type, bytes, 0, bytes.length);
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String name, String file, String text) {
            super(URI.create("string:///" + name.replace('.', '/') + "/" + file), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }

    private static final class InMemory extends ForwardingJavaFileManager<JavaFileManager> {
        private final Map<String, ByteArrayOutputStream> written;

        InMemory(Map<String, ByteArrayOutputStream> written) {
            super(FILES);
            this.written = written;
        }

        @Override
        public JavaFileObject getJavaFileForOutput(Location location, String className, Kind kind, FileObject sibling) {
            return new SimpleJavaFileObject(URI.create("memory:///" + className.replace('.', '/')), kind) {
                @Override
                public OutputStream openOutputStream() {
                    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                    written.put(className, bytes);
                    return bytes;
                }
            };
        }
    }
}
