/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * callstack -- the calls that a cpu is inside of, followed from outside.
 *
 *      call g      push, `sp` is where g's return address lies
 *      ret         pop up to the frame whose `sp` it returns through
 *      interrupt   push, `sp` is where the RIP of its frame lies
 *      iret        pop, likewise
 *
 * A return through an address that no frame has is one on another stack: the
 * kernel switched threads.  The frames below stay, since the thread can come
 * back, but no longer count for the depth: a frame that is a `base` is put
 * between.
 *
 * Invariant: at most CALLSTACK_FRAMES_MAX frames; beyond, the oldest go.
 *
 * Layer 8; a part of storylog.
 */
#ifndef EMU_REPORT_CALLSTACK_H
#define EMU_REPORT_CALLSTACK_H

#include "base/base.h"

#define CALLSTACK_FRAMES_MAX 1024u

typedef struct CallFrame {
    gva_t sp;
    gva_t target;     /* the function, or the handler */
    uint64_t word;    /* its first argument */
    uint64_t step;    /* of the call */
    int peer;         /* cpu that an argument names, or -1 */
    bool is_told;     /* counts for the depth */
    bool is_lock;     /* takes the lock `word` */
    bool is_unlock;
    bool is_base;     /* no call: another stack begins */
    bool is_told_one; /* the story's own call */
    bool waits;       /* inside a wait loop of this function ... */
    gva_t wait_rip;   /* ... that begins here */
    const char *wait; /* ... for this reason */
} CallFrame;

typedef struct CallStack {
    GArray *frames; /* CallFrame */
} CallStack;

void callstack_init(CallStack *stack);
void callstack_clear(CallStack *stack);

void callstack_push(CallStack *stack, const CallFrame *frame);

/* A return through `sp`.  True when a frame is left by it, in `left`. */
bool callstack_pop(CallStack *stack, gva_t sp, CallFrame *left);

/* All frames are gone: the story is back in its loop. */
void callstack_empty(CallStack *stack);

unsigned callstack_count(const CallStack *stack);
/* Number `index` from the innermost, or NULL. */
CallFrame *callstack_frame(const CallStack *stack, unsigned index);

/* Told frames down to the base, at most 255. */
uint8_t callstack_depth(const CallStack *stack);

#endif
