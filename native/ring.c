/*
 * io_uring for the connections of one thread. JavaScript (src/pool/client/ring-socket.ts) decides what is sent and what a
 * reply means; this file moves bytes.
 *
 * Before libuv polls, the thread stays here for up to a millisecond while replies come: one io_uring_enter a turn submits all
 * sends that JavaScript has queued and waits for replies, then one call of JavaScript takes these and queues the next sends.
 * If none come, libuv waits, and an eventfd wakes it.
 *
 * A send carries MSG_DONTWAIT and MSG_WAITALL: the kernel takes all its bytes while it is submitted, or reports how many it
 * took. So the bytes can be used again after the next turn, and no reference has to be kept. What is left goes as a `kept`
 * send, which waits in the kernel and holds a reference to its buffer.
 */
#define _GNU_SOURCE
#include <node_api.h>
#include <uv.h>

#include <errno.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SQ_ENTRIES = 4096, CQ_ENTRIES = 16384, BUFFER_GROUP = 1, MAX_SLOTS = 1 << 16 };
enum {
    RING_FLAGS = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_TASKRUN_FLAG
};
static const uint64_t turnNs = 1000000;

/* The control words, shared with ring-socket.ts. */
enum { QUEUED = 0, TURN = 1, SENDS = 16, MAX_SENDS = 16384, COMPLETIONS = SENDS + 3 * MAX_SENDS };
enum { MAX_COMPLETIONS = 4096, CONTROL_WORDS = COMPLETIONS + 4 * MAX_COMPLETIONS };

/* The last word of a completion. The length of a send that has something left stands above its bit. */
enum { RECEIVED = 0, HAS_MORE = 1, SEND_LEFT = 2, KEPT_DONE = 4, HUNG_UP = 5 };

/* What a completion belongs to: the highest bits of its user data. */
enum { OF_RECV = 0, OF_SEND = 1, OF_KEPT = 2, OF_CANCEL = 3, OF_WATCH = 4 };
#define KIND(data) ((data) >> 60)

typedef struct {
    napi_env env;
    napi_async_cleanup_hook_handle cleanup;
    napi_ref onTurn, memory[3];
    napi_async_context context;
    int fd, registeredFd, eventFd;
    _Atomic unsigned *cqFlags;
    void *rings;
    size_t ringsBytes;
    _Atomic unsigned *sqHead, *sqTail, *sqFlags, *cqHead, *cqTail;
    unsigned sqMask, cqMask, unsubmitted;
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
    struct io_uring_buf_ring *buffers;
    unsigned bufferCount, bufferBytes;
    uint16_t bufferTail;
    uint16_t used[MAX_COMPLETIONS];
    unsigned usedCount;
    uint8_t *received, *outgoing;
    int32_t *control;
    /* Of each slot: the buffer that the kernel still reads; NULL: none. */
    napi_ref *kept;
    unsigned slots, filesInUse;
    uv_prepare_t prepare;
    uv_idle_t idle;
    uv_poll_t poll;
    int wakes, open, handles;
} Ring;

static int enter(Ring *ring, unsigned wanted, uint64_t waitNs) {
    struct __kernel_timespec timeout = {.tv_sec = 0, .tv_nsec = (long long)waitNs};
    struct io_uring_getevents_arg arg = {.ts = (uint64_t)(uintptr_t)&timeout};
    int result = (int)syscall(SYS_io_uring_enter, ring->registeredFd, ring->unsubmitted, wanted,
                              IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | IORING_ENTER_REGISTERED_RING, &arg,
                              sizeof arg);
    if (result > 0) ring->unsubmitted -= (unsigned)result;
    return result < 0 ? -errno : result;
}

