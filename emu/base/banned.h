/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * banned -- names that would let the outside in.
 *
 * A run is a function of (guest image, scenario, seed) and of nothing else.
 * Host time, host chance and the order of addresses must not reach it, so the
 * names that bring them are compile errors.  The few places that talk to a
 * person about real time (the progress line, the benchmark) go through
 * wallclock.h, which is the one file that lifts the ban for itself.
 *
 * Layer 0; included by base.h only.
 */
#ifndef EMU_BASE_BANNED_H
#define EMU_BASE_BANNED_H

#define BANNED(name) sorry_##name##_is_banned_here_see_banned_h

#ifndef EMU_WALLCLOCK_IMPLEMENTATION
#define g_get_monotonic_time() BANNED(g_get_monotonic_time)
#define g_get_real_time() BANNED(g_get_real_time)
#define clock_gettime(...) BANNED(clock_gettime)
#define gettimeofday(...) BANNED(gettimeofday)
#define time(...) BANNED(time)
#endif

#define g_random_int() BANNED(g_random_int)
#define g_random_int_range(...) BANNED(g_random_int_range)
#define g_random_double() BANNED(g_random_double)
#define g_rand_new() BANNED(g_rand_new)
#define rand() BANNED(rand)
#define random() BANNED(random)
#define srand(...) BANNED(srand)

/* Hash tables over pointers iterate by address: look up, never walk. */
#define g_hash_table_iter_init(...) BANNED(g_hash_table_iter_init)
#define g_hash_table_foreach(...) BANNED(g_hash_table_foreach)
#define g_hash_table_get_keys(...) BANNED(g_hash_table_get_keys)
#define g_hash_table_get_values(...) BANNED(g_hash_table_get_values)

/* Not total orders, not bounded, or not ours to call. */
#define qsort(...) BANNED(qsort)
#define strcpy(...) BANNED(strcpy)
#define strcat(...) BANNED(strcat)
#define sprintf(...) BANNED(sprintf)
#define vsprintf(...) BANNED(vsprintf)
#define setlocale(...) BANNED(setlocale)

#endif
