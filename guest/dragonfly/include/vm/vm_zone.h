/* SPDX-License-Identifier: BSD-2-Clause */
/* vm/vm_zone.h -- named by the kernel file, which uses nothing of it. */
