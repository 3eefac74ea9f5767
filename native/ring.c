/*
 * io_uring for the connections of one thread. JavaScript (src/pool/client/ring-socket.ts) decides what is sent and what a
 * reply means; this file moves bytes.
 *
 * Before libuv polls, the thread stays here for up to a millisecond while replies come: one io_uring_enter a turn submits all
 * sends that JavaScript has queued and waits for replies, then one call of JavaScript takes these and queues the next sends.
 * If none come, libuv waits, and an eventfd wakes it.
 *
 * A send carries MSG_DONTWAIT and MSG_WAITALL: the kernel copies all its bytes while it is submitted, or reports how many it
 * has taken. So the same memory serves every turn, and what is left of a send goes to libuv, which waits for room. As long as
 * it does, the thread waits there, too.
 *
 * To look for faults of memory: `CFLAGS="-g -fsanitize=address" npm run build:native`, then run with
 * `LD_PRELOAD=$(cc -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0` (V8 frees little at its end).
 */
#define _GNU_SOURCE
#include <node_api.h>
#include <uv.h>

#include <errno.h>
#include <linux/io_uring.h>
#include <linux/version.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error expected the headers of Linux 6.1 or later
#endif

/*
 * While a turn is submitted, a connection has two completions at most: of its send, and of a receive that was armed again.
 * The completion queue has room for them, so that the turn's first call of JavaScript knows of all that sends have left.
 */
enum { SQ_ENTRIES = 4096, CQ_ENTRIES = 32768, MAX_SLOTS = 16000, BUFFER_GROUP = 1 };
enum {
    RING_FLAGS = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_TASKRUN_FLAG
};
static const uint64_t turnNs = 1000000;

/* Max number of waits for memory in one `enter`, 1 ms each. */
enum { MAX_WAITS = 10000 };

/* Buffers for what arrives. Not a power of two: their beginnings must not compete for the same lines of the cache. */
enum { BUFFERS = 256, BUFFER_BYTES = 16 * 1024 + 64 };

/*
 * The control words: the numbers of sends that are queued, of those that wait in libuv, and of sockets that wait for buffers;
 * slot, offset and length of each queued send; the completions (`describe`).
 */
enum { QUEUED = 0, WAITING = 1, STARVED = 2, SENDS = 16, SEND_WORDS = 3, MAX_SENDS = 16384 };
enum { COMPLETIONS = SENDS + SEND_WORDS * MAX_SENDS, COMPLETION_WORDS = 4 };

/* What a completion belongs to: the highest bits of its user data, and the last word of what JavaScript gets. */
enum { OF_RECV = 0, OF_RECV_MORE = 1, OF_SEND = 2, OF_WATCH = 3, OF_CANCEL = 4 };

/* The values that JavaScript needs, exported as `layout`. */
static const struct {
    const char *name;
    int value;
} layout[] = {
    {"buffers", BUFFERS},
    {"receivedBytes", BUFFERS * BUFFER_BYTES},
    {"queued", QUEUED},
    {"waiting", WAITING},
    {"starved", STARVED},
    {"sends", SENDS},
    {"sendWords", SEND_WORDS},
    {"maxSends", MAX_SENDS},
    {"completions", COMPLETIONS},
    {"completionWords", COMPLETION_WORDS},
    {"controlWords", COMPLETIONS + COMPLETION_WORDS * CQ_ENTRIES},
    {"ofReceive", OF_RECV},
    {"ofReceiveMore", OF_RECV_MORE},
    {"ofSend", OF_SEND},
};

typedef struct {
    napi_env env;
    napi_async_cleanup_hook_handle cleanup;
    napi_ref onTurn, memory[3];
    napi_async_context context;
    int fd, registeredFd, eventFd;
    uint8_t *rings;
    size_t ringsBytes;
    _Atomic unsigned *sqTail, *sqFlags, *cqHead, *cqTail, *cqFlags;
    unsigned sqeTail, unsubmitted;
    struct io_uring_sqe *sqes;
    const struct io_uring_cqe *cqes;
    struct io_uring_buf_ring *buffers;
    uint16_t bufferTail, used[BUFFERS];
    unsigned usedCount;
    uint8_t *received, *outgoing;
    int32_t *control;
    unsigned slots, slotsInUse;
    uv_prepare_t prepare;
    uv_idle_t idle;
    uv_poll_t poll;
    int wakes, handles;
} Ring;

