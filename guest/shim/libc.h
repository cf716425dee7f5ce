/* SPDX-License-Identifier: BSD-2-Clause */
/* libc.h -- the little a kernel needs of a C library. */
#ifndef GUEST_SHIM_LIBC_H
#define GUEST_SHIM_LIBC_H

#include "shim/types.h"

typedef __builtin_va_list va_list;
#define va_start(list, last) __builtin_va_start(list, last)
#define va_arg(list, type)   __builtin_va_arg(list, type)
#define va_end(list)         __builtin_va_end(list)

void *memset(void *to, int byte, size_t size);
void *memcpy(void *to, const void *from, size_t size);

/*
 * Formats into `to`, always NUL-terminated, and returns the bytes written
 * without the NUL (not those wanted).  Knows d i u x p s c %, the sizes
 * h l ll j z t, a width and a leading 0 or -.
 */
size_t vsnprintf(char *to, size_t size, const char *format, va_list list);

int kprintf(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
void panic(const char *format, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

#endif
