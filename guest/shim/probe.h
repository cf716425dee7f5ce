/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe.h -- static probes: one `nop` in the code, everything else in a note.
 *
 * The note has the layout SystemTap published for .note.stapsdt (owner
 * "stapsdt", type 3): address of the nop, base, semaphore, then provider,
 * name and arguments as strings.  An argument is SIZE@OPERAND: the size
 * negative when signed, the operand as the assembler writes it, for example
 * `-4@12(%rbx)` or `8@%rdi`.  It is valid when the cpu stands at the nop.
 */
#ifndef GUEST_SHIM_PROBE_H
#define GUEST_SHIM_PROBE_H

#define PROBE_SIZE(x)                                                          \
    _Generic((x), int: -4, unsigned: 4, long: -8, unsigned long: 8,            \
             long long: -8, unsigned long long: 8, default: 8)

#define PROBE_OPERANDS(n, x)                                                   \
    [s##n] "i"(PROBE_SIZE(x)), [a##n] "nor"(x)

/* A note about the place before `instruction`, which may be empty. */
#define PROBE_NOTE_AT(instruction, provider, name, arguments)                  \
    "990: " instruction "\n"                                                   \
    ".pushsection .note.stapsdt,\"\",\"note\"\n"                               \
    ".balign 4\n"                                                              \
    ".4byte 992f-991f, 994f-993f, 3\n"                                         \
    "991: .asciz \"stapsdt\"\n"                                                \
    "992: .balign 4\n"                                                         \
    "993: .8byte 990b, 0, 0\n"                                                 \
    ".asciz \"" #provider "\"\n"                                               \
    ".asciz \"" #name "\"\n"                                                   \
    ".asciz \"" arguments "\"\n"                                               \
    "994: .balign 4\n"                                                         \
    ".popsection\n"

#define PROBE_NOTE(provider, name, arguments)                                  \
    PROBE_NOTE_AT("nop", provider, name, arguments)

#define PROBE_ARGUMENT(n) "%c[s" #n "]@%[a" #n "]"

#define PROBE0(provider, name)                                                 \
    __asm__ __volatile__(PROBE_NOTE(provider, name, ""))

#define PROBE1(provider, name, a)                                              \
    __asm__ __volatile__(PROBE_NOTE(provider, name, PROBE_ARGUMENT(0))         \
                         : : PROBE_OPERANDS(0, a))

#define PROBE2(provider, name, a, b)                                           \
    __asm__ __volatile__(PROBE_NOTE(provider, name,                            \
                                    PROBE_ARGUMENT(0) " " PROBE_ARGUMENT(1))   \
                         : : PROBE_OPERANDS(0, a), PROBE_OPERANDS(1, b))

#define PROBE5(provider, name, a, b, c, d, e)                                  \
    __asm__ __volatile__(                                                      \
        PROBE_NOTE(provider, name,                                             \
                   PROBE_ARGUMENT(0) " " PROBE_ARGUMENT(1) " "                 \
                   PROBE_ARGUMENT(2) " " PROBE_ARGUMENT(3) " "                 \
                   PROBE_ARGUMENT(4))                                          \
        : : PROBE_OPERANDS(0, a), PROBE_OPERANDS(1, b), PROBE_OPERANDS(2, c),  \
            PROBE_OPERANDS(3, d), PROBE_OPERANDS(4, e))

#endif
