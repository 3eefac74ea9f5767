/*
 * io_uring for the connections of one thread. JavaScript decides what is sent and what a reply means; this file moves bytes.
 *
 * Before libuv polls, the thread stays here for up to a millisecond: one io_uring_enter a turn submits all sends that
 * JavaScript has queued and waits for replies, then one call of JavaScript takes them, and queues the next sends.
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
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SQ_ENTRIES = 4096, CQ_ENTRIES = 16384, BUFFER_GROUP = 1, MAX_KEPT = 4096 };
static const uint64_t turnNs = 1000000;

/* The control words, shared with ring-socket.ts. */
enum { QUEUED = 0, TURN = 1, MODE = 2, SENDS = 16, MAX_SENDS = 16384, COMPLETIONS = SENDS + 3 * MAX_SENDS };
enum { MAX_COMPLETIONS = 4096, CONTROL_WORDS = COMPLETIONS + 4 * MAX_COMPLETIONS };
/* Bits of MODE, for measuring variants: waiting in libuv instead of here; microtasks once a millisecond, not once a turn. */
enum { WAIT_IN_LIBUV = 1, LATE_MICROTASKS = 2 };

/* The last word of a completion. The length of a send that has something left stands above its bit. */
enum { RECEIVED = 0, HAS_MORE = 1, SEND_LEFT = 2, KEPT_DONE = 4 };

/* What a completion belongs to: the highest bits of its user data. */
enum { OF_RECV = 0, OF_SEND = 1, OF_KEPT = 2, OF_CANCEL = 3 };
#define KIND(data) ((data) >> 60)

typedef struct {
    napi_ref buffer;
    uint32_t slot;
    int next;
} Kept;

