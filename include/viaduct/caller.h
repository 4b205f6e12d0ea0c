/*
 * For a running method: who calls it, over what, and until when.
 *
 * Who the caller is the kernel has said when it connected, and nobody else; its node, its agent and
 * its own process id are what it says of itself. A caller that has handed its reference on calls in
 * its own name; a process that forwards calls of others calls in its own, too.
 */
#ifndef VIADUCT_CALLER_H
#define VIADUCT_CALLER_H

#include <stdint.h>
#include <viaduct/com.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A deadline that never comes, in milliseconds. */
#define VIA_NO_DEADLINE 0xFFFFFFFFu

/* What the transport knows of the caller, by the kernel. */
#define VIA_CALLER_HAS_UNIX 0x1u /* uid, gid are set */
#define VIA_CALLER_HAS_PID  0x2u /* pid is set */
#define VIA_CALLER_HAS_SID  0x4u /* sid is set */

struct via_caller {
    uint32_t size;  /* set by the method: sizeof(struct via_caller) */
    uint32_t known; /* VIA_CALLER_HAS_...; 0: the transport cannot say */
    uint32_t uid;
    uint32_t gid;
    uint32_t pid;          /* a Windows process id where the sid is known, else a POSIX one */
    uint32_t process_id;   /* as the caller says: in its own system's terms */
    uint32_t remaining_ms; /* until the caller gives up, to within some 20 ms; VIA_NO_DEADLINE: it
                              waits for ever, or for no answer */
    uint8_t is_oneway;     /* it waits for no answer */
    uint8_t is_cancelled;  /* via_call_is_cancelled() */
    uint8_t is_windows;    /* a Windows program; as the caller says, like the next three */
    uint8_t is_wine;
    GUID node;
    char agent[64];
    char transport[16]; /* the scheme of its addresses, "unix", "pipe", "shm": what carries the
                           connection now; "" in the moment in which it ends */
    char sid[188];      /* "S-1-5-..." */
};

/* Of the innermost call that the calling thread runs: a method, or a QueryInterface that a peer has
 * asked for. S_FALSE, and a struct of zeroes and VIA_NO_DEADLINE, when it runs none: in a thread of
 * the application's own, in a completion callback, a death watch, or the last release of an object.
 * A method that is called through a pointer to an object of its own process finds what its caller
 * would find there. Never fails, never blocks. */
VIA_API HRESULT via_call_current(struct via_caller *caller);
/* 1 once the caller of the running method has cancelled it, given up, or died; else 0. */
VIA_API int via_call_is_cancelled(void);

#ifdef __cplusplus
}
#endif

#endif
