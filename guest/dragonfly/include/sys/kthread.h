/* SPDX-License-Identifier: BSD-2-Clause */
/* sys/kthread.h -- named by the kernel file, which uses nothing of it. */
