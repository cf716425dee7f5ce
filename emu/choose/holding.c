/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/holding.h"

static uint64_t
bit(unsigned number)
{
    return UINT64_C(1) << number;
}

void
holding_clear(Holding *holding)
{
    holding->messages = 0;
    holding->timers = 0;
    for (unsigned i = 0; i < CPUS_MAX; i++)
        holding->stores[i].held = 0;
}

/* --- Stores --------------------------------------------------------------- */

static void
look(HeldStores *kept, const Store *stores, unsigned count)
{
    kept->count = count;
    for (unsigned i = 0; i < count; i++) {
        kept->store[i].physical = stores[i].physical;
        kept->store[i].rip = stores[i].rip;
    }
}

/* Could the buffer be what is left when the `gone` oldest have left? */
static bool
fits(const HeldStores *kept, unsigned gone, const Store *stores,
     unsigned count)
{
    if (kept->count - gone > count)
        return false;
    for (unsigned i = gone; i < kept->count; i++)
        if (kept->store[i].physical != stores[i - gone].physical ||
            kept->store[i].rip != stores[i - gone].rip)
            return false;
    return true;
}

static void
follow(HeldStores *kept, const Store *stores, unsigned count)
{
    unsigned gone = 0;

    while (!fits(kept, gone, stores, count))
        gone++;
    kept->held = gone < 64 ? kept->held >> gone : 0;
    look(kept, stores, count);
}

bool
holding_fresh_store(const Holding *holding, const Machine *machine,
                    const Actions *actions, Action *action)
{
    for (uint64_t cpus = actions->drains; cpus != 0; cpus &= cpus - 1) {
        unsigned cpu = (unsigned)__builtin_ctzll(cpus);
        uint64_t fresh =
            machine_drainable(machine, cpu) & ~holding->stores[cpu].held;

        if (fresh == 0)
            continue;
        *action = (Action){.kind = ACTION_DRAIN, .cpu = cpu,
                           .number = (uint64_t)__builtin_ctzll(fresh)};
        return true;
    }
    return false;
}

unsigned
holding_private_stores(const Holding *holding, const Machine *machine,
                       const Sharing *sharing, const Action *drain)
{
    unsigned count, at = (unsigned)drain->number;
    const Store *stores = machine_stores(machine, drain->cpu, &count);

    if (at > 0 || holding->stores[drain->cpu].held != 0)
        count = at + 1;
    while (at < count && !sharing_is_shared(sharing, stores[at].physical,
                                            stores[at].size))
        at++;
    return at - (unsigned)drain->number;
}

/* --- Messages and timers -------------------------------------------------- */

static bool
is_held(const Holding *holding, const Action *action)
{
    if (action->kind == ACTION_FIRE)
        return (holding->timers & bit(action->cpu)) != 0;
    for (unsigned i = 0; i < holding->messages; i++)
        if (holding->message[i] == action->number)
            return true;
    return false;
}

bool
holding_fresh_message(const Holding *holding, const Actions *actions,
                      Action *action)
{
    for (unsigned i = 0; i < actions->rest_count; i++)
        if (!is_held(holding, &actions->rest[i])) {
            *action = actions->rest[i];
            return true;
        }
    return false;
}

/* --- Both ----------------------------------------------------------------- */

void
holding_update(Holding *holding, Machine *machine, const Actions *actions)
{
    uint64_t due = 0;

    for (unsigned i = 0; i < machine_cpus(machine); i++) {
        HeldStores *kept = &holding->stores[i];
        unsigned count;
        const Store *stores;

        if (LIKELY(kept->held == 0))
            continue;
        stores = machine_stores(machine, i, &count);
        follow(kept, stores, count);
    }
    if (LIKELY(holding->timers == 0))
        return;
    for (unsigned i = 0; i < actions->rest_count; i++)
        if (actions->rest[i].kind == ACTION_FIRE)
            due |= bit(actions->rest[i].cpu);
    holding->timers &= due;
}

bool
holding_hold(Holding *holding, const Machine *machine, const Action *action)
{
    HeldStores *kept = &holding->stores[action->cpu];
    const Store *stores;
    unsigned count;

    switch (action->kind) {
    case ACTION_DRAIN:
        stores = machine_stores(machine, action->cpu, &count);
        look(kept, stores, count);
        kept->held |= bit((unsigned)action->number);
        return true;
    case ACTION_DELIVER:
        if (holding->messages == HOLDING_MESSAGES_MAX)
            return false;
        holding->message[holding->messages++] = action->number;
        return true;
    case ACTION_FIRE:
        holding->timers |= bit(action->cpu);
        return true;
    case ACTION_STEP:
        break;
    }
    BUG("nobody holds action kind %d", (int)action->kind);
}

bool
holding_held(const Holding *holding, const Machine *machine,
             const Actions *actions, unsigned index, Action *action)
{
    for (uint64_t cpus = actions->drains; cpus != 0; cpus &= cpus - 1) {
        unsigned cpu = (unsigned)__builtin_ctzll(cpus);
        uint64_t held = holding->stores[cpu].held;

        if (held != 0)
            held &= machine_drainable(machine, cpu);
        for (; held != 0; held &= held - 1)
            if (index-- == 0) {
                *action = (Action){.kind = ACTION_DRAIN, .cpu = cpu,
                                   .number = (uint64_t)__builtin_ctzll(held)};
                return true;
            }
    }
    if (holding->messages == 0 && holding->timers == 0)
        return false;
    for (unsigned i = 0; i < actions->rest_count; i++)
        if (is_held(holding, &actions->rest[i]) && index-- == 0) {
            *action = actions->rest[i];
            return true;
        }
    return false;
}

static void
forget_store(HeldStores *kept, unsigned place)
{
    uint64_t older = bit(place) - 1;

    if (kept->held == 0 || place >= kept->count)
        return;
    kept->held = (kept->held & older) | (kept->held >> 1 & ~older);
    kept->count--;
    memmove(&kept->store[place], &kept->store[place + 1],
            (kept->count - place) * sizeof kept->store[0]);
}

void
holding_performed(Holding *holding, const Action *action)
{
    if (action->kind == ACTION_DRAIN)
        forget_store(&holding->stores[action->cpu],
                     (unsigned)action->number);
    if (action->kind == ACTION_FIRE)
        holding->timers &= ~bit(action->cpu);
    for (unsigned i = 0;
         action->kind == ACTION_DELIVER && i < holding->messages; i++)
        if (holding->message[i] == action->number)
            holding->message[i--] = holding->message[--holding->messages];
}

bool
holding_digest(const Holding *holding, const Machine *machine, Digest *digest)
{
    bool any = holding->messages > 0 || holding->timers != 0;
    uint64_t which = 0;
    unsigned count;

    for (unsigned i = 0; i < holding->messages; i++) {
        const Message *messages =
            machine_messages((Machine *)machine, &count);

        for (unsigned k = 0; k < count; k++)
            if (messages[k].number == holding->message[i])
                which |= bit(k % 64);
    }
    digest_u64(digest, which);
    digest_u64(digest, holding->timers);
    for (unsigned i = 0; i < machine_cpus(machine); i++) {
        digest_u64(digest, holding->stores[i].held);
        any = any || holding->stores[i].held != 0;
    }
    return any;
}
