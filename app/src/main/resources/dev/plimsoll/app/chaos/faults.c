/* Faults from within a process of 'plimsoll chaos decisions': loaded before all libraries by LD_PRELOAD, compiled when it is needed.
 *
 * PLIMSOLL_CLOCK_MILLIS  what the process's wall clock is ahead (below 0: behind); clocks that only run are left alone.
 * PLIMSOLL_PORTS=E,G     a signal 44 ends all TCP connections but those of these two ports, 45 those of port G: both sides see them lost,
 *                        as when a link breaks. The calls in the handler are async-signal-safe (POSIX.1-2017, 2.4.3).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#define CUT_WEIGHTS 44
#define CUT_GATHERS 45
#define MOST_DESCRIPTORS 4096

static int (*clock_now)(clockid_t, struct timespec *);
static int clock_known;
static long long clock_millis;
static int engine_port;
static int gather_port;

static int port_of(const struct sockaddr_storage *address) {
    return address->ss_family == AF_INET ? ntohs(((const struct sockaddr_in *)address)->sin_port)
         : address->ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)address)->sin6_port)
                                          : -1;
}

static void cut(int signal) {
    const int before = errno;
    for (int fd = 3; fd < MOST_DESCRIPTORS; fd++) {
        struct sockaddr_storage here, there;
        socklen_t here_size = sizeof here, there_size = sizeof there;
        if (getsockname(fd, (struct sockaddr *)&here, &here_size) != 0 ||
            getpeername(fd, (struct sockaddr *)&there, &there_size) != 0) {
            continue;
        }
        const int one = port_of(&here), other = port_of(&there);
        if (one < 0 || one == engine_port || other == engine_port) {
            continue;
        }
        const int gathers = one == gather_port || other == gather_port;
        if (gathers == (signal == CUT_GATHERS)) {
            shutdown(fd, SHUT_RDWR);
        }
    }
    errno = before;
}

static void prepare(void) {
    const char *millis = getenv("PLIMSOLL_CLOCK_MILLIS");
    clock_millis = millis ? atoll(millis) : 0;
    clock_now = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    clock_known = 1;
}

__attribute__((constructor)) static void begin(void) {
    const char *ports = getenv("PLIMSOLL_PORTS");
    prepare();
    if (ports) {
        struct sigaction action;
        const char *comma = strchr(ports, ',');
        engine_port = atoi(ports);
        gather_port = comma ? atoi(comma + 1) : 0;
        memset(&action, 0, sizeof action);
        action.sa_handler = cut;
        action.sa_flags = SA_RESTART;
        sigaction(CUT_WEIGHTS, &action, NULL);
        sigaction(CUT_GATHERS, &action, NULL);
    }
}

int clock_gettime(clockid_t id, struct timespec *time) {
    if (!clock_known) {
        prepare();
    }
    const int result = clock_now(id, time);
    if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        const long long nanos = time->tv_nsec + clock_millis % 1000 * 1000000;
        time->tv_sec += clock_millis / 1000 + (nanos < 0 ? -1 : nanos / 1000000000);
        time->tv_nsec = nanos < 0 ? nanos + 1000000000 : nanos % 1000000000;
    }
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    struct timespec now;
    const int result = clock_gettime(CLOCK_REALTIME, &now);
    (void)zone;
    if (result == 0) {
        time->tv_sec = now.tv_sec;
        time->tv_usec = now.tv_nsec / 1000;
    }
    return result;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}
