/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "parts/fiber.h"

#include <sys/mman.h>

#include "base/capacity.h"

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef VALGRIND_STACK_REGISTER
#define VALGRIND_STACK_REGISTER(start, end) 0
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#ifdef FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

struct Fiber {
    void *stack_pointer; /* the side that is not running */
    uint8_t *stack;      /* lowest usable address, above the guard page */
    void (*function)(void *user);
    void *user;
    unsigned valgrind_id;
#ifdef FIBER_ASAN
    void *owner_fake_stack;
    void *fiber_fake_stack;
    const void *owner_bottom;
    size_t owner_size;
#endif
};

/*
 * Exchange the stack pointer with *other after saving what the System V ABI
 * (AMD64 supplement, 3.2.1) makes a callee keep.  The control words of x87
 * and SSE are kept too by the ABI, but nobody here changes them.
 */
void fiber_exchange(void **other);
__asm__(".text\n"
        ".globl fiber_exchange\n"
        ".type fiber_exchange, @function\n"
        "fiber_exchange:\n"
        "   push %rbp\n"
        "   push %rbx\n"
        "   push %r12\n"
        "   push %r13\n"
        "   push %r14\n"
        "   push %r15\n"
        "   mov (%rdi), %rax\n"
        "   mov %rsp, (%rdi)\n"
        "   mov %rax, %rsp\n"
        "   pop %r15\n"
        "   pop %r14\n"
        "   pop %r13\n"
        "   pop %r12\n"
        "   pop %rbx\n"
        "   pop %rbp\n"
        "   ret\n"
        ".size fiber_exchange, . - fiber_exchange\n");

/* The first frame of a fiber pops r12 = the Fiber and "returns" here. */
void fiber_start(void);
__asm__(".text\n"
        ".globl fiber_start\n"
        ".type fiber_start, @function\n"
        "fiber_start:\n"
        "   mov %r12, %rdi\n"
        "   xor %ebp, %ebp\n"
        "   call fiber_main\n"
        "   ud2\n"
        ".size fiber_start, . - fiber_start\n");

void fiber_main(Fiber *fiber);

void
fiber_main(Fiber *fiber)
{
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(NULL, &fiber->owner_bottom,
                                    &fiber->owner_size);
#endif
    fiber->function(fiber->user);
    BUG("the function of a fiber returned");
}

Fiber *
fiber_new(void (*function)(void *user), void *user)
{
    Fiber *fiber = g_new0(Fiber, 1);
    size_t size = PAGE_BYTES + FIBER_STACK_BYTES;
    uint8_t *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint64_t *top;

    if (map == MAP_FAILED)
        g_error("out of memory: a fiber's stack of %zu bytes", size);
    if (mprotect(map, PAGE_BYTES, PROT_NONE) != 0)
        BUG("cannot protect a guard page");
    fiber->stack = map + PAGE_BYTES;
    fiber->function = function;
    fiber->user = user;
    fiber->valgrind_id = VALGRIND_STACK_REGISTER(
        fiber->stack, fiber->stack + FIBER_STACK_BYTES);

    /* What fiber_exchange() pops: r15 r14 r13 r12 rbx rbp and the return
     * address; after it rsp must be 16-aligned, as before a call. */
    top = (uint64_t *)(void *)(fiber->stack + FIBER_STACK_BYTES);
    *--top = 0;
    *--top = 0;
    *--top = (uint64_t)(uintptr_t)fiber_start;
    top -= 6;
    top[3] = (uint64_t)(uintptr_t)fiber;
    fiber->stack_pointer = top;
    return fiber;
}

void
fiber_free(Fiber *fiber)
{
    if (fiber == NULL)
        return;
    VALGRIND_STACK_DEREGISTER(fiber->valgrind_id);
    munmap(fiber->stack - PAGE_BYTES, PAGE_BYTES + FIBER_STACK_BYTES);
    g_free(fiber);
}

void
fiber_enter(Fiber *fiber)
{
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(&fiber->owner_fake_stack, fiber->stack,
                                   FIBER_STACK_BYTES);
#endif
    fiber_exchange(&fiber->stack_pointer);
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(fiber->owner_fake_stack, NULL, NULL);
#endif
}

void
fiber_leave(Fiber *fiber)
{
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(&fiber->fiber_fake_stack,
                                   fiber->owner_bottom, fiber->owner_size);
#endif
    fiber_exchange(&fiber->stack_pointer);
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(fiber->fiber_fake_stack,
                                    &fiber->owner_bottom, &fiber->owner_size);
#endif
}
