/* SPDX-License-Identifier: BSD-2-Clause */
/* opt_ddb.h -- named by the kernel file; there is no debugger here. */
