/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gmem -- guest physical memory and where it can be seen.
 *
 * One block of host memory is the machine's RAM.  Unicorn 2.0.1 does not
 * translate addresses, so RAM is visible through three fixed windows, and the
 * loader's page tables map exactly these:
 *
 *      virtual                          physical
 *      0000000000000000  identity       0 .. ram      (page 0 is absent)
 *      ffff800000000000  direct map     0 .. ram
 *      ffffffff80000000  kernel         0 .. ram
 *
 * A second block, the base, holds RAM as it was after set-up.  Every line of
 * LINE_BYTES that is written afterwards is on the dirty list, so that going
 * back costs as much as the run has dirtied, not as much as there is memory.
 * Lines, not pages: a kernel touches a few words on each of many pages, and
 * copying whole pages was a sixth of a short run.
 *
 * Invariants: a line that differs from the base is on the dirty list, and on
 * it once; a line marked GMEM_CODE holds bytes that were decoded.
 *
 * Layer 1; knows neither time nor chance.
 */
#ifndef EMU_GUEST_GMEM_H
#define EMU_GUEST_GMEM_H

#include "base/base.h"
#include "base/capacity.h"
#include "base/digest.h"

#define WINDOW_BITS 30 /* one window shows up to 1 GiB */
#define WINDOW_IDENTITY UINT64_C(0)
#define WINDOW_DIRECT UINT64_C(0xffff800000000000)
#define WINDOW_KERNEL UINT64_C(0xffffffff80000000)

#define GMEM_DIRTY 1u /* line flag: on the dirty list */
#define GMEM_CODE 2u  /* line flag: it holds instructions that were decoded,
                       * or page tables: a write there must be told */
#define GMEM_WATCHED 4u /* line flag: accesses are told */
#define GMEM_PAST 8u  /* line flag: loads of it may be late; see past.h */

typedef struct Gmem {
    uint8_t *bytes;        /* RAM, page-aligned */
    uint64_t size;         /* bytes, a multiple of the page */
    uint8_t *base;         /* RAM after set-up; NULL before gmem_rebase() */
    uint8_t *line_flags;   /* GMEM_*, one a line */
    uint32_t *dirty;       /* numbers of the dirty lines, as they came */
    uint32_t dirty_count;  /* how many */
    uint64_t base_digest;  /* of the base */
} Gmem;

/* Allocate `mib` MiB of zeroed RAM; 1 <= mib <= RAM_MIB_MAX. */
void gmem_init(Gmem *gmem, unsigned mib);
void gmem_clear(Gmem *gmem);

/*
 * The physical address that `address` shows through its window, for `size`
 * bytes that do not leave it; false if it is not RAM (the APIC page, a hole).
 */
static inline bool
gmem_translate(const Gmem *gmem, gva_t address, uint64_t size, gpa_t *physical)
{
    uint64_t window = address >> WINDOW_BITS;
    gpa_t offset = address & ((UINT64_C(1) << WINDOW_BITS) - 1);

    if (window != WINDOW_KERNEL >> WINDOW_BITS &&
        window != WINDOW_DIRECT >> WINDOW_BITS &&
        window != WINDOW_IDENTITY >> WINDOW_BITS)
        return false;
    if (offset >= gmem->size || size > gmem->size - offset)
        return false;
    *physical = offset;
    return true;
}

void gmem_dirty_line(Gmem *gmem, uint32_t line);

/* Note that [physical, physical + size) is about to be written; the range
 * must be RAM and size must not be 0. */
static inline void
gmem_will_write(Gmem *gmem, gpa_t physical, uint64_t size)
{
    uint32_t first = (uint32_t)(physical >> LINE_BITS);
    uint32_t last = (uint32_t)((physical + size - 1) >> LINE_BITS);

    for (uint32_t line = first; line <= last; line++)
        if (!(gmem->line_flags[line] & GMEM_DIRTY))
            gmem_dirty_line(gmem, line);
}

/* Read or write guest virtual memory on behalf of the host; false, and
 * nothing done, where it is not RAM. */
bool gmem_read(const Gmem *gmem, gva_t address, void *bytes, uint64_t size);
bool gmem_write(Gmem *gmem, gva_t address, const void *bytes, uint64_t size);

/* Copy the NUL-terminated guest string at `address` into a new string, at
 * most `most` bytes of it; NULL where it is not RAM.  Bytes that are not
 * printable ASCII, tab or newline become '?'. */
char *gmem_read_string(const Gmem *gmem, gva_t address, uint64_t most);

/* Make the present contents the base: nothing is dirty. */
void gmem_rebase(Gmem *gmem);

/* Go back to the base.  Lines with decoded instructions among the restored
 * ones are reported to `code_changed`, which may be NULL. */
typedef void GmemCodeChanged(void *user, gpa_t line, uint64_t size);
void gmem_restore(Gmem *gmem, GmemCodeChanged *code_changed, void *user);

/* Add to the digest: the base, and every line that differs from it. */
void gmem_digest(const Gmem *gmem, Digest *digest);

#endif
