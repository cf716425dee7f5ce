/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/lifetime.h"

void
lifetime_init(Lifetime *lifetime, Machine *machine, const Stacks *stacks)
{
    lifetime->machine = machine;
    lifetime->stacks = stacks;
}

/* --- Lines ---------------------------------------------------------------- */

static LifetimeLine *
find_line(Lifetime *lifetime, gpa_t line)
{
    for (unsigned i = 0; i < lifetime->line_count; i++)
        if (lifetime->lines[i].line == line)
            return &lifetime->lines[i];
    return NULL;
}

/* A line that others have had watched stays theirs. */
static void
watch_line(Lifetime *lifetime, gpa_t line)
{
    LifetimeLine *known = find_line(lifetime, line);

    if (known != NULL)
        known->users++;
    else if (lifetime->line_count < LIFETIME_LINES_MAX &&
             machine_watch_line(lifetime->machine, line << LINE_BITS))
        lifetime->lines[lifetime->line_count++] =
            (LifetimeLine){.line = line, .users = 1};
}

static void
unwatch_line(Lifetime *lifetime, gpa_t line)
{
    LifetimeLine *known = find_line(lifetime, line);

    if (known == NULL || --known->users > 0)
        return;
    machine_unwatch_line(lifetime->machine, line << LINE_BITS);
    *known = lifetime->lines[--lifetime->line_count];
}

static void
watch_range(Lifetime *lifetime, const LifetimeRange *range)
{
    for (gpa_t line = range->begin >> LINE_BITS;
         line <= (range->end - 1) >> LINE_BITS; line++)
        watch_line(lifetime, line);
}

static void
unwatch_range(Lifetime *lifetime, const LifetimeRange *range)
{
    for (gpa_t line = range->begin >> LINE_BITS;
         line <= (range->end - 1) >> LINE_BITS; line++)
        unwatch_line(lifetime, line);
}

void
lifetime_begin(Lifetime *lifetime)
{
    for (unsigned i = 0; i < lifetime->line_count; i++)
        machine_unwatch_line(lifetime->machine,
                             lifetime->lines[i].line << LINE_BITS);
    lifetime->object_count = 0;
    lifetime->freed_count = 0;
    lifetime->line_count = 0;
}

/* --- Stack objects -------------------------------------------------------- */

static LifetimeObject *
find_object(Lifetime *lifetime, uint64_t address)
{
    for (unsigned i = 0; i < lifetime->object_count; i++)
        if (lifetime->objects[i].address == address)
            return &lifetime->objects[i];
    return NULL;
}

static LifetimeRange
object_range(const LifetimeObject *object)
{
    uint64_t above = object->stack.high - object->address;

    return (LifetimeRange){
        object->physical,
        object->physical + MIN(above, LIFETIME_OBJECT_BYTES),
    };
}

void
lifetime_send(Lifetime *lifetime, unsigned cpu, uint64_t address)
{
    const StackBounds *stack = &lifetime->stacks->of[cpu].current;
    LifetimeObject *object = find_object(lifetime, address);
    bool is_its_own = address >= stack->low && address < stack->high;
    LifetimeRange range;

    if (object == NULL) {
        if (!is_its_own || lifetime->object_count == LIFETIME_OBJECTS_MAX)
            return;
        object = &lifetime->objects[lifetime->object_count];
        *object = (LifetimeObject){
            .address = address, .owner = cpu, .stack = *stack};
        if (!gmem_translate(machine_memory(lifetime->machine), address, 1,
                            &object->physical))
            return;
        lifetime->object_count++;
        range = object_range(object);
        watch_range(lifetime, &range);
    }
    if (is_its_own)
        object->dead = false;
    object->messages++;
}

void
lifetime_done(Lifetime *lifetime, uint64_t address)
{
    LifetimeObject *object = find_object(lifetime, address);
    LifetimeRange range;

    if (object == NULL || --object->messages > 0)
        return;
    range = object_range(object);
    unwatch_range(lifetime, &range);
    *object = lifetime->objects[--lifetime->object_count];
}

void
lifetime_look(Lifetime *lifetime, unsigned cpu)
{
    uint64_t rsp = lifetime->stacks->of[cpu].rsp;

    for (unsigned i = 0; i < lifetime->object_count; i++) {
        LifetimeObject *object = &lifetime->objects[i];

        if (object->owner == cpu && rsp > object->address &&
            rsp <= object->stack.high)
            object->dead = true;
    }
}

/* --- Free memory ---------------------------------------------------------- */

void
lifetime_free(Lifetime *lifetime, gva_t address, uint64_t size)
{
    LifetimeRange range;

    if (size == 0 || lifetime->freed_count == LIFETIME_FREED_MAX ||
        !gmem_translate(machine_memory(lifetime->machine), address, size,
                        &range.begin))
        return;
    range.end = range.begin + size;
    watch_range(lifetime, &range);
    lifetime->freed[lifetime->freed_count++] = range;
}

/* What is left of a range on both sides of the part that is taken. */
static void
keep_rest(Lifetime *lifetime, const LifetimeRange *old,
          const LifetimeRange *taken)
{
    LifetimeRange rests[] = {
        {old->begin, MIN(old->end, taken->begin)},
        {MAX(old->begin, taken->end), old->end},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rests); i++)
        if (rests[i].begin < rests[i].end &&
            lifetime->freed_count < LIFETIME_FREED_MAX) {
            watch_range(lifetime, &rests[i]);
            lifetime->freed[lifetime->freed_count++] = rests[i];
        }
}

void
lifetime_take(Lifetime *lifetime, gva_t address, uint64_t size)
{
    LifetimeRange taken;

    if (size == 0 || !gmem_translate(machine_memory(lifetime->machine),
                                     address, size, &taken.begin))
        return;
    taken.end = taken.begin + size;
    for (unsigned i = lifetime->freed_count; i-- > 0;) {
        LifetimeRange old = lifetime->freed[i];

        if (old.begin >= taken.end || taken.begin >= old.end)
            continue;
        lifetime->freed[i] = lifetime->freed[--lifetime->freed_count];
        keep_rest(lifetime, &old, &taken);
        unwatch_range(lifetime, &old);
    }
}

/* --- Accesses ------------------------------------------------------------- */

bool
lifetime_touches_freed(const Lifetime *lifetime, const LifetimeAccess *access)
{
    for (unsigned i = 0; i < lifetime->freed_count; i++)
        if (access->physical < lifetime->freed[i].end &&
            lifetime->freed[i].begin < access->physical + access->size)
            return true;
    return false;
}

bool
lifetime_touches_dead(const Lifetime *lifetime, const LifetimeAccess *access)
{
    const StackOf *visitor = &lifetime->stacks->of[access->cpu];

    for (unsigned i = 0; i < lifetime->object_count; i++) {
        const LifetimeObject *object = &lifetime->objects[i];
        LifetimeRange range = object_range(object);
        uint64_t rsp = lifetime->stacks->of[object->owner].rsp;
        uint64_t touched = object->address +
                           MAX(access->physical, range.begin) - range.begin;

        if (!object->dead || access->physical >= range.end ||
            range.begin >= access->physical + access->size ||
            (visitor->on.low == object->stack.low && access->cpu ==
             object->owner))
            continue;
        if (access->about == object->address ||
            (touched < rsp && rsp <= object->stack.high))
            return true;
    }
    return false;
}
