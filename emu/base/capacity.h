/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capacity -- every capacity of the machine, with its unit and its reason.
 *
 * Nothing in the machine allocates after it was built; reaching one of these
 * is a finding about the guest or a BUG, and the module that owns the array
 * says which.  Layer 0.
 */
#ifndef EMU_BASE_CAPACITY_H
#define EMU_BASE_CAPACITY_H

/* Cores of one machine: what a cpumask_t of the seed's year can name. */
#define CPUS_MAX 64

/* Bytes of a page; x86-64's small page, and the unit of dirty tracking. */
#define PAGE_BITS 12
#define PAGE_BYTES (1u << PAGE_BITS)

/* Bytes of a cache line: the unit in which sharing is noticed. */
#define LINE_BITS 6
#define LINE_BYTES (1u << LINE_BITS)

/* Guest physical memory, in MiB: default, and what one window can show. */
#define RAM_MIB_DEFAULT 8
#define RAM_MIB_MAX 1024

/* Messages on the APIC bus at one moment: every core can have sent one to
 * every other, and a few more. */
#define BUS_MESSAGES_MAX 8192

/* Stores that one core's buffer can hold: more than any x86 processor so far
 * has (Skylake: 56), and a set of them is one word. */
#define STOREBUF_DEPTH_MAX 64

/* Overwritten values that late loads may still see, of all cores together. */
#define PAST_STORES_MAX 64

/* Host stack of one core's fiber, bytes.  Unicorn was measured to need less
 * than 128 KiB; under AddressSanitizer frames are several times larger. */
#define FIBER_STACK_BYTES (1024u * 1024u)

/* Console text of one run, bytes; what is beyond is counted, not kept. */
#define CONSOLE_BYTES_MAX (64u * 1024u)

#endif
