# One image for all roles: docker build -t plimsoll . && docker run --rm plimsoll --help

FROM eclipse-temurin:25.0.3_9-jdk-noble AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/root/.m2 \
    ./mvnw -B -ntp -T 1C -Plaunch -pl app -am package -DskipTests

FROM eclipse-temurin:25.0.3_9-jre-noble
RUN apt-get update \
 && apt-get install -y --no-install-recommends curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --no-create-home plimsoll \
 && install -d -o plimsoll -g plimsoll /run/plimsoll
COPY --from=build /src/app/target/lib /opt/plimsoll/lib
COPY --from=build /src/app/target/plimsoll.jar /opt/plimsoll/
# The archive of classes that every JVM of this image maps in place of loading them one by one: made by a short run of the whole
# loop, with the JVM and the jars that it is for; where that cannot run, by a command that does nothing.
RUN for command in "up --ranks 4 --boundary 8 --window 64 --metrics-port 0 --for 10s" "--version"; do \
      java -Xmx512m -XX:+UseG1GC -XX:ArchiveClassesAtExit=/opt/plimsoll/plimsoll.jsa -Dorg.bytedeco.javacpp.cachedir=/tmp/javacpp \
        -cp /opt/plimsoll/plimsoll.jar dev.plimsoll.app.Plimsoll $command && break; \
    done \
 && rm -rf /tmp/javacpp
USER plimsoll
EXPOSE 9400

# Native libraries are unpacked under /tmp, so that the rest can be read-only; it must be writable and allow execution.
ENTRYPOINT ["java", \
    "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", \
    "-XX:MaxRAMPercentage=60", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=50", \
    "-XX:SharedArchiveFile=/opt/plimsoll/plimsoll.jsa", \
    "-XX:Tier4InvocationThreshold=50000", "-XX:Tier4CompileThreshold=150000", \
    "-XX:+DisplayVMOutputToStderr", "-Xlog:disable", "-Xlog:all=warning:stderr", \
    "-Xlog:cds*=off:stderr", "-Xlog:class+path=off:stderr", \
    "-Dorg.bytedeco.javacpp.cachedir=/tmp/javacpp", \
    "-cp", "/opt/plimsoll/plimsoll.jar", "dev.plimsoll.app.Plimsoll"]

# Whether the process still turns, not whether Kafka is there: a restart would not bring Kafka back.
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=6 \
    CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:9400/livez"]
