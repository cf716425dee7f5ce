/* SPDX-License-Identifier: BSD-2-Clause */
/* sys/rtprio.h -- named by the kernel file, which uses nothing of it. */
