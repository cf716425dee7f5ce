/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/drift_parts.h"

/* --- Following values ----------------------------------------------------- */

static DriftValue
value_of(const Drift *drift, const DriftStep *step,
         const InsnFlowOperand *operand)
{
    DriftValue value = drift_exact;

    if (operand->where == INSN_FLOW_REGISTER) {
        value = drift->now.registers[step->cpu][operand->number];
        if (operand->high && value.kind != DRIFT_EXACT)
            value = drift_loose;
    }
    if (operand->where == INSN_FLOW_MEMORY)
        value = drift_load(drift, step->access[operand->number], operand->size);
    return drift_narrow(value, 8u * operand->size);
}

static bool
put(Drift *drift, const DriftStep *step, const InsnFlowOperand *operand,
    DriftValue value)
{
    DriftValue *place;

    if (operand->where == INSN_FLOW_MEMORY)
        return drift_store(drift, step->access[operand->number], operand->size,
                           value);
    place = &drift->now.registers[step->cpu][operand->number];
    if (operand->size >= 4)
        *place = value;
    else if (value.kind != DRIFT_EXACT || place->kind != DRIFT_EXACT)
        *place = drift_loose;
    return true;
}

static void
put_flags(Drift *drift, const DriftStep *step, uint32_t inexact)
{
    const InsnFlow *flow = &step->site->flow;
    uint32_t *flags = &drift->now.flags[step->cpu];

    *flags = (*flags & ~flow->flags_written) | (inexact & flow->flags_touched);
}

/* The sum or difference of two values, and the flags that it leaves inexact. */
static DriftValue
sum(DriftValue a, DriftValue b, bool subtracts, unsigned bits,
    uint32_t *inexact)
{
    uint64_t stride = subtracts ? a.stride - b.stride : a.stride + b.stride;
    DriftValue result;

    *inexact = INSN_FLOW_ARITHMETIC;
    if (a.kind > DRIFT_DRIFTS || b.kind > DRIFT_DRIFTS ||
        (a.kind == DRIFT_DRIFTS && a.bits < bits) ||
        (b.kind == DRIFT_DRIFTS && b.bits < bits))
        return drift_loose;
    result = drift_value(stride, bits);
    if (result.kind == DRIFT_EXACT)
        *inexact = INSN_FLOW_CF | INSN_FLOW_OF | INSN_FLOW_AF;
    return result;
}

/* Only bits below the stride's lowest one are the same each time. */
static DriftValue
masked(DriftValue value, uint64_t mask, uint32_t *inexact)
{
    if (value.kind == DRIFT_DRIFTS &&
        (mask >> __builtin_ctzll(value.stride)) == 0) {
        *inexact = 0;
        return drift_exact;
    }
    *inexact = INSN_FLOW_ZF | INSN_FLOW_SF | INSN_FLOW_PF | INSN_FLOW_AF;
    return drift_loose;
}

static DriftValue
address(const Drift *drift, const DriftStep *step)
{
    const InsnFlow *flow = &step->site->flow;
    const DriftValue *registers = drift->now.registers[step->cpu];
    DriftValue base = flow->base < GPR_COUNT ? registers[flow->base]
                                             : drift_exact;
    DriftValue index = flow->index < GPR_COUNT ? registers[flow->index]
                                               : drift_exact;
    uint32_t none;

    index.stride <<= flow->scale;
    return sum(base, index, false, 8u * flow->to.size, &none);
}

static bool
follow_understood(Drift *drift, const DriftStep *step)
{
    const InsnFlow *flow = &step->site->flow;
    DriftValue to = value_of(drift, step, &flow->to);
    DriftValue from = value_of(drift, step, &flow->from);
    unsigned bits = 8u * flow->to.size;
    uint32_t inexact = 0;
    DriftValue result = drift_loose;

    switch (flow->kind) {
    case INSN_FLOW_MOVE:
        result = drift_narrow(from, bits);
        break;
    case INSN_FLOW_ADD:
    case INSN_FLOW_SUB:
        result = sum(to, from, flow->kind == INSN_FLOW_SUB, bits, &inexact);
        break;
    case INSN_FLOW_AND:
        inexact = INSN_FLOW_ARITHMETIC;
        if (from.kind == DRIFT_EXACT)
            result = masked(to, step->from, &inexact);
        else if (to.kind == DRIFT_EXACT)
            result = masked(from, step->to, &inexact);
        break;
    case INSN_FLOW_ADDRESS:
        result = address(drift, step);
        break;
    case INSN_FLOW_OTHER:
        break;
    }
    put_flags(drift, step, inexact);
    return flow->keeps || put(drift, step, &flow->to, result);
}

/* Everything that the instruction writes becomes `value`. */
static bool
write_all(Drift *drift, const DriftStep *step, DriftValue value)
{
    const InsnFlow *flow = &step->site->flow;

    for (unsigned i = 0; i < GPR_COUNT; i++)
        if (flow->writes >> i & 1 && !(i == GPR_RSP && flow->uses_stack))
            drift->now.registers[step->cpu][i] = value;
    put_flags(drift, step,
              value.kind == DRIFT_EXACT ? 0 : INSN_FLOW_ARITHMETIC);
    for (unsigned i = 0; i < flow->insn.access_count; i++)
        if (flow->insn.access[i].mode & INSN_ACCESS_WRITE &&
            !drift_store(drift, step->access[i], flow->insn.access[i].size,
                         value))
            return false;
    return true;
}