static long registerWith(Ring *ring, unsigned opcode, const void *argument, unsigned count) {
    return syscall(SYS_io_uring_register, ring->fd, opcode, argument, count);
}

/*
 * The kernel has no memory for a request. Sleeping leaves the core to other threads and processes, which may free some. This
 * thread cannot continue: JavaScript would overwrite the sends that are not yet submitted. It cannot wait for ever either,
 * because a thread that waits here cannot be terminated.
 */
static void waitForMemory(void) {
    static const struct timespec pause = {.tv_nsec = 1000000};
    nanosleep(&pause, NULL);
}

/* Submits everything, and waits for completions if `flags` has IORING_ENTER_GETEVENTS. */
static void enter(Ring *ring, unsigned flags, unsigned wanted, uint64_t waitNs) {
    struct __kernel_timespec timeout = {.tv_nsec = (long long)waitNs};
    struct io_uring_getevents_arg arg = {.ts = (uint64_t)(uintptr_t)&timeout};
    flags |= IORING_ENTER_EXT_ARG | IORING_ENTER_REGISTERED_RING;
    atomic_store_explicit(ring->sqTail, ring->sqeTail, memory_order_release);
    int waits = 0;
    do {
        long result = syscall(SYS_io_uring_enter, ring->registeredFd, ring->unsubmitted, wanted, flags, &arg, sizeof arg);
        if (result >= 0) ring->unsubmitted -= (unsigned)result;
        else if (errno == EAGAIN && waits++ < MAX_WAITS) waitForMemory();
        else if (errno != EINTR && errno != ETIME)
            napi_fatal_error("io_uring_enter", NAPI_AUTO_LENGTH,
                             errno == EAGAIN ? "the kernel had no memory for 10 s (free memory, or use the transport direct)"
                                             : strerror(errno),
                             NAPI_AUTO_LENGTH);
    } while (ring->unsubmitted > 0);
}

/* @returns an operation on a slot, which goes to the kernel with the next `enter` */
static struct io_uring_sqe *push(Ring *ring, uint8_t opcode, int32_t slot, uint64_t kind) {
    /* Without taking replies, for which the completion queue has no room yet. */
    if (ring->unsubmitted == SQ_ENTRIES) enter(ring, 0, 0, 0);
    struct io_uring_sqe *sqe = &ring->sqes[ring->sqeTail++ & (SQ_ENTRIES - 1)];
    ring->unsubmitted++;
    memset(sqe, 0, sizeof *sqe);
    sqe->opcode = opcode;
    sqe->flags = IOSQE_FIXED_FILE;
    sqe->fd = slot;
    sqe->user_data = kind << 60 | (uint32_t)slot;
    return sqe;
}

static void pushReceive(Ring *ring, int32_t slot) {
    struct io_uring_sqe *sqe = push(ring, IORING_OP_RECV, slot, OF_RECV);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->ioprio = IORING_RECV_MULTISHOT;
    sqe->buf_group = BUFFER_GROUP;
}

/* By user data: the kernel would have to look at all operations to find those of a file. */
static void pushCancel(Ring *ring, int32_t slot, uint64_t kind) {
    struct io_uring_sqe *sqe = push(ring, IORING_OP_ASYNC_CANCEL, slot, OF_CANCEL);
    sqe->flags = IOSQE_CQE_SKIP_SUCCESS;
    sqe->addr = kind << 60 | (uint32_t)slot;
}

/* Submits the sends that JavaScript has queued. */
static void takeSends(Ring *ring) {
    const int32_t *send = ring->control + SENDS;
    for (int32_t index = 0; index < ring->control[QUEUED]; index++, send += SEND_WORDS) {
        /* JavaScript has taken it back. */
        if (send[0] < 0) continue;
        struct io_uring_sqe *sqe = push(ring, IORING_OP_SEND, send[0], OF_SEND);
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
        sqe->addr = (uint64_t)(uintptr_t)(ring->outgoing + send[1]);
        sqe->len = (uint32_t)send[2];
        sqe->msg_flags = MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL;
        sqe->user_data = (uint64_t)OF_SEND << 60 | (uint32_t)index;
    }
    ring->control[QUEUED] = 0;
}

