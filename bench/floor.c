/*
 * The floor: what the system calls cost a client that does nothing else. One write of ready bytes and one read for
 * each batch, epoll in between, replies counted by their bytes.
 * floor PORT|SOCKET CONNECTIONS DEPTH SECONDS: prints operations per second and CPU per operation as JSON. A unix socket is
 * a path, with a slash.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define KEY "$16\r\nbench:1:00001234\r\n"
#define VALUE "$32\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"
static const char *requests[2] = {"*2\r\n$3\r\nGET\r\n" KEY, "*3\r\n$3\r\nSET\r\n" KEY VALUE};
static const size_t replyBytes[2] = {sizeof VALUE - 1, sizeof "+OK\r\n" - 1};
static const double warmupSeconds = 0.5;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

/* Two batches, GET and SET in turn, that differ in which comes first. */
static char *batches[2];
static size_t batchBytes[2], wanted[2];

static void makeBatches(int depth) {
    for (int first = 0; first < 2; first++) {
        batches[first] = malloc((size_t)depth * strlen(requests[1]) + 1);
        for (int i = 0; i < depth; i++) {
            int command = (i + first) % 2;
            strcpy(batches[first] + batchBytes[first], requests[command]);
            batchBytes[first] += strlen(requests[command]);
            wanted[first] += replyBytes[command];
        }
    }
}

static int connectTo(const char *place) {
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(place))};
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    strncpy(local.sun_path, place, sizeof local.sun_path - 1);
    int isLocal = strchr(place, '/') != NULL, on = 1;
    const struct sockaddr *address = isLocal ? (struct sockaddr *)&local : (struct sockaddr *)&loopback;
    int fd = socket(address->sa_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, address, isLocal ? sizeof local : sizeof loopback) != 0) fail("connect");
    if (!isLocal) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    int connections = atoi(argv[2]), depth = atoi(argv[3]);
    int *fds = malloc((size_t)connections * sizeof *fds);
    size_t *missing = malloc((size_t)connections * sizeof *missing);
    static char received[64 * 1024];
    makeBatches(depth);
    int epoll = epoll_create1(0);
    for (int i = 0; i < connections; i++) {
        fds[i] = connectTo(argv[1]);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (unsigned)i};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event);
    }
    /* A GET must find its value. */
    if (write(fds[0], requests[1], strlen(requests[1])) < 0 || read(fds[0], received, sizeof received) <= 0) fail("SET");

    for (int i = 0; i < connections; i++) {
        missing[i] = wanted[i % 2];
        if (write(fds[i], batches[i % 2], batchBytes[i % 2]) < 0) fail("write");
    }
    static struct epoll_event events[1024];
    struct rusage before, after;
    unsigned random = 1;
    long operations = 0;
    int measuring = 0;
    double startsAt = 0, endsAt = now() + warmupSeconds;
    for (;;) {
        int ready = epoll_wait(epoll, events, 1024, -1);
        for (int e = 0; e < ready; e++) {
            unsigned i = events[e].data.u32;
            ssize_t length = read(fds[i], received, sizeof received);
            if (length <= 0) fail("read");
            missing[i] -= (size_t)length;
            if (missing[i] > 0) continue;
            operations += depth;
            random = random * 1664525u + 1013904223u;
            int first = random >> 31;
            missing[i] = wanted[first];
            if (write(fds[i], batches[first], batchBytes[first]) < 0) fail("write");
        }
        double t = now();
        if (t < endsAt) continue;
        if (measuring) {
            getrusage(RUSAGE_SELF, &after);
            double user = seconds(after.ru_utime) - seconds(before.ru_utime);
            double system = seconds(after.ru_stime) - seconds(before.ru_stime);
            printf("{\"opsPerSecond\":%.0f,\"cpuMicrosPerOp\":%.5f,\"userMicrosPerOp\":%.5f}\n",
                   (double)operations / (t - startsAt), (user + system) / (double)operations * 1e6,
                   user / (double)operations * 1e6);
            return 0;
        }
        getrusage(RUSAGE_SELF, &before);
        measuring = 1;
        operations = 0;
        startsAt = t;
        endsAt = t + atof(argv[4]);
    }
}
