/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lifetime.h -- says that memory is free, or in use again: one `nop` each.
 *
 * An allocator puts MEMORY_FREED where nobody may touch the bytes any more,
 * after its own last touch, and MEMORY_TAKEN before it hands them out again.
 * heddle then tells every access in between.
 */
#ifndef GUEST_SHIM_LIFETIME_H
#define GUEST_SHIM_LIFETIME_H

#include "shim/probe.h"

#define MEMORY_FREED(address, size) PROBE2(memory, freed, address, size)
#define MEMORY_TAKEN(address, size) PROBE2(memory, taken, address, size)

#endif
