/* SPDX-License-Identifier: BSD-2-Clause */
/* sys/kernel.h -- named by the kernel file, which uses nothing of it. */
