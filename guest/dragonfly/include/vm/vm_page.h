/* SPDX-License-Identifier: BSD-2-Clause */
/* vm/vm_page.h -- named by the kernel file, which uses nothing of it. */
