/* SPDX-License-Identifier: BSD-2-Clause */
/* machine/stdarg.h -- named by the kernel file, which uses nothing of it. */
