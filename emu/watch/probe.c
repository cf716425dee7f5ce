/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/probe.h"

#include "watch/inside.h"
#include "watch/pointtable.h"
#include "watch/rulecheck.h"

/* What to do at an address. */
typedef enum HandlerKind {
    HANDLER_BEGIN, /* region number `index` */
    HANDLER_END,
    HANDLER_EVENT, /* node number `index` */
    HANDLER_RULE,  /* place number `index` */
} HandlerKind;

typedef struct Handler {
    HandlerKind kind;
    unsigned index;
    int next; /* another handler of the same address, or -1 */
} Handler;

typedef struct Node {
    const Predicate *predicate;
    int left, right;    /* nodes, or -1 */
    int region;         /* of REGION, and of STUCK with a function; or -1 */
    bool fired;         /* an event: it is this moment */
    bool value;         /* at this moment */
    bool seen;          /* held at an earlier moment */
} Node;

/* A claim and what became of it. */
typedef struct Root {
    int node;
    bool occurred;
    bool at_end; /* and not at any moment before */
    Moment moment;
} Root;

struct Probe {
    ProbeSetup setup;
    GArray *nodes;        /* Node */
    GArray *roots;        /* Root: of each claim */
    GPtrArray *places;    /* Inside; the scenario's regions first */
    GArray *handlers;     /* Handler */
    PointTable first;     /* of an address: its first handler */
    RuleCheck *rules;     /* NULL: none */
    bool watches_regions; /* some claim depends on a place */
    bool watches_memory;  /* or on what touches an object */
};

static Node *
node_at(const Probe *probe, int index)
{
    return &g_array_index(probe->nodes, Node, (guint)index);
}

static Root *
root_at(const Probe *probe, unsigned index)
{
    INVARIANT(index < probe->roots->len);
    return &g_array_index(probe->roots, Root, index);
}

/* --- Finding points ------------------------------------------------------- */

static void
add_handler(Probe *probe, gva_t address, HandlerKind kind, unsigned index)
{
    Handler handler = {
        .kind = kind,
        .index = index,
        .next = pointtable_get(&probe->first, address),
    };

    pointtable_set(&probe->first, address, (int)probe->handlers->len);
    g_array_append_val(probe->handlers, handler);
    code_mark(machine_code(probe->setup.machine), address, CODE_POINT);
}

static bool
add_point(Probe *probe, const Point *point, HandlerKind kind, unsigned index,
          GError **error)
{
    g_autoptr(GArray) addresses = g_array_new(FALSE, FALSE, sizeof(gva_t));

    if (!point_find(point, probe->setup.image,
                    machine_memory(probe->setup.machine), addresses, error))
        return false;
    for (guint i = 0; i < addresses->len; i++)
        add_handler(probe, g_array_index(addresses, gva_t, i), kind, index);
    return true;
}

static bool
add_place(Probe *probe, const Point *begin, const Point *end, GError **error)
{
    Inside *inside = g_new0(Inside, 1);
    unsigned index = probe->places->len;

    g_ptr_array_add(probe->places, inside);
    inside->one_function = ((begin->kind == POINT_LINE &&
                            end->kind == POINT_LINE) ||
                           (begin->kind == POINT_ENTER &&
                            end->kind == POINT_LEAVE)) &&
                          g_strcmp0(begin->function, end->function) == 0;
    return add_point(probe, begin, HANDLER_BEGIN, index, error) &&
           add_point(probe, end, HANDLER_END, index, error);
}

/* `stuck { inside = f }`: the inside of a function is a place of its own. */
static bool
add_inside(Probe *probe, const char *function, GError **error)
{
    char *name = (char *)function;
    Point begin = {.kind = POINT_ENTER, .function = name};
    Point end = {.kind = POINT_LEAVE, .function = name};

    return add_place(probe, &begin, &end, error);
}

/* --- Nodes ---------------------------------------------------------------- */

static bool add_node(Probe *probe, const Predicate *predicate, int *index,
                     GError **error);

static bool
prepare_leaf(Probe *probe, Node *node, unsigned index, GError **error)
{
    const Predicate *predicate = node->predicate;
    gpa_t physical;

    switch (predicate->kind) {
    case PREDICATE_REGION:
        INVARIANT(predicate->index < probe->setup.regions->len);
        node->region = (int)predicate->index;
        probe->watches_regions = true;
        return true;
    case PREDICATE_POINT:
        return add_point(probe, &predicate->point, HANDLER_EVENT, index,
                         error);
    case PREDICATE_TOUCH:
        INVARIANT(predicate->index < probe->setup.object_count);
        probe->watches_memory = true;
        if (gmem_translate(machine_memory(probe->setup.machine),
                           probe->setup.objects[predicate->index],
                           probe->setup.object_sizes[predicate->index],
                           &physical))
            machine_watch_memory(probe->setup.machine, physical,
                                 probe->setup.object_sizes[predicate->index]);
        return true;
    case PREDICATE_STUCK:
        if (predicate->name == NULL)
            return true;
        node->region = (int)probe->places->len;
        return add_inside(probe, predicate->name, error);
    default:
        return true;
    }
}

