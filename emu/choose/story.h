/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * story -- what a core is asked to do next: an interface, implemented above
 * by scripts.
 *
 * The guest's story thread stands at the STORY_NEXT hypercall.  The run asks
 * the stories what that core should call, and asks again when a waiting one
 * may go on.  A story sees and changes guest memory only inside next(), when
 * every core stands between two instructions.
 *
 * Layer 5.
 */
#ifndef EMU_CHOOSE_STORY_H
#define EMU_CHOOSE_STORY_H

#include "base/base.h"

#define STORY_ARGUMENTS_MAX 6

typedef enum StoryStep {
    STORY_CALL, /* call this guest function */
    STORY_WAIT, /* wait for a mark; ask again after somebody marked */
    STORY_END,  /* no more; the core goes idle */
} StoryStep;

typedef struct StoryCall {
    gva_t function;
    uint64_t arguments[STORY_ARGUMENTS_MAX];
    unsigned argument_count;
} StoryCall;

typedef struct Stories {
    /* A new run begins: every story stands at its start. */
    void (*begin)(void *user);
    /*
     * The story of `cpu` goes on; `result` is what its last call returned (0
     * at first, ignored when it was waiting).  Fills `call` for STORY_CALL.
     * False with an error if the script failed.
     */
    bool (*next)(void *user, unsigned cpu, uint64_t result, StoryStep *step,
                 StoryCall *call, GError **error);
    /* Grows whenever somebody marked: waiting stories are asked again. */
    uint64_t (*marks)(void *user);
    /* What a waiting story waits for, for people; borrowed until the next
     * call, NULL if it does not wait. */
    const char *(*awaited)(void *user, unsigned cpu);
    /* Has a story changed what others can see, beside guest memory and marks?
     * Then where they stand does not follow from what each was told.  NULL:
     * never. */
    bool (*are_entangled)(void *user);
    void *user;
} Stories;

#endif