/* @returns NULL if the queue is full and the kernel takes none of it */
static struct io_uring_sqe *nextSqe(Ring *ring) {
    unsigned tail = atomic_load_explicit(ring->sqTail, memory_order_relaxed);
    while (tail - atomic_load_explicit(ring->sqHead, memory_order_acquire) > ring->sqMask) {
        int result = enter(ring, 0, 0);
        if (result < 0 && result != -EINTR) return NULL;
    }
    struct io_uring_sqe *sqe = &ring->sqes[tail & ring->sqMask];
    memset(sqe, 0, sizeof *sqe);
    return sqe;
}

static void pushSqe(Ring *ring) {
    unsigned tail = atomic_load_explicit(ring->sqTail, memory_order_relaxed);
    atomic_store_explicit(ring->sqTail, tail + 1, memory_order_release);
    ring->unsubmitted++;
}

static int arm(Ring *ring, uint32_t slot) {
    struct io_uring_sqe *sqe = nextSqe(ring);
    if (sqe == NULL) return -EAGAIN;
    sqe->opcode = IORING_OP_RECV;
    sqe->flags = IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
    sqe->ioprio = IORING_RECV_MULTISHOT;
    sqe->fd = (int)slot;
    sqe->buf_group = BUFFER_GROUP;
    sqe->user_data = slot;
    pushSqe(ring);
    return 0;
}

/*
 * Watches for the end of a connection, once. A multishot receive does not always tell it: if it is armed when more than 32
 * buffers of bytes and a reset are already there, as after ENOBUFS, the kernel (6.18.44) takes the bytes, forgets the reset
 * and waits for ever. Older ones lose any reset that comes right behind bytes (CVE-2026-23473).
 */
static int watch(Ring *ring, uint32_t slot) {
    struct io_uring_sqe *sqe = nextSqe(ring);
    if (sqe == NULL) return -EAGAIN;
    /* Without events: errors and hang-ups are always told. */
    sqe->opcode = IORING_OP_POLL_ADD;
    sqe->flags = IOSQE_FIXED_FILE;
    sqe->fd = (int)slot;
    sqe->user_data = (uint64_t)OF_WATCH << 60 | slot;
    pushSqe(ring);
    return 0;
}

/* Takes the sends that JavaScript has queued: slot, offset and length of each. */
static void takeSends(Ring *ring) {
    int count = ring->control[QUEUED];
    int32_t *send = ring->control + SENDS;
    for (int left = count; left > 0; left--, send += 3) {
        struct io_uring_sqe *sqe = nextSqe(ring);
        if (sqe == NULL) {
            memmove(ring->control + SENDS, send, (size_t)left * 3 * sizeof *send);
            ring->control[QUEUED] = left;
            return;
        }
        sqe->opcode = IORING_OP_SEND;
        sqe->flags = IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
        sqe->fd = send[0];
        sqe->addr = (uint64_t)(uintptr_t)(ring->outgoing + send[1]);
        sqe->len = (uint32_t)send[2];
        sqe->msg_flags = MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL;
        sqe->user_data = (uint64_t)OF_SEND << 60 | (uint64_t)send[0] << 42 | (uint64_t)send[1] << 21 | (uint64_t)send[2];
        pushSqe(ring);
    }
    ring->control[QUEUED] = 0;
}

static void recycle(Ring *ring) {
    unsigned mask = ring->bufferCount - 1;
    for (unsigned i = 0; i < ring->usedCount; i++) {
        struct io_uring_buf *buffer = &ring->buffers->bufs[ring->bufferTail++ & mask];
        uint16_t id = ring->used[i];
        buffer->addr = (uint64_t)(uintptr_t)(ring->received + (size_t)id * ring->bufferBytes);
        buffer->len = ring->bufferBytes;
        buffer->bid = id;
    }
    if (ring->usedCount > 0)
        atomic_store_explicit((_Atomic uint16_t *)&ring->buffers->tail, ring->bufferTail, memory_order_release);
    ring->usedCount = 0;
}