static void recycle(Ring *ring) {
    for (unsigned i = 0; i < ring->usedCount; i++) {
        uint16_t id = ring->used[i];
        /* Not the whole entry: the queue's tail is in the first one. */
        struct io_uring_buf *buffer = &ring->buffers->bufs[ring->bufferTail++ & (BUFFERS - 1)];
        buffer->addr = (uint64_t)(uintptr_t)(ring->received + (size_t)id * BUFFER_BYTES);
        buffer->len = BUFFER_BYTES;
        buffer->bid = id;
    }
    if (ring->usedCount > 0)
        atomic_store_explicit((_Atomic uint16_t *)&ring->buffers->tail, ring->bufferTail, memory_order_release);
    ring->usedCount = 0;
}

/* Writes a completion for JavaScript: slot, result, offset in a buffer, kind. @returns whether it has to know of it */
static int describe(Ring *ring, const struct io_uring_cqe *cqe, int32_t *out) {
    unsigned kind = (unsigned)(cqe->user_data >> 60);
    out[0] = (int32_t)cqe->user_data;
    out[1] = cqe->res;
    if (kind == OF_RECV) {
        if (cqe->flags & IORING_CQE_F_BUFFER) {
            uint16_t id = (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
            ring->used[ring->usedCount++] = id;
            out[2] = id * BUFFER_BYTES;
        }
        if (cqe->flags & IORING_CQE_F_MORE) kind = OF_RECV_MORE;
    } else if (kind == OF_SEND) {
        /* JavaScript has queued nothing since, so its words are still there. What is left of it: */
        const int32_t *send = ring->control + SENDS + SEND_WORDS * out[0];
        int32_t taken = cqe->res > 0 ? cqe->res : 0;
        out[0] = send[0];
        out[2] = send[1] + taken;
        if (cqe->res >= 0 || cqe->res == -EAGAIN) out[1] = send[2] - taken;
    }
    out[3] = (int32_t)kind;
    return kind != OF_CANCEL;
}

/* @returns the number of completions for JavaScript */
static unsigned reap(Ring *ring) {
    unsigned head = atomic_load_explicit(ring->cqHead, memory_order_relaxed);
    unsigned tail = atomic_load_explicit(ring->cqTail, memory_order_acquire);
    unsigned count = 0;
    /* What sends have left comes first: on a reply behind it JavaScript could send something that overtakes it. */
    for (int sends = 1; sends >= 0; sends--)
        for (unsigned at = head; at != tail; at++) {
            const struct io_uring_cqe *cqe = &ring->cqes[at & (CQ_ENTRIES - 1)];
            if ((cqe->user_data >> 60 == OF_SEND) != sends) continue;
            count += (unsigned)describe(ring, cqe, ring->control + COMPLETIONS + COMPLETION_WORDS * count);
        }
    atomic_store_explicit(ring->cqHead, tail, memory_order_release);
    return count;
}

static void callJavaScript(Ring *ring, unsigned count) {
    napi_env env = ring->env;
    napi_handle_scope scope;
    napi_value function, global, argument, result, error;
    napi_open_handle_scope(env, &scope);
    napi_get_reference_value(env, ring->onTurn, &function);
    napi_create_uint32(env, count, &argument);
    napi_get_global(env, &global);
    /* Runs microtasks, too. */
    if (napi_make_callback(env, ring->context, global, function, 1, &argument, &result) == napi_pending_exception &&
        napi_get_and_clear_last_exception(env, &error) == napi_ok)
        napi_fatal_exception(env, error);
    napi_close_handle_scope(env, scope);
}

static void onReadable(uv_poll_t *handle, int status, int events) {
    uint64_t count;
    (void)status, (void)events;
    if (read(((Ring *)handle->data)->eventFd, &count, sizeof count) < 0) return;
}

static void onIdle(uv_idle_t *handle) { (void)handle; }

/*
 * An event and not the ring itself: with DEFER_TASKRUN a poll of the ring does not wake for replies that still have to be
 * taken. @returns whether some have come before the event was on
 */
static int wakeByLibuv(Ring *ring, int wakes) {
    if (wakes == ring->wakes) return 0;
    ring->wakes = wakes;
    atomic_store(ring->cqFlags, wakes ? 0 : IORING_CQ_EVENTFD_DISABLED);
    return wakes && (atomic_load(ring->sqFlags) & IORING_SQ_TASKRUN);
}

static void runTurns(uv_prepare_t *handle) {
    Ring *ring = handle->data;
    /* How long libuv would wait; while the idle handle runs it would not at all. */
    uv_idle_stop(&ring->idle);
    uint64_t now = uv_hrtime(), end = now + (uv_backend_timeout(handle->loop) == 0 ? 0 : turnNs);
    int active = ring->control[QUEUED] > 0 || !ring->wakes;
    do {
        takeSends(ring);
        int stays = active && now < end && ring->control[WAITING] == 0 && ring->control[STARVED] == 0;
        enter(ring, IORING_ENTER_GETEVENTS, stays, stays ? end - now : 0);
        unsigned reaped = 0;
        for (unsigned count; (count = reap(ring)) > 0; reaped += count) {
            callJavaScript(ring, count);
            recycle(ring);
        }
        if (reaped == 0 && ring->control[STARVED] > 0) callJavaScript(ring, 0);
        active = reaped > 0 || ring->control[QUEUED] > 0 || ring->control[STARVED] > 0 || ring->unsubmitted > 0;
        now = uv_hrtime();
    } while (active && now < end && ring->control[WAITING] == 0);
    int missed = wakeByLibuv(ring, !active);
    /* Libuv must look for other events, but not wait for them. */
    if (active || missed) uv_idle_start(&ring->idle, onIdle);
}

static void *map(Ring *ring, size_t bytes, uint64_t offset) {
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, (off_t)offset);
}

