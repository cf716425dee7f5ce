/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/rulecheck.h"

#include "watch/callbacks.h"
#include "watch/ledger.h"
#include "watch/lifetime.h"
#include "watch/operand.h"
#include "watch/stacks.h"

typedef enum PlaceKind {
    PLACE_WORD,     /* rule number `index` looks at its word */
    PLACE_WRITTEN,  /* the store of `access` says that a message is there */
    PLACE_RECEIVED, /* the note `probe` says what is about to be executed */
    PLACE_RETURNED,
    PLACE_FREED,
    PLACE_TAKEN,
} PlaceKind;

typedef struct Place {
    gva_t address;
    PlaceKind kind;
    unsigned index;
    InsnAccess access;
    const ImageProbe *probe;
} Place;

struct RuleCheck {
    const Image *image;
    Machine *machine;
    const Rules *rules;
    GArray *places;      /* Place */
    Ledger *ledger;      /* NULL: messages are not followed */
    bool follows;        /* so are callbacks */
    int rule_of[RULE_FREED + 1]; /* of each kind but WORD, a rule, or -1 */
    BreachLog log;
    Stacks stacks;
    Lifetime lifetime;
    Callbacks callbacks;
};

static const Rule *
rule_at(const RuleCheck *check, unsigned index)
{
    return g_ptr_array_index(check->rules->rules, index);
}

/* --- Finding places ------------------------------------------------------- */

static void
add_place(RuleCheck *check, const Place *place)
{
    g_array_append_val(check->places, *place);
}

/* A point that the image does not have is left out: other revisions of the
 * kernel, or mutants, may lack it. */
static void
add_points(RuleCheck *check, const GPtrArray *points, const Place *like)
{
    g_autoptr(GArray) addresses = g_array_new(FALSE, FALSE, sizeof(gva_t));

    for (guint i = 0; i < points->len; i++)
        point_find(g_ptr_array_index(points, i), check->image,
                   machine_memory(check->machine), addresses, NULL);
    for (guint i = 0; i < addresses->len; i++) {
        Place place = *like;

        place.address = g_array_index(addresses, gva_t, i);
        add_place(check, &place);
    }
}

/* Instructions that the compiler may put in front of a store, of its line. */
#define STORE_WITHIN 8u
#define INDEX_BYTES 4u

/* The place is a line of source; what counts is the store of an index that the
 * line ends in. */
static bool
find_store(const RuleCheck *check, Place *place)
{
    const Gmem *memory = machine_memory(check->machine);
    gva_t at = place->address;

    for (unsigned i = 0; i < STORE_WITHIN; i++) {
        gpa_t physical;
        Insn insn;

        if (!gmem_translate(memory, at, 1, &physical) ||
            !insn_decode(&insn, memory->bytes + physical,
                         memory->size - physical, at, INSN_MODE_64))
            return false;
        for (unsigned k = 0; k < insn.access_count; k++)
            if (insn.access[k].mode & INSN_ACCESS_WRITE &&
                insn.access[k].size == INDEX_BYTES) {
                place->address = at;
                place->access = insn.access[k];
                return true;
            }
        at += insn.length;
    }
    return false;
}

static void
add_stores(RuleCheck *check)
{
    Place like = {.kind = PLACE_WRITTEN};
    guint kept = check->places->len;

    add_points(check, check->rules->messages.written, &like);
    for (guint i = kept; i < check->places->len; i++) {
        Place place = g_array_index(check->places, Place, i);

        if (find_store(check, &place))
            g_array_index(check->places, Place, kept++) = place;
    }
    g_array_set_size(check->places, kept);
}

/* The notes of a name that have as many arguments. */
static unsigned
add_notes(RuleCheck *check, const char *provider, const char *name,
          const Place *like)
{
    unsigned count = 0;

    if (provider == NULL || name == NULL)
        return 0;
    for (size_t i = 0; i < image_probe_count(check->image); i++) {
        const ImageProbe *probe = image_probe(check->image, i);
        Place place = *like;

        if (!g_str_equal(probe->provider, provider) ||
            !g_str_equal(probe->name, name) ||
            probe->argument_count != like->index)
            continue;
        place.address = probe->address;
        place.probe = probe;
        add_place(check, &place);
        count++;
    }
    return count;
}