static bool
add_node(Probe *probe, const Predicate *predicate, int *index, GError **error)
{
    Node node = {
        .predicate = predicate, .left = -1, .right = -1, .region = -1};

    if (predicate->left != NULL &&
        !add_node(probe, predicate->left, &node.left, error))
        return false;
    if (predicate->right != NULL &&
        !add_node(probe, predicate->right, &node.right, error))
        return false;
    if (!prepare_leaf(probe, &node, probe->nodes->len, error))
        return false;
    *index = (int)probe->nodes->len;
    g_array_append_val(probe->nodes, node);
    return true;
}

static void
add_rules(Probe *probe)
{
    const ProbeSetup *setup = &probe->setup;
    gva_t address;

    if (setup->rules == NULL)
        return;
    probe->rules = rulecheck_new(setup->image, setup->machine, setup->rules,
                                 setup->view);
    for (unsigned i = 0; rulecheck_place(probe->rules, i, &address); i++)
        add_handler(probe, address, HANDLER_RULE, i);
}

Probe *
probe_new(const ProbeSetup *setup, GError **error)
{
    g_autoptr(Probe) probe = g_new0(Probe, 1);

    probe->setup = *setup;
    probe->nodes = g_array_new(FALSE, TRUE, sizeof(Node));
    probe->roots = g_array_new(FALSE, TRUE, sizeof(Root));
    probe->places = g_ptr_array_new_with_free_func(g_free);
    probe->handlers = g_array_new(FALSE, TRUE, sizeof(Handler));
    for (guint i = 0; i < setup->regions->len; i++) {
        const Region *region = g_ptr_array_index(setup->regions, i);

        if (!add_place(probe, &region->begin, &region->end, error))
            return NULL;
    }
    for (guint i = 0; i < setup->claims->len; i++) {
        const Claim *claim = g_ptr_array_index(setup->claims, i);
        Root root = {0};

        if (!add_node(probe, claim->predicate, &root.node, error))
            return NULL;
        g_array_append_val(probe->roots, root);
    }
    add_rules(probe);
    return g_steal_pointer(&probe);
}

void
probe_free(Probe *probe)
{
    if (probe == NULL)
        return;
    g_clear_pointer(&probe->nodes, g_array_unref);
    g_clear_pointer(&probe->roots, g_array_unref);
    g_clear_pointer(&probe->places, g_ptr_array_unref);
    g_clear_pointer(&probe->handlers, g_array_unref);
    pointtable_clear(&probe->first);
    rulecheck_free(probe->rules);
    g_free(probe);
}

/* --- Moments -------------------------------------------------------------- */

static bool
inside_place(const Probe *probe, const Node *node)
{
    const Inside *inside =
        g_ptr_array_index(probe->places, (guint)node->region);
    int cpu = node->predicate->cpu;

    if (cpu != PREDICATE_ANY_CPU)
        return inside->depth[cpu] > 0;
    for (unsigned i = 0; i < machine_cpus(probe->setup.machine); i++)
        if (inside->depth[i] > 0)
            return true;
    return false;
}

static bool
register_is(const Probe *probe, const Predicate *predicate)
{
    Machine *machine = probe->setup.machine;

    for (unsigned i = 0; i < machine_cpus(machine); i++)
        if ((predicate->cpu == PREDICATE_ANY_CPU ||
             predicate->cpu == (int)i) &&
            cpu_register(machine_cpu(machine, i), predicate->index) ==
                predicate->value)
            return true;
    return false;
}

/* How the run ended; `verdict` is NULL while it goes on. */
static bool
ending_is(const Probe *probe, const Node *node, const Verdict *verdict)
{
    const Predicate *predicate = node->predicate;
    VerdictKind kind;
    bool stuck;

    if (verdict == NULL)
        return false;
    kind = verdict->kind;
    stuck = kind == VERDICT_DEADLOCK || kind == VERDICT_LIVELOCK;
    switch (predicate->kind) {
    case PREDICATE_STUCK:
        return stuck && (node->region < 0 || inside_place(probe, node));
    case PREDICATE_DEADLOCK:
        return kind == VERDICT_DEADLOCK;
    case PREDICATE_LIVELOCK:
        return kind == VERDICT_LIVELOCK;
    case PREDICATE_PANIC:
        return kind == VERDICT_PANIC;
    case PREDICATE_FAULT:
        return kind == VERDICT_FAULT;
    case PREDICATE_BUDGET:
        return kind == VERDICT_BUDGET;
    case PREDICATE_LOST_MESSAGE:
        return (kind == VERDICT_DONE || kind == VERDICT_DEADLOCK) &&
               state_waiting_fifo(probe->setup.machine, probe->setup.view) !=
                   NULL;
    case PREDICATE_REGISTER:
        return register_is(probe, predicate);
    case PREDICATE_MEMORY:
        return probe->setup.memory(probe->setup.user, predicate->index);
    default:
        BUG("predicate kind %d is no ending", (int)predicate->kind);
    }
}