/* @returns 0, or a negative error of the system */
static int setUp(Ring *ring) {
    struct io_uring_params params = {.flags = RING_FLAGS, .cq_entries = CQ_ENTRIES};
    ring->fd = (int)syscall(SYS_io_uring_setup, SQ_ENTRIES, &params);
    if (ring->fd < 0) return -errno;
    size_t sqBytes = params.sq_off.array + SQ_ENTRIES * sizeof(unsigned);
    size_t cqBytes = params.cq_off.cqes + CQ_ENTRIES * sizeof(struct io_uring_cqe);
    ring->ringsBytes = sqBytes > cqBytes ? sqBytes : cqBytes;
    ring->rings = map(ring, ring->ringsBytes, IORING_OFF_SQ_RING);
    ring->sqes = map(ring, SQ_ENTRIES * sizeof *ring->sqes, IORING_OFF_SQES);
    if (ring->rings == MAP_FAILED || ring->sqes == MAP_FAILED) return -errno;
    ring->sqTail = (_Atomic unsigned *)(ring->rings + params.sq_off.tail);
    ring->sqFlags = (_Atomic unsigned *)(ring->rings + params.sq_off.flags);
    ring->cqHead = (_Atomic unsigned *)(ring->rings + params.cq_off.head);
    ring->cqTail = (_Atomic unsigned *)(ring->rings + params.cq_off.tail);
    ring->cqFlags = (_Atomic unsigned *)(ring->rings + params.cq_off.flags);
    ring->cqes = (struct io_uring_cqe *)(ring->rings + params.cq_off.cqes);
    unsigned *array = (unsigned *)(ring->rings + params.sq_off.array);
    for (unsigned i = 0; i < SQ_ENTRIES; i++) array[i] = i;

    struct io_uring_rsrc_update self = {.offset = -1U, .data = (uint64_t)ring->fd};
    if (registerWith(ring, IORING_REGISTER_RING_FDS, &self, 1) != 1) return -errno;
    ring->registeredFd = (int)self.offset;

    ring->eventFd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (ring->eventFd < 0 || registerWith(ring, IORING_REGISTER_EVENTFD, &ring->eventFd, 1) != 0) return -errno;
    atomic_store(ring->cqFlags, IORING_CQ_EVENTFD_DISABLED);

    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    ring->slots = files.rlim_cur < MAX_SLOTS ? (unsigned)files.rlim_cur : MAX_SLOTS;
    struct io_uring_rsrc_register slots = {.nr = ring->slots, .flags = IORING_RSRC_REGISTER_SPARSE};
    if (registerWith(ring, IORING_REGISTER_FILES2, &slots, sizeof slots) != 0) return -errno;

    ring->buffers = mmap(NULL, BUFFERS * sizeof(struct io_uring_buf), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                         -1, 0);
    if (ring->buffers == MAP_FAILED) return -errno;
    struct io_uring_buf_reg group = {
        .ring_addr = (uint64_t)(uintptr_t)ring->buffers, .ring_entries = BUFFERS, .bgid = BUFFER_GROUP};
    if (registerWith(ring, IORING_REGISTER_PBUF_RING, &group, 1) != 0) return -errno;
    while (ring->usedCount < BUFFERS) {
        ring->used[ring->usedCount] = (uint16_t)ring->usedCount;
        ring->usedCount++;
    }
    recycle(ring);
    return 0;
}