static void
find_messages(RuleCheck *check, const StateView *view)
{
    const RuleMessages *messages = &check->rules->messages;
    Place received = {
        .kind = PLACE_RECEIVED, .index = messages->field_count + 2};
    Place returned = {.kind = PLACE_RETURNED};
    guint before;

    if (view == NULL || view->fifos->len == 0 || messages->field_count == 0 ||
        add_notes(check, messages->provider, messages->received,
                  &received) == 0)
        return;
    check->ledger = ledger_new(check->machine, messages, view);
    add_stores(check);
    before = check->places->len;
    add_points(check, messages->returned, &returned);
    check->follows = check->places->len > before;
}

static void
find_places(RuleCheck *check, const StateView *view)
{
    const RuleMemory *memory = &check->rules->memory;
    Place freed = {.kind = PLACE_FREED, .index = 2};
    Place taken = {.kind = PLACE_TAKEN, .index = 2};

    for (guint i = 0; i < check->rules->rules->len; i++) {
        Place place = {.kind = PLACE_WORD, .index = i};
        const Rule *rule = rule_at(check, i);

        check->rule_of[rule->kind] = (int)i;
        add_points(check, rule->points, &place);
    }
    find_messages(check, view);
    add_notes(check, memory->provider, memory->freed, &freed);
    add_notes(check, memory->provider, memory->taken, &taken);
}

RuleCheck *
rulecheck_new(const Image *image, Machine *machine, const Rules *rules,
              const StateView *view)
{
    RuleCheck *check = g_new0(RuleCheck, 1);

    INVARIANT(rules->rules->len <= RULES_MAX);
    check->image = image;
    check->machine = machine;
    check->rules = rules;
    check->places = g_array_new(FALSE, FALSE, sizeof(Place));
    for (unsigned i = 0; i < G_N_ELEMENTS(check->rule_of); i++)
        check->rule_of[i] = -1;
    stacks_init(&check->stacks, machine, rules);
    lifetime_init(&check->lifetime, machine, &check->stacks);
    find_places(check, view);
    return check;
}

void
rulecheck_free(RuleCheck *check)
{
    if (check == NULL)
        return;
    g_array_unref(check->places);
    ledger_free(check->ledger);
    g_free(check);
}

bool
rulecheck_place(const RuleCheck *check, unsigned index, gva_t *address)
{
    if (index >= check->places->len)
        return false;
    *address = g_array_index(check->places, Place, index).address;
    return true;
}

void
rulecheck_begin(RuleCheck *check)
{
    check->log.count = 0;
    check->log.fresh = 0;
    if (check->ledger != NULL)
        ledger_begin(check->ledger);
    stacks_begin(&check->stacks);
    lifetime_begin(&check->lifetime);
    callbacks_begin(&check->callbacks, machine_cpus(check->machine));
}

/* --- Breaches ------------------------------------------------------------- */

static void
breach(RuleCheck *check, int rule, unsigned cpu, gva_t rip)
{
    Breach broken;

    if (rule < 0)
        return;
    broken = (Breach){
        .rule = rule_at(check, (unsigned)rule)->name,
        .moment = {.at = machine_clock(check->machine),
                   .cpu = cpu,
                   .rip = rip},
    };
    breach_add(&check->log, (unsigned)rule, &broken);
}

/* False: it cannot be read. */
static bool
read_word(const RuleCheck *check, const RuleWord *word, unsigned cpu,
          uint64_t *value)
{
    const Gmem *memory = machine_memory(check->machine);
    gva_t at = check->rules->globaldata[cpu];

    *value = 0;
    if (word->source == RULE_OF_FLAGS) {
        *value = (cpu_flags(machine_cpu(check->machine, cpu)) &
                  word->offset) != 0;
        return true;
    }
    if (word->source == RULE_OF_THREAD &&
        (!gmem_read(memory, at + check->rules->thread, &at, 8) || at == 0))
        return false;
    return gmem_read(memory, at + word->offset, value, word->size);
}

