/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loader -- what a boot loader does: the image in memory, core 0 at its entry.
 *
 *      physical
 *      0000 0000   not mapped
 *      0000 1000   PML4          \
 *      0000 2000   PDPT, low      |  the tables map the windows of gmem.h and
 *      0000 3000   PDPT, high     |  the APIC page, and nothing else; all
 *      0000 4000   PT of 0..2 MiB |  accessed and dirty bits are set, so that
 *      0000 5000   PD, RAM        |  no walk ever writes
 *      0000 6000   PD, APIC      /
 *      0000 9000   GDT: null, 64-bit code, data
 *
 * Core 0 starts in 64-bit mode with RDI = cores, RSI = bytes of RAM it may
 * use, RDX = virtual address of the APIC page, RCX = CR3, interrupts off, no
 * stack.  The others wait for a start-up message.
 *
 * Layer 3.
 */
#ifndef EMU_MACHINE_LOADER_H
#define EMU_MACHINE_LOADER_H

#include "base/base.h"
#include "guest/image.h"
#include "machine/machine.h"

#define LOADER_ERROR loader_error_quark()
GQuark loader_error_quark(void);
typedef enum LoaderError {
    LOADER_ERROR_FIT /* the image needs memory that the machine has not */
} LoaderError;

/* The physical memory below is the loader's. */
#define LOADER_END UINT64_C(0xa000)

/* The tables alone, for code that is put into memory by hand. */
void loader_make_tables(Machine *machine);

/* Start core `cpu` at `entry`, over these tables: 64-bit mode, interrupts off,
 * all registers 0. */
void loader_start(Machine *machine, unsigned cpu, gva_t entry);

/* Load `image` into a machine in its power-up state.  The last `hidden` bytes
 * of RAM are not told to the guest. */
bool loader_boot(Machine *machine, const Image *image, uint64_t hidden,
                 GError **error);

#endif
