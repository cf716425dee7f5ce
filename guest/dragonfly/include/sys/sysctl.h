/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sys/sysctl.h -- counters and switches a story reads and sets by object:
 * sysctl_quad(sysctl__lwkt_ipiq_fifofull) is what `sysctl lwkt.ipiq_fifofull`
 * would print.
 */
#ifndef GUEST_SYS_SYSCTL_H
#define GUEST_SYS_SYSCTL_H

#include "shim/types.h"

struct sysctl_oid;

/* Either pointer may be NULL: nothing wanted, nothing to set. */
struct sysctl_req {
    int64_t *oldptr;
    const int64_t *newptr;
};

#define SYSCTL_HANDLER_ARGS                                                    \
    struct sysctl_oid *oidp, void *arg1, intptr_t arg2, struct sysctl_req *req

struct sysctl_oid {
    int (*oid_handler)(SYSCTL_HANDLER_ARGS);
    void *oid_arg1;
    intptr_t oid_arg2;
};

#define OID_AUTO (-1)
#define CTLFLAG_RW 1
#define CTLTYPE_QUAD 2

#define SYSCTL_PROC(parent, number, name, access, pointer, arg, handler,       \
                    format, description)                                       \
    struct sysctl_oid sysctl_##parent##_##name = {handler, pointer, arg}
#define SYSCTL_INT(parent, number, name, access, pointer, value, description)  \
    SYSCTL_PROC(parent, number, name, access, pointer, value,                  \
                sysctl_handle_int, "I", description)

int sysctl_handle_int(SYSCTL_HANDLER_ARGS);
int sysctl_handle_quad(SYSCTL_HANDLER_ARGS);

int64_t sysctl_quad(struct sysctl_oid *oid);
int sysctl_set_quad(struct sysctl_oid *oid, int64_t value);

#endif
