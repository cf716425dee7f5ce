/* SPDX-License-Identifier: BSD-2-Clause */
/* vm/vm_kern.h -- named by the kernel file, which uses nothing of it. */