static void
check_word(RuleCheck *check, unsigned index, unsigned cpu, gva_t rip)
{
    const Rule *rule = rule_at(check, index);
    uint64_t value;

    for (unsigned i = 0; i < rule->word_count; i++)
        if (read_word(check, &rule->words[i], cpu, &value) &&
            (value == rule->value) == rule->negated) {
            breach(check, (int)index, cpu, rip);
            return;
        }
}

/* --- Messages ------------------------------------------------------------- */

static inline uint64_t
stack_pointer(const RuleCheck *check, unsigned cpu)
{
    return cpu_register(machine_cpu(check->machine, cpu), GPR_RSP);
}

static inline void
look_at_stack(RuleCheck *check, unsigned cpu)
{
    const Cpu *core = machine_cpu(check->machine, cpu);

    if (UNLIKELY(!stacks_look(&check->stacks, cpu,
                              core->live->registers[GPR_RSP])))
        breach(check, check->rule_of[RULE_STACK], cpu, cpu_rip(core));
    if (UNLIKELY(check->lifetime.object_count != 0))
        lifetime_look(&check->lifetime, cpu);
}

static void
message_written(RuleCheck *check, const Place *place, unsigned cpu)
{
    const Cpu *core = machine_cpu(check->machine, cpu);
    uint64_t fields[RULE_FIELDS_MAX];
    gpa_t physical;
    bool room;

    if (!gmem_translate(machine_memory(check->machine),
                        operand_address(core, &place->access), INDEX_BYTES,
                        &physical) ||
        !ledger_send(check->ledger, physical, fields, &room))
        return;
    if (!room)
        breach(check, check->rule_of[RULE_ROOM], cpu, place->address);
    if (check->follows && check->rule_of[RULE_DEAD_STACK] >= 0 &&
        check->rules->messages.field_count > 1)
        lifetime_send(&check->lifetime, cpu, fields[1]);
}

static void
begin_callback(RuleCheck *check, const Place *place, unsigned cpu,
               const LedgerReceipt *receipt)
{
    Callback *callback = callbacks_push(&check->callbacks, cpu);
    int balance = check->rule_of[RULE_BALANCE];

    if (callback == NULL)
        return;
    callback->rsp = stack_pointer(check, cpu);
    callback->rip = place->address;
    callback->function = receipt->fields[0];
    callback->object = receipt->fields[1];
    if (balance < 0)
        return;
    for (unsigned i = 0; i < rule_at(check, (unsigned)balance)->word_count; i++)
        read_word(check, &rule_at(check, (unsigned)balance)->words[i], cpu,
                  &callback->words[i]);
}

static void
message_received(RuleCheck *check, const Place *place, unsigned cpu)
{
    Cpu *core = machine_cpu(check->machine, cpu);
    unsigned count = check->rules->messages.field_count;
    LedgerReceipt receipt = {0};

    if (check->follows &&
        callbacks_is_again(&check->callbacks, cpu, place->address,
                           stack_pointer(check, cpu)))
        return;
    for (unsigned i = 0; i < count; i++)
        receipt.fields[i] = operand_read(core, &place->probe->arguments[i]);
    receipt.source = operand_read(core, &place->probe->arguments[count]);
    receipt.target = operand_read(core, &place->probe->arguments[count + 1]);
    if (!ledger_receive(check->ledger, &receipt))
        breach(check, check->rule_of[RULE_ORDER], cpu, place->address);
    if (check->follows)
        begin_callback(check, place, cpu, &receipt);
}

/* What the callback has not put back is told of the callback. */
static void
message_returned(RuleCheck *check, unsigned cpu)
{
    const Callback *callback = callbacks_pop(&check->callbacks, cpu,
                                             stack_pointer(check, cpu));
    int balance = check->rule_of[RULE_BALANCE];
    const Rule *rule;

    if (callback == NULL)
        return;
    if (check->lifetime.object_count != 0)
        lifetime_done(&check->lifetime, callback->object);
    if (balance < 0)
        return;
    rule = rule_at(check, (unsigned)balance);
    for (unsigned i = 0; i < rule->word_count; i++) {
        uint64_t value;

        if (read_word(check, &rule->words[i], cpu, &value) &&
            value != callback->words[i]) {
            breach(check, balance, cpu, callback->function);
            return;
        }
    }
}

