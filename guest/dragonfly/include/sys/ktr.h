/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sys/ktr.h -- trace points, one probe of provider "ktr" each.
 *
 * KTR_INFO declares a point; its format is of no use here, since heddle
 * prints arguments by their type.
 */
#ifndef GUEST_SYS_KTR_H
#define GUEST_SYS_KTR_H

#include "shim/probe.h"

#define KTR_ALL 1
#define KTR_INFO_MASTER(master) struct ktr_##master
#define KTR_INFO(compile, master, name, number, format, ...)                   \
    struct ktr_##master##_##name

#define KTR_COUNT(a, b, c, d, e, count, ...) count
#define KTR_PROBE_1(name, a) PROBE1(ktr, name, a)
#define KTR_PROBE_5(name, a, b, c, d, e) PROBE5(ktr, name, a, b, c, d, e)
#define KTR_CHOOSE(count) KTR_CHOOSE_(count)
#define KTR_CHOOSE_(count) KTR_PROBE_##count
#define KTR_LOG(name, ...)                                                     \
    KTR_CHOOSE(KTR_COUNT(__VA_ARGS__, 5, 4, 3, 2, 1, 0))(name, __VA_ARGS__)

#endif