/* Passes completions to JavaScript: slot, result, offset in its buffer, and what it is. @returns their number */
static unsigned reap(Ring *ring) {
    unsigned head = atomic_load_explicit(ring->cqHead, memory_order_relaxed);
    unsigned tail = atomic_load_explicit(ring->cqTail, memory_order_acquire);
    int32_t *out = ring->control + COMPLETIONS;
    unsigned count = 0;
    for (; head != tail && count < MAX_COMPLETIONS; head++) {
        const struct io_uring_cqe *cqe = &ring->cqes[head & ring->cqMask];
        uint64_t kind = KIND(cqe->user_data);
        if (kind == OF_CANCEL) continue;
        out[0] = (int32_t)(cqe->user_data & 0xffffffff);
        out[1] = cqe->res;
        if (kind == OF_RECV) {
            if (cqe->flags & IORING_CQE_F_BUFFER) {
                uint16_t id = (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
                ring->used[ring->usedCount++] = id;
                out[2] = (int32_t)(id * ring->bufferBytes);
            }
            out[3] = cqe->flags & IORING_CQE_F_MORE ? HAS_MORE : RECEIVED;
        } else if (kind == OF_SEND) {
            out[0] = (int32_t)(cqe->user_data >> 42 & 0x3ffff);
            out[2] = (int32_t)(cqe->user_data >> 21 & 0x1fffff);
            out[3] = (int32_t)(cqe->user_data & 0x1fffff) << 3 | SEND_LEFT;
        } else if (kind == OF_WATCH) {
            out[3] = HUNG_UP;
        } else {
            napi_delete_reference(ring->env, ring->kept[out[0]]);
            ring->kept[out[0]] = NULL;
            out[3] = KEPT_DONE;
        }
        out += 4;
        count++;
    }
    atomic_store_explicit(ring->cqHead, head, memory_order_release);
    return count;
}

static void callJavaScript(Ring *ring, unsigned count) {
    napi_env env = ring->env;
    napi_handle_scope scope;
    napi_value function, global, argument, result;
    napi_open_handle_scope(env, &scope);
    napi_get_reference_value(env, ring->onTurn, &function);
    napi_create_uint32(env, count, &argument);
    napi_get_global(env, &global);
    /* Runs microtasks, too. */
    if (napi_make_callback(env, ring->context, global, function, 1, &argument, &result) == napi_pending_exception) {
        napi_value error;
        napi_get_and_clear_last_exception(env, &error);
        napi_fatal_exception(env, error);
    }
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
    for (;;) {
        takeSends(ring);
        /* What JavaScript sends from now on is of the next turn: what this one could not send is known before it ends. */
        if (ring->control[QUEUED] == 0) ring->control[TURN]++;
        int waits = active && now < end;
        enter(ring, waits ? 1 : 0, waits ? end - now : 0);
        unsigned reaped = 0;
        for (unsigned count = reap(ring); count > 0 && ring->open; count = reap(ring)) {
            reaped += count;
            callJavaScript(ring, count);
            recycle(ring);
        }
        if (!ring->open) return;
        active = reaped > 0 || ring->control[QUEUED] > 0 || ring->unsubmitted > 0;
        if (!active) break;
        now = uv_hrtime();
        if (now >= end) break;
    }
    int missed = wakeByLibuv(ring, !active);
    /* Libuv must look for other events, but not wait for them. */
    if (active || missed) uv_idle_start(&ring->idle, onIdle);
}

static int setUp(Ring *ring) {
    struct io_uring_params params = {.flags = RING_FLAGS, .cq_entries = CQ_ENTRIES};
    ring->fd = (int)syscall(SYS_io_uring_setup, SQ_ENTRIES, &params);
    if (ring->fd < 0) return -errno;
    if (!(params.features & IORING_FEAT_SINGLE_MMAP) || !(params.features & IORING_FEAT_CQE_SKIP)) return -ENOSYS;
    size_t sqBytes = params.sq_off.array + params.sq_entries * sizeof(unsigned);
    size_t cqBytes = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    ring->ringsBytes = sqBytes > cqBytes ? sqBytes : cqBytes;
    uint8_t *rings = mmap(NULL, ring->ringsBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd,
                          IORING_OFF_SQ_RING);
    if (rings == MAP_FAILED) return -errno;
    ring->rings = rings;
    ring->sqes = mmap(NULL, params.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
    if (ring->sqes == MAP_FAILED) return -errno;
    ring->sqHead = (_Atomic unsigned *)(rings + params.sq_off.head);
    ring->sqTail = (_Atomic unsigned *)(rings + params.sq_off.tail);
    ring->sqFlags = (_Atomic unsigned *)(rings + params.sq_off.flags);
    ring->cqFlags = (_Atomic unsigned *)(rings + params.cq_off.flags);
    ring->sqMask = *(unsigned *)(rings + params.sq_off.ring_mask);
    ring->cqHead = (_Atomic unsigned *)(rings + params.cq_off.head);
    ring->cqTail = (_Atomic unsigned *)(rings + params.cq_off.tail);
    ring->cqMask = *(unsigned *)(rings + params.cq_off.ring_mask);
    ring->cqes = (struct io_uring_cqe *)(rings + params.cq_off.cqes);
    unsigned *array = (unsigned *)(rings + params.sq_off.array);
    for (unsigned i = 0; i < params.sq_entries; i++) array[i] = i;

    struct io_uring_rsrc_update self = {.offset = -1U, .data = (uint64_t)ring->fd};
    if (syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_RING_FDS, &self, 1) != 1) return -errno;
    ring->registeredFd = (int)self.offset;

    ring->eventFd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_EVENTFD, &ring->eventFd, 1) != 0) return -errno;
    atomic_store(ring->cqFlags, IORING_CQ_EVENTFD_DISABLED);

    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    struct io_uring_rsrc_register slots = {.flags = IORING_RSRC_REGISTER_SPARSE};
    ring->slots = files.rlim_cur < MAX_SLOTS ? (unsigned)files.rlim_cur : MAX_SLOTS;
    slots.nr = ring->slots;
    ring->kept = calloc(ring->slots, sizeof *ring->kept);
    if (ring->kept == NULL) return -ENOMEM;
    if (syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_FILES2, &slots, sizeof slots) != 0) return -errno;

    ring->buffers = mmap(NULL, ring->bufferCount * sizeof(struct io_uring_buf), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ring->buffers == MAP_FAILED) return -errno;
    struct io_uring_buf_reg group = {
        .ring_addr = (uint64_t)(uintptr_t)ring->buffers, .ring_entries = ring->bufferCount, .bgid = BUFFER_GROUP};
    if (syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_PBUF_RING, &group, 1) != 0) return -errno;
    for (unsigned i = 0; i < ring->bufferCount; i++) {
        ring->used[ring->usedCount++] = (uint16_t)i;
    }
    recycle(ring);
    return 0;
}