/* Of a ring that was set up in part, the calls for what is missing fail. */
static void closeRing(Ring *ring) {
    /* The thread's own reference: without this the ring would last as long as the thread. */
    struct io_uring_rsrc_update self = {.offset = (unsigned)ring->registeredFd};
    registerWith(ring, IORING_UNREGISTER_RING_FDS, &self, 1);
    close(ring->fd);
    munmap(ring->rings, ring->ringsBytes);
    munmap(ring->sqes, SQ_ENTRIES * sizeof *ring->sqes);
    munmap(ring->buffers, BUFFERS * sizeof(struct io_uring_buf));
}

static void freeRing(Ring *ring) {
    close(ring->eventFd);
    free(ring);
}

static void onClosed(uv_handle_t *handle) {
    Ring *ring = handle->data;
    if (--ring->handles > 0) return;
    napi_remove_async_cleanup_hook(ring->cleanup);
    freeRing(ring);
}

/* The thread ends. */
static void tearDown(napi_async_cleanup_hook_handle hook, void *data) {
    (void)hook;
    Ring *ring = data;
    closeRing(ring);
    ring->handles = 3;
    uv_close((uv_handle_t *)&ring->prepare, onClosed);
    uv_close((uv_handle_t *)&ring->idle, onClosed);
    uv_close((uv_handle_t *)&ring->poll, onClosed);
}

static Ring *ringOf(napi_env env) {
    Ring *ring = NULL;
    napi_get_instance_data(env, (void **)&ring);
    return ring;
}

static napi_value number(napi_env env, int value) {
    napi_value result;
    napi_create_int32(env, value, &result);
    return result;
}

/* open(received, outgoing, control, onTurn): 0, or a negative error. The first three are memory that JavaScript owns. */
static napi_value openRing(napi_env env, napi_callback_info info) {
    size_t count = 4;
    napi_value args[4];
    void *memory[3];
    napi_get_cb_info(env, info, &count, args, NULL, NULL);
    for (int i = 0; i < 3; i++) napi_get_buffer_info(env, args[i], &memory[i], NULL);
    if (ringOf(env) != NULL) return number(env, -EBUSY);
    Ring *ring = calloc(1, sizeof *ring);
    if (ring == NULL) return number(env, -ENOMEM);
    ring->env = env;
    ring->fd = ring->registeredFd = ring->eventFd = -1;
    ring->received = memory[0];
    ring->outgoing = memory[1];
    ring->control = memory[2];
    uv_loop_t *loop;
    napi_get_uv_event_loop(env, &loop);
    int status = setUp(ring);
    if (status == 0) status = uv_poll_init(loop, &ring->poll, ring->eventFd);
    if (status != 0) {
        closeRing(ring);
        freeRing(ring);
        return number(env, status);
    }
    for (int i = 0; i < 3; i++) napi_create_reference(env, args[i], 1, &ring->memory[i]);
    napi_create_reference(env, args[3], 1, &ring->onTurn);
    napi_value name;
    napi_create_string_utf8(env, "ring", NAPI_AUTO_LENGTH, &name);
    napi_async_init(env, NULL, name, &ring->context);
    uv_prepare_init(loop, &ring->prepare);
    uv_idle_init(loop, &ring->idle);
    ring->prepare.data = ring->idle.data = ring->poll.data = ring;
    uv_prepare_start(&ring->prepare, runTurns);
    uv_poll_start(&ring->poll, UV_READABLE, onReadable);
    uv_unref((uv_handle_t *)&ring->prepare);
    uv_unref((uv_handle_t *)&ring->idle);
    uv_unref((uv_handle_t *)&ring->poll);
    napi_set_instance_data(env, ring, NULL, NULL);
    napi_add_async_cleanup_hook(env, tearDown, ring, &ring->cleanup);
    return number(env, 0);
}

static int setFile(Ring *ring, int32_t slot, int fd) {
    struct io_uring_files_update update = {.offset = (unsigned)slot, .fds = (uint64_t)(uintptr_t)&fd};
    return registerWith(ring, IORING_REGISTER_FILES_UPDATE, &update, 1) == 1 ? 0 : -errno;
}

