/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine/atomic.h -- LOCKed operations, as macros for the same reason as in
 * machine/cpufunc.h.
 *
 * In 2013 these told the compiler nothing about other memory.  Here they do,
 * so that the order in the machine code is the order in the source whatever
 * compiler is at hand: this guest asks questions about processors.
 */
#ifndef GUEST_MACHINE_ATOMIC_H
#define GUEST_MACHINE_ATOMIC_H

#define ATOMIC_ASM(op, p, v)                                                   \
    __asm__ __volatile__("lock; " op " %1, %0"                                 \
                         : "+m"(*(p)) : "er"(v) : "memory", "cc")

#define atomic_set_int(p, v) ATOMIC_ASM("orl", p, (unsigned)(v))
#define atomic_clear_int(p, v) ATOMIC_ASM("andl", p, ~(unsigned)(v))
#define atomic_add_int(p, v) ATOMIC_ASM("addl", p, (unsigned)(v))
#define atomic_set_cpumask(p, v) ATOMIC_ASM("orq", p, (cpumask_t)(v))
#define atomic_clear_cpumask(p, v) ATOMIC_ASM("andq", p, ~(cpumask_t)(v))

/* Adds; what was there before. */
#define atomic_fetchadd_int(p, v)                                              \
    ({                                                                         \
        unsigned was_ = (unsigned)(v);                                         \
        __asm__ __volatile__("lock; xaddl %0, %1"                              \
                             : "+r"(was_), "+m"(*(p)) : : "memory", "cc");     \
        was_;                                                                  \
    })

/* Stores `new` if *p is `old`; true if it was. */
#define atomic_cmpset_int(p, old, new)                                         \
    ({                                                                         \
        unsigned seen_ = (old);                                                \
        int done_;                                                             \
        __asm__ __volatile__("lock; cmpxchgl %3, %1"                           \
                             : "=@ccz"(done_), "+m"(*(p)), "+a"(seen_)         \
                             : "r"((unsigned)(new)) : "memory");               \
        done_;                                                                 \
    })

/* The same of a pointer. */
#define atomic_cmpset_ptr(p, old, new)                                         \
    ({                                                                         \
        const volatile void *seen_ = (old);                                    \
        int done_;                                                             \
        __asm__ __volatile__("lock; cmpxchgq %3, %1"                           \
                             : "=@ccz"(done_), "+m"(*(p)), "+a"(seen_)         \
                             : "r"((const volatile void *)(new)) : "memory");  \
        done_;                                                                 \
    })

/*
 * A one-bit interlock.  Acquire is true for the one cpu that found the bit
 * clear.  Release is LOCKed since 2005-04-13: after a plain store with no
 * mfence behind it the releasing cpu could look for new work before anyone can
 * see that the bit is free, and whoever brings that work would not knock
 * (mutants plain_release and no_mfence, together).
 *
 *      releases, looks: nothing        brings work, bit taken: no IPI
 *      [release still in its buffer]
 */
#define atomic_poll_acquire_int(p)                                             \
    ({                                                                         \
        int was_clear_;                                                        \
        __asm__ __volatile__("lock; btsl $0, %1"                               \
                             : "=@ccnc"(was_clear_), "+m"(*(p))                \
                             : : "memory");                                    \
        was_clear_;                                                            \
    })

#ifdef PLAIN_RELEASE
#define atomic_poll_release_int(p)                                             \
    __asm__ __volatile__("movl $0, %0" : "=m"(*(p)) : : "memory")
#else
#define atomic_poll_release_int(p)                                             \
    __asm__ __volatile__("lock; btrl $0, %0" : "+m"(*(p)) : : "memory", "cc")
#endif

#endif