static void onClosed(uv_handle_t *handle) {
    Ring *ring = handle->data;
    if (--ring->handles > 0) return;
    close(ring->eventFd);
    free(ring->kept);
    napi_remove_async_cleanup_hook(ring->cleanup);
    free(ring);
}

/* The thread ends. */
static void tearDown(napi_async_cleanup_hook_handle hook, void *data) {
    (void)hook;
    Ring *ring = data;
    ring->open = 0;
    close(ring->fd);
    munmap(ring->rings, ring->ringsBytes);
    munmap(ring->sqes, SQ_ENTRIES * sizeof(struct io_uring_sqe));
    munmap(ring->buffers, ring->bufferCount * sizeof(struct io_uring_buf));
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

/* open(received, bufferCount, bufferBytes, outgoing, control, onTurn): 0, or a negative error of the system */
static napi_value openRing(napi_env env, napi_callback_info info) {
    size_t count = 6, bytes;
    napi_value args[6];
    void *at;
    napi_get_cb_info(env, info, &count, args, NULL, NULL);
    Ring *ring = calloc(1, sizeof *ring);
    if (ring == NULL) return number(env, -ENOMEM);
    ring->env = env;
    ring->fd = -1;
    napi_get_buffer_info(env, args[0], &at, &bytes);
    ring->received = at;
    napi_get_value_uint32(env, args[1], &ring->bufferCount);
    napi_get_value_uint32(env, args[2], &ring->bufferBytes);
    napi_get_buffer_info(env, args[3], &at, &bytes);
    ring->outgoing = at;
    napi_get_buffer_info(env, args[4], &at, &bytes);
    ring->control = at;
    if (count < 6 || bytes < CONTROL_WORDS * sizeof(int32_t)) return number(env, -EINVAL);
    int status = setUp(ring);
    if (status != 0) {
        if (ring->fd >= 0) close(ring->fd);
        free(ring->kept);
        free(ring);
        return number(env, status);
    }
    napi_create_reference(env, args[0], 1, &ring->memory[0]);
    napi_create_reference(env, args[3], 1, &ring->memory[1]);
    napi_create_reference(env, args[4], 1, &ring->memory[2]);
    napi_create_reference(env, args[5], 1, &ring->onTurn);
    napi_value name;
    napi_create_string_utf8(env, "ring", NAPI_AUTO_LENGTH, &name);
    napi_async_init(env, NULL, name, &ring->context);
    uv_loop_t *loop;
    napi_get_uv_event_loop(env, &loop);
    uv_prepare_init(loop, &ring->prepare);
    uv_idle_init(loop, &ring->idle);
    uv_poll_init(loop, &ring->poll, ring->eventFd);
    ring->prepare.data = ring->idle.data = ring->poll.data = ring;
    uv_prepare_start(&ring->prepare, runTurns);
    uv_poll_start(&ring->poll, UV_READABLE, onReadable);
    uv_unref((uv_handle_t *)&ring->prepare);
    uv_unref((uv_handle_t *)&ring->idle);
    uv_unref((uv_handle_t *)&ring->poll);
    ring->open = 1;
    napi_set_instance_data(env, ring, NULL, NULL);
    napi_add_async_cleanup_hook(env, tearDown, ring, &ring->cleanup);
    return number(env, 0);
}

static int setFile(Ring *ring, uint32_t slot, int fd) {
    struct io_uring_files_update update = {.offset = slot, .fds = (uint64_t)(uintptr_t)&fd};
    return syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_FILES_UPDATE, &update, 1) == 1 ? 0 : -errno;
}

