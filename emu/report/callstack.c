/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/callstack.h"

void
callstack_init(CallStack *stack)
{
    stack->frames = g_array_new(FALSE, FALSE, sizeof(CallFrame));
}

void
callstack_clear(CallStack *stack)
{
    g_clear_pointer(&stack->frames, g_array_unref);
}

void
callstack_push(CallStack *stack, const CallFrame *frame)
{
    if (stack->frames->len == CALLSTACK_FRAMES_MAX)
        g_array_remove_range(stack->frames, 0, CALLSTACK_FRAMES_MAX / 2);
    g_array_append_vals(stack->frames, frame, 1);
}

CallFrame *
callstack_frame(const CallStack *stack, unsigned index)
{
    if (index >= stack->frames->len)
        return NULL;
    return &g_array_index(stack->frames, CallFrame,
                          stack->frames->len - 1 - index);
}

bool
callstack_pop(CallStack *stack, gva_t sp, CallFrame *left)
{
    static const CallFrame base = {.is_base = true, .peer = -1};
    const CallFrame *frame;

    for (unsigned i = 0; (frame = callstack_frame(stack, i)) != NULL; i++)
        if (!frame->is_base && frame->sp == sp) {
            *left = *frame;
            g_array_set_size(stack->frames, stack->frames->len - 1 - i);
            return true;
        }
    frame = callstack_frame(stack, 0);
    if (frame != NULL && !frame->is_base)
        callstack_push(stack, &base);
    return false;
}

void
callstack_empty(CallStack *stack)
{
    g_array_set_size(stack->frames, 0);
}

unsigned
callstack_count(const CallStack *stack)
{
    return stack->frames->len;
}

uint8_t
callstack_depth(const CallStack *stack)
{
    unsigned depth = 0;
    const CallFrame *frame;

    for (unsigned i = 0; (frame = callstack_frame(stack, i)) != NULL; i++) {
        if (frame->is_base)
            break;
        depth += frame->is_told;
    }
    return (uint8_t)MIN(depth, 255);
}