static bool
reads_inexact(const Drift *drift, const DriftStep *step)
{
    const InsnFlow *flow = &step->site->flow;

    if (step->reads_time || flow->flags_read & drift->now.flags[step->cpu])
        return true;
    for (unsigned reads = flow->reads; reads != 0; reads &= reads - 1)
        if (drift->now.registers[step->cpu][__builtin_ctz(reads)].kind !=
            DRIFT_EXACT)
            return true;
    for (unsigned i = 0; i < flow->insn.access_count; i++)
        if (flow->insn.access[i].mode & INSN_ACCESS_READ &&
            drift_load(drift, step->access[i], flow->insn.access[i].size)
                    .kind != DRIFT_EXACT)
            return true;
    return false;
}

static bool
addresses_inexact(const Drift *drift, const DriftStep *step)
{
    unsigned reads = step->site->flow.address_registers;

    for (; reads != 0; reads &= reads - 1)
        if (drift->now.registers[step->cpu][__builtin_ctz(reads)].kind !=
            DRIFT_EXACT)
            return true;
    return false;
}

/* An exception depends on what its instruction read, and may have left a part
 * of what it writes. */
static bool
follow_fault(Drift *drift, const DriftStep *step)
{
    const Insn *insn = &step->site->flow.insn;

    for (unsigned i = 0; i < insn->access_count; i++)
        if (step->access[i] != DRIFT_NOWHERE &&
            drift_find_cell(drift->now.cells, step->access[i],
                            insn->access[i].size, 0) < drift->now.cells->len)
            return drift_refuse(drift,
                                "fails on what is not the same each time");
    return !reads_inexact(drift, step) ||
           drift_refuse(drift, "fails by what is not the same each time");
}

/* RFLAGS comes back; with it, at most, arithmetic flags that are not exact. */
static bool
follow_iret(Drift *drift, const DriftStep *step)
{
    gpa_t frame = step->access[0];

    if (frame == DRIFT_NOWHERE ||
        step->site->flow.insn.access[0].size != DRIFT_FRAME_BYTES)
        return drift_refuse(drift, "returns through a frame that is not known");
    for (unsigned at = 0; at < DRIFT_FRAME_BYTES; at += 8) {
        DriftValue value = drift_load(drift, frame + at, 8);

        if (at == DRIFT_FLAGS_IN_FRAME && value.kind <= DRIFT_FLAGS &&
            value.kind != DRIFT_DRIFTS)
            drift->now.flags[step->cpu] = value.kind == DRIFT_FLAGS
                                              ? INSN_FLOW_ARITHMETIC
                                              : 0;
        else if (value.kind != DRIFT_EXACT)
            return drift_refuse(drift,
                                "returns to where it is not the same each "
                                "time");
    }
    return true;
}

static bool
follow_interrupt(Drift *drift, const DriftStep *step)
{
    uint64_t flags_at = step->frame - DRIFT_FRAME_BYTES + DRIFT_FLAGS_IN_FRAME;
    uint32_t flags = drift->now.flags[step->cpu];

    if (drift->now.registers[step->cpu][GPR_RSP].kind != DRIFT_EXACT)
        return drift_refuse(drift,
                            "its stack is not at the same place each time");
    for (unsigned at = 0; at < step->frame; at += 8)
        if (!drift_store(drift, step->access[0] + at, 8,
                         at == flags_at && flags != 0
                             ? (DriftValue){.kind = DRIFT_FLAGS}
                             : drift_exact))
            return false;
    return true;
}

/* What else than memory, general registers and flags could hold. */
#define SYSTEM                                                                 \
    (INSN_MSR | INSN_CR_ACCESS | INSN_DR_ACCESS | INSN_DESCRIPTOR |            \
     INSN_IN_OUT | INSN_POPF | INSN_SWAPGS | INSN_SYSCALL | INSN_INT_N |       \
     INSN_VMCALL | INSN_MONITOR_MWAIT | INSN_MOV_SS)

bool
drift_follow(Drift *drift, const DriftStep *step)
{
    const InsnFlow *flow;

    drift->at = step;
    if (step->site == NULL && step->frame != 0)
        return follow_interrupt(drift, step);
    if (step->site == NULL)
        return drift_refuse(drift, "executes what cannot be followed");
    flow = &step->site->flow;
    if (drift_find_cell(drift->now.cells, step->site->physical,
                        flow->insn.length, 0) < drift->now.cells->len)
        return drift_refuse(drift, "executes instructions that change");
    if (addresses_inexact(drift, step))
        return drift_refuse(drift,
                            "forms an address from what is not the same each "
                            "time");
    if (step->faulted)
        return follow_fault(drift, step);
    if (flow->insn.flags & INSN_IRET)
        return follow_iret(drift, step);
    if (step->reads_time && flow->insn.flags & INSN_TO_SYSTEM)
        return drift_refuse(drift, "sets a timer by the time of day");
    if (!reads_inexact(drift, step))
        return write_all(drift, step, drift_exact);
    if (flow->branches)
        return drift_refuse(drift,
                            "branches on what is not the same each time");
    if (!step->reads_time && flow->kind != INSN_FLOW_OTHER)
        return follow_understood(drift, step);
    if (!step->reads_time && (flow->writes_others || flow->insn.flags & SYSTEM))
        return drift_refuse(drift,
                            "puts what is not the same each time where it "
                            "cannot be followed");
    return write_all(drift, step, drift_loose);
}