static bool
value_of(const Probe *probe, const Node *node, const Verdict *verdict)
{
    switch (node->predicate->kind) {
    case PREDICATE_REGION:
        return inside_place(probe, node);
    case PREDICATE_POINT:
    case PREDICATE_TOUCH:
    case PREDICATE_MARK:
    case PREDICATE_BREACH:
        return node->fired;
    case PREDICATE_AND:
        return node_at(probe, node->left)->value &&
               node_at(probe, node->right)->value;
    case PREDICATE_OR:
        return node_at(probe, node->left)->value ||
               node_at(probe, node->right)->value;
    case PREDICATE_AFTER:
        return node_at(probe, node->left)->value &&
               node_at(probe, node->right)->seen;
    default:
        return ending_is(probe, node, verdict);
    }
}

static void
evaluate(Probe *probe, const Moment *moment, const Verdict *verdict)
{
    for (guint i = 0; i < probe->nodes->len; i++) {
        Node *node = node_at(probe, (int)i);

        node->value = value_of(probe, node, verdict);
    }
    for (guint i = 0; i < probe->nodes->len; i++) {
        Node *node = node_at(probe, (int)i);

        node->seen = node->seen || node->value;
        node->fired = false;
    }
    for (guint i = 0; i < probe->roots->len; i++) {
        Root *root = root_at(probe, i);

        if (root->occurred || !node_at(probe, root->node)->value)
            continue;
        root->occurred = true;
        root->at_end = moment == NULL;
        if (moment != NULL)
            root->moment = *moment;
    }
}

static void
evaluate_at(Probe *probe, unsigned cpu, gva_t rip)
{
    Moment moment = {
        .at = machine_clock(probe->setup.machine), .cpu = cpu, .rip = rip};

    evaluate(probe, &moment, NULL);
}

/* At an access, or between two slices. */
static void
evaluate_now(Probe *probe, unsigned cpu)
{
    evaluate_at(probe, cpu, cpu_rip(machine_cpu(probe->setup.machine, cpu)));
}

void
probe_begin(Probe *probe)
{
    for (guint i = 0; i < probe->nodes->len; i++) {
        Node *node = node_at(probe, (int)i);

        node->fired = node->value = node->seen = false;
    }
    for (guint i = 0; i < probe->roots->len; i++)
        root_at(probe, i)->occurred = false;
    for (guint i = 0; i < probe->places->len; i++)
        inside_begin(g_ptr_array_index(probe->places, i));
    if (probe->rules != NULL)
        rulecheck_begin(probe->rules);
}

void
probe_not_yet(Probe *probe, unsigned cpu, gva_t rip)
{
    int index = pointtable_get(&probe->first, rip);

    for (; index >= 0;
         index = g_array_index(probe->handlers, Handler, index).next) {
        const Handler *handler =
            &g_array_index(probe->handlers, Handler, index);

        if (handler->kind == HANDLER_BEGIN || handler->kind == HANDLER_END)
            inside_undo(g_ptr_array_index(probe->places, handler->index), cpu);
    }
}

/* Rules that were broken just now are a moment of their own. */
static void
heed_breaches(Probe *probe, unsigned cpu)
{
    uint64_t broken = rulecheck_log(probe->rules)->fresh;

    rulecheck_log(probe->rules)->fresh = 0;
    for (guint i = 0; i < probe->nodes->len; i++) {
        Node *node = node_at(probe, (int)i);
        const Predicate *predicate = node->predicate;

        if (predicate->kind != PREDICATE_BREACH ||
            (predicate->cpu != PREDICATE_ANY_CPU &&
             predicate->cpu != (int)cpu))
            continue;
        if (predicate->name == NULL)
            node->fired = true;
        for (uint64_t left = broken; left != 0; left &= left - 1) {
            const Rule *rule = g_ptr_array_index(
                probe->setup.rules->rules, (guint)__builtin_ctzll(left));

            if (g_strcmp0(predicate->name, rule->name) == 0)
                node->fired = true;
        }
    }
}

bool
probe_has_point(const Probe *probe, gva_t rip)
{
    return pointtable_get(&probe->first, rip) >= 0;
}