/* --- Moments -------------------------------------------------------------- */

static void
note_memory(RuleCheck *check, const Place *place, unsigned cpu)
{
    Cpu *core = machine_cpu(check->machine, cpu);
    gva_t address = operand_read(core, &place->probe->arguments[0]);
    uint64_t size = operand_read(core, &place->probe->arguments[1]);

    if (place->kind == PLACE_FREED)
        lifetime_free(&check->lifetime, address, size);
    else
        lifetime_take(&check->lifetime, address, size);
}

bool
rulecheck_point(RuleCheck *check, unsigned index, unsigned cpu)
{
    const Place *place = &g_array_index(check->places, Place, index);

    switch (place->kind) {
    case PLACE_WORD:
        look_at_stack(check, cpu);
        check_word(check, place->index, cpu, place->address);
        break;
    case PLACE_WRITTEN:
        message_written(check, place, cpu);
        break;
    case PLACE_RECEIVED:
        message_received(check, place, cpu);
        break;
    case PLACE_RETURNED:
        message_returned(check, cpu);
        break;
    case PLACE_FREED:
    case PLACE_TAKEN:
        note_memory(check, place, cpu);
        break;
    }
    return check->log.fresh != 0;
}

bool
rulecheck_slice(RuleCheck *check, unsigned cpu)
{
    CpuActivity activity = machine_cpu(check->machine, cpu)->state.activity;

    if (LIKELY(activity < CPU_WAIT_SIPI))
        look_at_stack(check, cpu);
    return check->log.fresh != 0;
}

bool
rulecheck_access(RuleCheck *check, unsigned cpu, gpa_t physical, uint64_t size)
{
    const Callback *callback = callbacks_top(&check->callbacks, cpu);
    gva_t rip = cpu_rip(machine_cpu(check->machine, cpu));
    LifetimeAccess access = {
        .cpu = cpu,
        .physical = physical,
        .size = size,
        .about = callback == NULL ? 0 : callback->object,
    };

    if (check->lifetime.object_count == 0 && check->lifetime.freed_count == 0)
        return false;
    if (lifetime_touches_freed(&check->lifetime, &access))
        breach(check, check->rule_of[RULE_FREED], cpu, rip);
    if (lifetime_touches_dead(&check->lifetime, &access))
        breach(check, check->rule_of[RULE_DEAD_STACK], cpu, rip);
    return check->log.fresh != 0;
}

BreachLog *
rulecheck_log(RuleCheck *check)
{
    return &check->log;
}

/* --- Its state ------------------------------------------------------------ */

static void
digest_callbacks(const RuleCheck *check, Digest *digest)
{
    for (unsigned cpu = 0; cpu < machine_cpus(check->machine); cpu++) {
        unsigned depth = check->callbacks.depth[cpu];

        digest_u64(digest, depth);
        for (unsigned i = 0; i < MIN(depth, CALLBACKS_MAX); i++) {
            const Callback *callback = &check->callbacks.of[cpu][i];

            digest_u64(digest, callback->rsp);
            digest_u64(digest, callback->function);
            digest_u64(digest, callback->object);
            digest_bytes(digest, callback->words, sizeof callback->words);
        }
    }
}

void
rulecheck_digest(RuleCheck *check, Digest *digest)
{
    const Lifetime *lifetime = &check->lifetime;

    digest_callbacks(check, digest);
    for (unsigned i = 0; i < lifetime->object_count; i++) {
        const LifetimeObject *object = &lifetime->objects[i];

        digest_u64(digest, object->physical);
        digest_u64(digest, (uint64_t)object->messages << 8 | object->dead);
        digest_u64(digest, object->owner);
    }
    for (unsigned i = 0; i < lifetime->freed_count; i++) {
        digest_u64(digest, lifetime->freed[i].begin);
        digest_u64(digest, lifetime->freed[i].end);
    }
    if (check->ledger != NULL)
        ledger_digest(check->ledger, digest);
}