static void readArgs(napi_env env, napi_callback_info info, size_t count, napi_value *args, uint32_t *first) {
    napi_get_cb_info(env, info, &count, args, NULL, NULL);
    napi_get_value_uint32(env, args[0], first);
}

/* add(slot, fd): receives from now on. 0, or a negative error of the system */
static napi_value add(napi_env env, napi_callback_info info) {
    Ring *ring = ringOf(env);
    napi_value args[2];
    uint32_t slot;
    int fd;
    readArgs(env, info, 2, args, &slot);
    napi_get_value_int32(env, args[1], &fd);
    int status = slot < ring->slots ? setFile(ring, slot, fd) : -EMFILE;
    if (status == 0) status = arm(ring, slot);
    if (status == 0) status = watch(ring, slot);
    /* Open sockets keep the thread alive. */
    if (status == 0 && ring->filesInUse++ == 0) uv_ref((uv_handle_t *)&ring->poll);
    return number(env, status);
}

/* arm(slot): receives again, after a completion without HAS_MORE. 0, or a negative error */
static napi_value armAgain(napi_env env, napi_callback_info info) {
    napi_value args[1];
    uint32_t slot;
    readArgs(env, info, 1, args, &slot);
    return number(env, arm(ringOf(env), slot));
}

/* stop(slot): ends receiving, which a completion without HAS_MORE tells */
static napi_value stop(napi_env env, napi_callback_info info) {
    Ring *ring = ringOf(env);
    napi_value args[1];
    uint32_t slot;
    readArgs(env, info, 1, args, &slot);
    struct io_uring_sqe *sqe = nextSqe(ring);
    if (sqe == NULL) return number(env, -EAGAIN);
    sqe->opcode = IORING_OP_ASYNC_CANCEL;
    sqe->flags = IOSQE_CQE_SKIP_SUCCESS;
    /* The user data of its receive. */
    sqe->addr = slot;
    sqe->user_data = (uint64_t)OF_CANCEL << 60;
    pushSqe(ring);
    return number(env, 0);
}

