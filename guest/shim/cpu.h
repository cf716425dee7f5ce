/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu.h -- what the shim does for a system, and what it asks of one.
 *
 * The shim brings every cpu from reset to C: descriptor tables, LAPIC, gs
 * base, application processors.  A system (dragonfly/, ...) supplies the
 * system_ functions below and never touches a descriptor.
 *
 *      bsp_main          ap_main (each other cpu, one at a time)
 *        system_init       cpu_init
 *        cpu_init          system_cpu_main ...
 *        ap_boot x N
 *        system_cpu_main ...
 */
#ifndef GUEST_SHIM_CPU_H
#define GUEST_SHIM_CPU_H

#include "boot/layout.h"
#include "shim/types.h"

/* One gate of the interrupt table; a list of them ends with entry == NULL. */
struct vector {
    unsigned number;
    void (*entry)(void);
};

extern char boot_stack[BOOT_STACK_SIZE];

/*
 * Zeroed memory behind the kernel image, never given back.  Panics when RAM
 * is too small.
 */
void *boot_alloc(size_t size);

extern const struct vector system_vectors[];

/* On the boot cpu, before any per-cpu register is set: builds per-cpu data. */
void system_init(unsigned cpus);

/* Base of gs on that cpu; the system's per-cpu data. */
void *system_percpu(unsigned cpu);

/* Top of the stack on which a cpu other than the first arrives in C. */
void *system_stack(unsigned cpu);

/* Whether that cpu is far enough that the next one may be started. */
int system_cpu_is_started(unsigned cpu);

/* The cpu's life, entered with interrupts off. */
void system_cpu_main(unsigned cpu) __attribute__((noreturn));

#endif