static int32_t slotOf(napi_env env, napi_callback_info info, size_t count, napi_value *args) {
    int32_t slot;
    napi_get_cb_info(env, info, &count, args, NULL, NULL);
    napi_get_value_int32(env, args[0], &slot);
    return slot;
}

/* add(slot, fd): receives from now on, and watches for the end. 0, or a negative error of the system */
static napi_value add(napi_env env, napi_callback_info info) {
    Ring *ring = ringOf(env);
    napi_value args[2];
    int32_t slot = slotOf(env, info, 2, args);
    int fd;
    napi_get_value_int32(env, args[1], &fd);
    int status = (unsigned)slot < ring->slots ? setFile(ring, slot, fd) : -EMFILE;
    if (status != 0) return number(env, status);
    pushReceive(ring, slot);
    /*
     * A poll without events: errors and hang-ups are always told. A multishot receive does not tell all of them: if it is
     * armed when more than 32 buffers of bytes and a reset are already there, as after ENOBUFS, the kernel (6.18.44) takes
     * the bytes, forgets the reset and waits for ever. Older ones lose any reset right behind bytes (CVE-2026-23473).
     */
    push(ring, IORING_OP_POLL_ADD, slot, OF_WATCH);
    /* Open sockets keep the thread alive. */
    if (ring->slotsInUse++ == 0) uv_ref((uv_handle_t *)&ring->poll);
    return number(env, 0);
}

/* arm(slot): receives again, after a receive that has ended */
static napi_value arm(napi_env env, napi_callback_info info) {
    napi_value args[1];
    int32_t slot = slotOf(env, info, 1, args);
    pushReceive(ringOf(env), slot);
    return NULL;
}

/* stop(slot): ends receiving, with a completion of the receive */
static napi_value stop(napi_env env, napi_callback_info info) {
    napi_value args[1];
    int32_t slot = slotOf(env, info, 1, args);
    pushCancel(ringOf(env), slot, OF_RECV);
    return NULL;
}

/* remove(slot, fd): ends the connection, cancels what the kernel still does, with a completion of each, and lets go of the file */
static napi_value removeSlot(napi_env env, napi_callback_info info) {
    Ring *ring = ringOf(env);
    napi_value args[2];
    int32_t slot = slotOf(env, info, 2, args);
    int fd;
    napi_get_value_int32(env, args[1], &fd);
    /*
     * Not left to close(): before Linux 6.13 a ring keeps a file that was removed until all older operations have ended, also
     * those of other sockets (axboe/liburing#1192), and the server would keep the connection.
     */
    shutdown(fd, SHUT_RDWR);
    pushCancel(ring, slot, OF_RECV);
    pushCancel(ring, slot, OF_WATCH);
    /* Operations that are not yet submitted fail without the file. */
    setFile(ring, slot, -1);
    if (--ring->slotsInUse == 0) uv_unref((uv_handle_t *)&ring->poll);
    return NULL;
}

/* probe(): 0 if the kernel lets this process have a ring, or a negative error */
static napi_value probe(napi_env env, napi_callback_info info) {
    (void)info;
    struct io_uring_params params = {.flags = RING_FLAGS, .cq_entries = 16};
    int fd = (int)syscall(SYS_io_uring_setup, 8, &params);
    if (fd < 0) return number(env, -errno);
    close(fd);
    return number(env, 0);
}

NAPI_MODULE_INIT() {
    const napi_property_descriptor functions[] = {
        {"open", NULL, openRing, NULL, NULL, NULL, napi_enumerable, NULL},
        {"add", NULL, add, NULL, NULL, NULL, napi_enumerable, NULL},
        {"arm", NULL, arm, NULL, NULL, NULL, napi_enumerable, NULL},
        {"stop", NULL, stop, NULL, NULL, NULL, napi_enumerable, NULL},
        {"remove", NULL, removeSlot, NULL, NULL, NULL, napi_enumerable, NULL},
        {"probe", NULL, probe, NULL, NULL, NULL, napi_enumerable, NULL},
    };
    napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
    napi_value words;
    napi_create_object(env, &words);
    for (size_t i = 0; i < sizeof layout / sizeof *layout; i++)
        napi_set_named_property(env, words, layout[i].name, number(env, layout[i].value));
    napi_set_named_property(env, exports, "layout", words);
    return exports;
}