bool
probe_has_claimed(const Probe *probe, gva_t rip)
{
    int index = pointtable_get(&probe->first, rip);

    for (; index >= 0;
         index = g_array_index(probe->handlers, Handler, index).next) {
        HandlerKind kind =
            g_array_index(probe->handlers, Handler, index).kind;

        if (kind == HANDLER_EVENT ||
            (kind != HANDLER_RULE && probe->watches_regions))
            return true;
    }
    return false;
}

void
probe_digest(const Probe *probe, Digest *digest)
{
    for (guint i = 0; i < probe->nodes->len; i++) {
        const Node *node = node_at(probe, (int)i);

        if (node->predicate->kind == PREDICATE_AFTER)
            digest_u64(digest, node_at(probe, node->right)->seen);
    }
    if (probe->rules != NULL)
        rulecheck_digest(probe->rules, digest);
    for (guint i = 0; i < probe->roots->len; i++)
        digest_u64(digest, root_at(probe, i)->occurred);
    for (guint i = 0; i < probe->places->len; i++)
        inside_digest(g_ptr_array_index(probe->places, i),
                      machine_cpus(probe->setup.machine), digest);
}

void
probe_point(Probe *probe, unsigned cpu, gva_t rip)
{
    int index = pointtable_get(&probe->first, rip);
    bool matters = false;

    for (; index >= 0;
         index = g_array_index(probe->handlers, Handler, index).next) {
        const Handler *handler =
            &g_array_index(probe->handlers, Handler, index);
        Node *node;

        switch (handler->kind) {
        case HANDLER_BEGIN:
        case HANDLER_END:
            inside_move(g_ptr_array_index(probe->places, handler->index), cpu,
                        cpu_register(machine_cpu(probe->setup.machine, cpu),
                                     GPR_RSP),
                        handler->kind == HANDLER_BEGIN);
            matters = matters || probe->watches_regions;
            break;
        case HANDLER_EVENT:
            node = node_at(probe, (int)handler->index);
            if (node->predicate->cpu == PREDICATE_ANY_CPU ||
                node->predicate->cpu == (int)cpu)
                node->fired = matters = true;
            break;
        case HANDLER_RULE:
            if (UNLIKELY(
                    rulecheck_point(probe->rules, handler->index, cpu))) {
                heed_breaches(probe, cpu);
                matters = true;
            }
            break;
        }
    }
    if (matters)
        evaluate_at(probe, cpu, rip);
}

void
probe_access(Probe *probe, unsigned cpu, gpa_t physical, uint64_t size)
{
    bool matters = false;

    for (guint i = 0; probe->watches_memory && i < probe->nodes->len; i++) {
        Node *node = node_at(probe, (int)i);
        const Predicate *predicate = node->predicate;
        gpa_t object;

        if (predicate->kind != PREDICATE_TOUCH ||
            (predicate->cpu != PREDICATE_ANY_CPU &&
             predicate->cpu != (int)cpu) ||
            !gmem_translate(machine_memory(probe->setup.machine),
                            probe->setup.objects[predicate->index],
                            probe->setup.object_sizes[predicate->index],
                            &object))
            continue;
        if (physical < object + probe->setup.object_sizes[predicate->index] &&
            object < physical + size)
            node->fired = matters = true;
    }
    if (probe->rules != NULL &&
        rulecheck_access(probe->rules, cpu, physical, size)) {
        heed_breaches(probe, cpu);
        matters = true;
    }
    if (matters)
        evaluate_now(probe, cpu);
}

void
probe_slice(Probe *probe, unsigned cpu)
{
    if (probe->rules == NULL || LIKELY(!rulecheck_slice(probe->rules, cpu)))
        return;
    heed_breaches(probe, cpu);
    evaluate_now(probe, cpu);
}

void
probe_mark(Probe *probe, unsigned cpu, const char *name)
{
    bool matters = false;

    for (guint i = 0; i < probe->nodes->len; i++) {
        Node *node = node_at(probe, (int)i);

        if (node->predicate->kind == PREDICATE_MARK &&
            g_strcmp0(node->predicate->name, name) == 0)
            node->fired = matters = true;
    }
    if (matters)
        evaluate_now(probe, cpu);
}

void
probe_end(Probe *probe, const Verdict *verdict)
{
    evaluate(probe, NULL, verdict);
}

bool
probe_occurred(const Probe *probe, unsigned index)
{
    return root_at(probe, index)->occurred;
}

const Moment *
probe_moment(const Probe *probe, unsigned index)
{
    const Root *root = root_at(probe, index);

    return root->occurred && !root->at_end ? &root->moment : NULL;
}

const Breach *
probe_breaches(const Probe *probe, unsigned *count)
{
    const BreachLog *log;

    *count = 0;
    if (probe->rules == NULL)
        return NULL;
    log = rulecheck_log(probe->rules);
    *count = log->count;
    return log->items;
}