typedef struct {
    napi_env env;
    napi_async_cleanup_hook_handle cleanup;
    napi_ref onTurn, memory[3];
    napi_async_context context;
    int fd, registeredFd;
    void *rings;
    size_t ringsBytes;
    _Atomic unsigned *sqHead, *sqTail, *cqHead, *cqTail;
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
    Kept kept[MAX_KEPT];
    int freeKept;
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

static struct io_uring_sqe *nextSqe(Ring *ring) {
    unsigned tail = atomic_load_explicit(ring->sqTail, memory_order_relaxed);
    while (tail - atomic_load_explicit(ring->sqHead, memory_order_acquire) > ring->sqMask)
        if (enter(ring, 0, 0) < 0) return NULL;
    struct io_uring_sqe *sqe = &ring->sqes[tail & ring->sqMask];
    memset(sqe, 0, sizeof *sqe);
    return sqe;
}

static void pushSqe(Ring *ring) {
    unsigned tail = atomic_load_explicit(ring->sqTail, memory_order_relaxed);
    atomic_store_explicit(ring->sqTail, tail + 1, memory_order_release);
    ring->unsubmitted++;
}

static void arm(Ring *ring, uint32_t slot) {
    struct io_uring_sqe *sqe = nextSqe(ring);
    if (sqe == NULL) return;
    sqe->opcode = IORING_OP_RECV;
    sqe->flags = IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
    sqe->ioprio = IORING_RECV_MULTISHOT;
    sqe->fd = (int)slot;
    sqe->buf_group = BUFFER_GROUP;
    sqe->user_data = slot;
    pushSqe(ring);
}

/* Takes the sends that JavaScript has queued: slot, offset and length of each. */
static void takeSends(Ring *ring) {
    int count = ring->control[QUEUED];
    const int32_t *send = ring->control + SENDS;
    for (int i = 0; i < count; i++, send += 3) {
        struct io_uring_sqe *sqe = nextSqe(ring);
        if (sqe == NULL) break;
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
    ring->control[TURN]++;
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
        } else {
            Kept *kept = &ring->kept[out[0]];
            napi_delete_reference(ring->env, kept->buffer);
            kept->next = ring->freeKept;
            ring->freeKept = out[0];
            out[0] = (int32_t)kept->slot;
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
    napi_value function, receiver, argument, result;
    napi_open_handle_scope(env, &scope);
    napi_get_reference_value(env, ring->onTurn, &function);
    napi_create_uint32(env, count, &argument);
    napi_get_undefined(env, &receiver);
    napi_status status;
    if (ring->control[MODE] & LATE_MICROTASKS) {
        status = napi_call_function(env, receiver, function, 1, &argument, &result);
    } else {
        napi_get_global(env, &receiver);
        status = napi_make_callback(env, ring->context, receiver, function, 1, &argument, &result);
    }
    if (status == napi_pending_exception) {
        napi_value error;
        napi_get_and_clear_last_exception(env, &error);
        napi_fatal_exception(env, error);
    }
    napi_close_handle_scope(env, scope);
}

static void onReadable(uv_poll_t *handle, int status, int events) {
    (void)handle, (void)status, (void)events;
}

static void onIdle(uv_idle_t *handle) { (void)handle; }

static void wakeByLibuv(Ring *ring, int wakes) {
    if (wakes == ring->wakes) return;
    ring->wakes = wakes;
    if (wakes) uv_poll_start(&ring->poll, UV_READABLE, onReadable);
    else uv_poll_stop(&ring->poll);
}

static void runTurns(uv_prepare_t *handle) {
    Ring *ring = handle->data;
    int waitsHere = !(ring->control[MODE] & WAIT_IN_LIBUV), late = ring->control[MODE] & LATE_MICROTASKS;
    uv_idle_stop(&ring->idle);
    int timeoutMs = uv_backend_timeout(handle->loop);
    uint64_t now = uv_hrtime(), end = now + (timeoutMs == 0 ? 0 : turnNs);
    napi_callback_scope scope = NULL;
    napi_handle_scope handles = NULL;
    if (late) {
        napi_value resource;
        napi_open_handle_scope(ring->env, &handles);
        napi_create_object(ring->env, &resource);
        napi_open_callback_scope(ring->env, resource, ring->context, &scope);
    }
    int active = ring->control[QUEUED] > 0 || ring->wakes == 0;
    for (;;) {
        takeSends(ring);
        int waits = waitsHere && active && now < end;
        enter(ring, waits ? 1 : 0, waits ? end - now : 0);
        unsigned reaped = 0;
        for (unsigned count = reap(ring); count > 0 && ring->open; count = reap(ring)) {
            reaped += count;
            callJavaScript(ring, count);
            recycle(ring);
        }
        active = reaped > 0 || ring->control[QUEUED] > 0 || ring->unsubmitted > 0;
        if (!active || !ring->open) break;
        now = uv_hrtime();
        if (now >= end) break;
    }
    if (late) {
        napi_close_callback_scope(ring->env, scope);
        napi_close_handle_scope(ring->env, handles);
    }
    if (!ring->open) return;
    /* Turns that go on wait for no event of libuv, but let it look for some. */
    if (waitsHere && active) wakeByLibuv(ring, 0);
    else wakeByLibuv(ring, 1);
    if (active && (waitsHere || ring->control[QUEUED] > 0 || ring->unsubmitted > 0)) uv_idle_start(&ring->idle, onIdle);
}

static int setUp(Ring *ring) {
    struct io_uring_params params = {.cq_entries = CQ_ENTRIES};
    params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
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

    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    struct io_uring_rsrc_register slots = {.flags = IORING_RSRC_REGISTER_SPARSE};
    slots.nr = files.rlim_cur < 32768 ? (unsigned)files.rlim_cur : 32768;
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
    for (int i = 0; i < MAX_KEPT; i++) ring->kept[i].next = i + 1;
    ring->kept[MAX_KEPT - 1].next = -1;
    int status = setUp(ring);
    if (status != 0) {
        if (ring->fd >= 0) close(ring->fd);
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
    uv_poll_init(loop, &ring->poll, ring->fd);
    ring->prepare.data = ring->idle.data = ring->poll.data = ring;
    uv_prepare_start(&ring->prepare, runTurns);
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

/* add(slot, fd): 0, or a negative error of the system */
static napi_value add(napi_env env, napi_callback_info info) {
    Ring *ring = ringOf(env);
    napi_value args[2];
    uint32_t slot;
    int fd;
    readArgs(env, info, 2, args, &slot);
    napi_get_value_int32(env, args[1], &fd);
    int status = setFile(ring, slot, fd);
    if (status == 0) arm(ring, slot);
    return number(env, status);
}

/* arm(slot): receives again, after a completion without HAS_MORE */
static napi_value armAgain(napi_env env, napi_callback_info info) {
    napi_value args[1];
    uint32_t slot;
    readArgs(env, info, 1, args, &slot);
    arm(ringOf(env), slot);
    return NULL;
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
    return NULL;
}

/* sendKept(slot, buffer): holds the buffer until a completion KEPT_DONE; false if too many are held */
static napi_value sendKept(napi_env env, napi_callback_info info) {
    Ring *ring = ringOf(env);
    napi_value args[2], result;
    uint32_t slot;
    void *at;
    size_t bytes;
    readArgs(env, info, 2, args, &slot);
    napi_get_buffer_info(env, args[1], &at, &bytes);
    int index = ring->freeKept;
    struct io_uring_sqe *sqe = index < 0 ? NULL : nextSqe(ring);
    if (sqe != NULL) {
        Kept *kept = &ring->kept[index];
        ring->freeKept = kept->next;
        kept->slot = slot;
        napi_create_reference(env, args[1], 1, &kept->buffer);
        sqe->opcode = IORING_OP_SEND;
        sqe->flags = IOSQE_FIXED_FILE;
        sqe->fd = (int)slot;
        sqe->addr = (uint64_t)(uintptr_t)at;
        sqe->len = (uint32_t)bytes;
        sqe->msg_flags = MSG_WAITALL | MSG_NOSIGNAL;
        sqe->user_data = (uint64_t)OF_KEPT << 60 | (uint64_t)index;
        pushSqe(ring);
    }
    napi_get_boolean(env, sqe != NULL, &result);
    return result;
}

NAPI_MODULE_INIT() {
    const napi_property_descriptor functions[] = {
        {"open", NULL, openRing, NULL, NULL, NULL, napi_enumerable, NULL},
        {"add", NULL, add, NULL, NULL, NULL, napi_enumerable, NULL},
        {"arm", NULL, armAgain, NULL, NULL, NULL, napi_enumerable, NULL},
        {"remove", NULL, removeSlot, NULL, NULL, NULL, napi_enumerable, NULL},
        {"sendKept", NULL, sendKept, NULL, NULL, NULL, napi_enumerable, NULL},
    };
    napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
    return exports;
}