/* remove(slot): cancels what the kernel still does, and lets go of the file */
static napi_value removeSlot(napi_env env, napi_callback_info info) {
    Ring *ring = ringOf(env);
    napi_value args[1];
    uint32_t slot;
    readArgs(env, info, 1, args, &slot);
    struct io_uring_sqe *sqe = nextSqe(ring);
    if (sqe != NULL) {
        sqe->opcode = IORING_OP_ASYNC_CANCEL;
        sqe->flags = IOSQE_CQE_SKIP_SUCCESS;
        sqe->fd = (int)slot;
        sqe->cancel_flags = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_FD_FIXED | IORING_ASYNC_CANCEL_ALL;
        sqe->user_data = (uint64_t)OF_CANCEL << 60;
        pushSqe(ring);
        enter(ring, 0, 0);
    }
    setFile(ring, slot, -1);
    if (--ring->filesInUse == 0) uv_unref((uv_handle_t *)&ring->poll);
    return NULL;
}

/* sendKept(slot, buffer): the kernel has the buffer until a completion KEPT_DONE. 0, or a negative error */
static napi_value sendKept(napi_env env, napi_callback_info info) {
    Ring *ring = ringOf(env);
    napi_value args[2];
    uint32_t slot;
    void *at;
    size_t bytes;
    readArgs(env, info, 2, args, &slot);
    napi_get_buffer_info(env, args[1], &at, &bytes);
    struct io_uring_sqe *sqe = ring->kept[slot] == NULL ? nextSqe(ring) : NULL;
    if (sqe == NULL) return number(env, -EAGAIN);
    napi_create_reference(env, args[1], 1, &ring->kept[slot]);
    sqe->opcode = IORING_OP_SEND;
    sqe->flags = IOSQE_FIXED_FILE;
    sqe->fd = (int)slot;
    sqe->addr = (uint64_t)(uintptr_t)at;
    sqe->len = (uint32_t)bytes;
    sqe->msg_flags = MSG_WAITALL | MSG_NOSIGNAL;
    sqe->user_data = (uint64_t)OF_KEPT << 60 | slot;
    pushSqe(ring);
    return number(env, 0);
}

/* probe(): 0 if the kernel lets this process have a ring, or a negative error */
static napi_value probe(napi_env env, napi_callback_info info) {
    (void)info;
    struct io_uring_params params = {.flags = RING_FLAGS, .cq_entries = 16};
    int fd = (int)syscall(SYS_io_uring_setup, 8, &params);
    if (fd < 0) return number(env, -errno);
    close(fd);
    return number(env, params.features & IORING_FEAT_CQE_SKIP ? 0 : -ENOSYS);
}

NAPI_MODULE_INIT() {
    const napi_property_descriptor functions[] = {
        {"open", NULL, openRing, NULL, NULL, NULL, napi_enumerable, NULL},
        {"add", NULL, add, NULL, NULL, NULL, napi_enumerable, NULL},
        {"arm", NULL, armAgain, NULL, NULL, NULL, napi_enumerable, NULL},
        {"stop", NULL, stop, NULL, NULL, NULL, napi_enumerable, NULL},
        {"remove", NULL, removeSlot, NULL, NULL, NULL, napi_enumerable, NULL},
        {"probe", NULL, probe, NULL, NULL, NULL, napi_enumerable, NULL},
        {"sendKept", NULL, sendKept, NULL, NULL, NULL, napi_enumerable, NULL},
    };
    napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
    return exports;
}
