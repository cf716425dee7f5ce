/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/boundtree.h"

#include "choose/seenstates.h"

/* A branch on the path. */
typedef struct Node {
    uint64_t key;
    uint64_t begun;  /* runs that were made before `taken` was */
    uint32_t taken, count;
    uint32_t wide;   /* alternatives behind it when `taken` was new */
    uint32_t dealt;  /* first deviations that lie before its own */
    uint32_t left;   /* deviations of all kinds that it may still have */
    BoundKind cost;  /* of `taken` */
    uint8_t *costs;  /* of each alternative */
} Node;

/* Finished alternatives that left so many deviations: how many runs they were
 * thought to be, and were. */
typedef struct Measure {
    uint64_t thought, made;
} Measure;

struct BoundTree {
    Bounds bounds;
    unsigned totals;
    SeenSet dominating[BOUNDS_COMBINATIONS_MAX]; /* those with at least as
                                                     much */
    unsigned shard, shards;
    bool ignores_states;

    GArray *path;      /* Node */
    guint at;          /* of the present run: nodes that were passed */
    unsigned used[BOUND_KINDS], used_total; /* by the present run */
    unsigned total;    /* allowed in this pass */
    bool restrained;   /* this pass had to do without some deviation, only
                          because of `total` */
    bool complete, foreign;
    uint64_t runs, cuts, pass_begun;
    uint64_t pass_before; /* how many the last pass had */
    Measure measures[BOUNDS_COMBINATIONS_MAX];

    SeenStates *seen;
};

static Node *
node_at(const BoundTree *tree, guint index)
{
    return &g_array_index(tree->path, Node, index);
}

/* --- What is left --------------------------------------------------------- */

static unsigned
combination(const BoundTree *tree, const unsigned *left)
{
    unsigned number = 0;

    for (unsigned i = 0; i < BOUND_KINDS; i++)
        number = number * (tree->bounds.most[i] + 1) + left[i];
    return number;
}

static void
split_combination(const BoundTree *tree, unsigned number, unsigned *left)
{
    for (unsigned i = BOUND_KINDS; i > 0; i--) {
        left[i - 1] = number % (tree->bounds.most[i - 1] + 1);
        number /= tree->bounds.most[i - 1] + 1;
    }
}

static unsigned
combinations(const Bounds *bounds)
{
    unsigned count = 1;

    for (unsigned i = 0; i < BOUND_KINDS; i++) {
        INVARIANT(bounds->most[i] < BOUNDS_COMBINATIONS_MAX);
        count *= bounds->most[i] + 1;
    }
    return count;
}

static void
find_dominating(BoundTree *tree)
{
    unsigned count = combinations(&tree->bounds);

    INVARIANT(count <= BOUNDS_COMBINATIONS_MAX);
    for (unsigned a = 0; a < count; a++)
        for (unsigned b = 0; b < count; b++) {
            unsigned left[BOUND_KINDS], more[BOUND_KINDS];
            bool dominates = true;

            split_combination(tree, a, left);
            split_combination(tree, b, more);
            for (unsigned i = 0; i < BOUND_KINDS; i++)
                dominates = dominates && more[i] >= left[i];
            tree->dominating[a] |= (SeenSet)dominates << b;
        }
}

unsigned
boundtree_left(BoundTree *tree, BoundKind kind)
{
    unsigned of_kind = tree->bounds.most[kind] - tree->used[kind];
    unsigned of_all = tree->total - tree->used_total;

    if (of_kind > 0 && of_all == 0)
        tree->restrained = true;
    return MIN(of_kind, of_all);
}

/* Of all kinds together. */
static unsigned
left_of_all(const BoundTree *tree)
{
    return tree->total - tree->used_total;
}

static void
use(BoundTree *tree, BoundKind cost)
{
    if (cost == BOUND_FREE)
        return;
    tree->used[cost]++;
    tree->used_total++;
}

/* --- States that were seen ------------------------------------------------ */

static bool
is_behind(const BoundTree *tree, uint64_t key)
{
    for (guint i = tree->path->len; i > 0; i--)
        if (node_at(tree, i - 1)->key == key)
            return true;
    return false;
}

BoundVisit
boundtree_visit(BoundTree *tree, uint64_t key)
{
    unsigned left[BOUND_KINDS], number;

    if (tree->ignores_states)
        return BOUND_NEW;
    for (unsigned i = 0; i < BOUND_KINDS; i++)
        left[i] = tree->bounds.most[i] - tree->used[i];
    number = combination(tree, left);
    if (!seenstates_visit(tree->seen, key, number, tree->dominating[number]))
        return BOUND_NEW;
    return is_behind(tree, key) ? BOUND_ROUND : BOUND_SEEN;
}

/* --- Walking -------------------------------------------------------------- */

static void
clear_node(gpointer node)
{
    g_free(((Node *)node)->costs);
}

BoundTree *
boundtree_new(const Bounds *bounds)
{
    BoundTree *tree = g_new0(BoundTree, 1);

    tree->bounds = *bounds;
    tree->shards = 1;
    for (unsigned i = 0; i < BOUND_KINDS; i++)
        tree->totals += bounds->most[i];
    tree->path = g_array_new(FALSE, TRUE, sizeof(Node));
    g_array_set_clear_func(tree->path, clear_node);
    find_dominating(tree);
    boundtree_restart(tree);
    return tree;
}

void
boundtree_free(BoundTree *tree)
{
    if (tree == NULL)
        return;
    g_array_unref(tree->path);
    seenstates_free(tree->seen);
    g_free(tree);
}

void
boundtree_ignore_states(BoundTree *tree)
{
    tree->ignores_states = true;
}

static void
begin_pass(BoundTree *tree)
{
    g_array_set_size(tree->path, 0);
    seenstates_free(tree->seen);
    tree->seen = seenstates_new();
    memset(tree->measures, 0, sizeof tree->measures);
    tree->restrained = false;
    tree->pass_begun = tree->runs + tree->cuts;
}

void
boundtree_restart(BoundTree *tree)
{
    tree->total = 0;
    tree->runs = tree->cuts = tree->pass_before = 0;
    tree->complete = tree->foreign = false;
    begin_pass(tree);
    boundtree_begin_run(tree);
}

void
boundtree_take_shard(BoundTree *tree, unsigned shard, unsigned shards)
{
    INVARIANT(shard < shards);
    tree->shard = shard;
    tree->shards = shards;
    boundtree_restart(tree);
}

void
boundtree_begin_run(BoundTree *tree)
{
    tree->at = 0;
    tree->used_total = 0;
    memset(tree->used, 0, sizeof tree->used);
}

bool
boundtree_is_on_path(const BoundTree *tree)
{
    return tree->at < tree->path->len;
}

/* The first node that deviates; beyond the last if none does. */
static guint
first_deviation(const BoundTree *tree)
{
    guint index = 0;

    while (index < tree->path->len && node_at(tree, index)->taken == 0)
        index++;
    return index;
}

static void
add_node(BoundTree *tree, const BoundKind *costs, unsigned count, uint64_t key)
{
    const Node *last =
        tree->path->len > 0 ? node_at(tree, tree->path->len - 1) : NULL;
    Node node = {.key = key, .count = count, .cost = costs[0],
                 .left = left_of_all(tree),
                 .dealt = last == NULL ? 0 : last->dealt + last->count - 1,
                 .begun = tree->runs + tree->cuts};

    node.costs = g_new(uint8_t, count);
    for (unsigned i = 0; i < count; i++)
        node.costs[i] = (uint8_t)costs[i];
    g_array_append_val(tree->path, node);
}

unsigned
boundtree_branch(BoundTree *tree, const BoundKind *costs, unsigned count,
                 uint64_t key)
{
    const Node *node;

    INVARIANT(count >= 1);
    if (!boundtree_is_on_path(tree))
        add_node(tree, costs, count, key);
    node = node_at(tree, tree->at);
    tree->at++;
    if (node->count == 1)
        return 0;
    if (node->count != count ||
        node->costs[node->taken] != costs[node->taken]) {
        tree->foreign = true;
        return 0;
    }
    use(tree, node->cost);
    return node->taken;
}

/* --- On to the next run --------------------------------------------------- */

/* An alternative with so many others behind it, of which `left` may be taken:
 * about as many runs as there are ways to do that, in order. */
static uint64_t
guess(uint64_t wide, unsigned left)
{
    uint64_t ways = 1;

    for (unsigned i = 0; i < left && ways < UINT64_C(1) << 40; i++)
        ways = ways * (wide + i) / (i + 1) + 1;
    return ways;
}

/* Of deviations at this node. */
static unsigned
left_after(const Node *node)
{
    return node->left > 0 ? node->left - 1 : 0;
}

/* The alternatives behind each node, at the end of a run. */
static void
measure_width(BoundTree *tree)
{
    uint32_t wide = 0;

    for (guint i = tree->path->len; i > 0; i--) {
        Node *node = node_at(tree, i - 1);

        if (node->begun + 1 == tree->runs + tree->cuts)
            node->wide = wide;
        wide += node->count - 1;
    }
}

static void
finish_alternative(BoundTree *tree, const Node *node)
{
    Measure *measure = &tree->measures[left_after(node)];

    if (node->taken == 0)
        return;
    measure->thought += guess(node->wide, left_after(node));
    measure->made += tree->runs + tree->cuts - node->begun;
}

/* Is alternative `taken` of the node ours? */
static bool
is_dealt(const BoundTree *tree, guint index, const Node *node)
{
    return tree->shards == 1 || index > first_deviation(tree) ||
           (node->dealt + node->taken) % tree->shards == tree->shard;
}

/* The next alternative of the last node, or false. */
static bool
advance_last(BoundTree *tree)
{
    guint index = tree->path->len - 1;
    Node *node = node_at(tree, index);

    finish_alternative(tree, node);
    while (++node->taken < node->count)
        if (is_dealt(tree, index, node)) {
            node->begun = tree->runs + tree->cuts;
            node->cost = (BoundKind)node->costs[node->taken];
            return true;
        }
    g_array_set_size(tree->path, index);
    return false;
}

bool
boundtree_end_run(BoundTree *tree, bool cut)
{
    if (boundtree_is_on_path(tree)) /* the run ended before its last branch */
        tree->foreign = true;
    tree->runs += !cut;
    tree->cuts += cut;
    measure_width(tree);
    while (tree->path->len > 0 && !tree->foreign)
        if (advance_last(tree))
            return true;
    if (tree->foreign)
        return false;
    if (tree->total == tree->totals || !tree->restrained) {
        tree->complete = true;
        return false;
    }
    tree->total++;
    tree->pass_before = tree->runs + tree->cuts - tree->pass_begun;
    begin_pass(tree);
    return true;
}

/* --- How far -------------------------------------------------------------- */

/* Runs of one alternative, by what such alternatives were so far. */
static uint64_t
expect(const BoundTree *tree, uint64_t wide, unsigned left)
{
    uint64_t runs = guess(wide, left);

    for (unsigned i = left + 1; i > 0; i--) {
        const Measure *measure = &tree->measures[i - 1];

        if (measure->thought != 0)
            return MAX((uint64_t)((unsigned __int128)runs * measure->made /
                                  measure->thought), 1);
    }
    return runs;
}

/* So many places for deviations make passes grow by about places / deviations:
 * what the last growth says of the next ones. */
static uint64_t
expect_later(const BoundTree *tree, uint64_t pass, uint64_t places)
{
    unsigned __int128 size = pass, sum = 0;

    for (unsigned total = tree->total + 1;
         total <= tree->totals && sum < UINT64_MAX; total++) {
        size = tree->pass_before == 0
                   ? size * places / total
                   : size * pass / tree->pass_before *
                         MAX(tree->total, 1) / total;
        size = MIN(size, UINT64_MAX / 2);
        sum += size;
    }
    return (uint64_t)MIN(sum, UINT64_MAX / 2);
}

void
boundtree_progress(const BoundTree *tree, BoundProgress *progress)
{
    guint first = first_deviation(tree);
    uint64_t wide = 0, ahead = 0;

    for (guint i = tree->path->len; i > 0; i--) {
        const Node *node = node_at(tree, i - 1);
        uint64_t others = node->count - 1 - node->taken;

        if (i - 1 <= first)
            others = (others + tree->shards - 1) / tree->shards;
        /* The alternative that comes next has no width yet. */
        if (i == tree->path->len && node->begun == tree->runs + tree->cuts)
            ahead += expect(tree, node->wide, left_after(node));
        if (others > 0)
            ahead += others * expect(tree, wide, left_after(node));
        wide += node->count - 1;
    }
    *progress = (BoundProgress){
        .total = tree->total,
        .totals = tree->totals,
        .runs = tree->runs,
        .cuts = tree->cuts,
        .done = tree->runs + tree->cuts - tree->pass_begun,
        .states = seenstates_count(tree->seen),
        .complete = tree->complete,
        .foreign = tree->foreign,
    };
    progress->expected = progress->done + ahead;
    if (!tree->complete && tree->path->len > 0)
        progress->later = expect_later(tree, progress->expected, wide);
}

/* --- Text ----------------------------------------------------------------- */

G_DEFINE_QUARK(boundtree-error-quark, boundtree_error)

char *
boundtree_print(const BoundTree *tree)
{
    GString *text = g_string_new("boundtree");

    for (unsigned i = 0; i < BOUND_KINDS; i++)
        g_string_append_printf(text, " %u", tree->bounds.most[i]);
    g_string_append_printf(text,
                           " %u %u %u %" PRIu64 " %" PRIu64 " %" PRIu64
                           " %u %u %" PRIu64,
                           tree->shard, tree->shards, tree->total, tree->runs,
                           tree->cuts, tree->pass_begun, tree->restrained,
                           tree->complete, tree->pass_before);
    for (guint i = 0; i < tree->path->len; i++) {
        const Node *node = node_at(tree, i);

        g_string_append_printf(text, " %" PRIx64 "/%u/%u/%" PRIu64 "/",
                               node->key, node->taken, node->left,
                               node->begun);
        for (unsigned k = 0; k < node->count; k++)
            g_string_append_c(text, (char)('0' + node->costs[k]));
    }
    return g_string_free(text, FALSE);
}

/* The next number of the text, in `base`, and the character behind it. */
static bool
take_number(const char **at, unsigned base, char behind, uint64_t *number)
{
    char *end;

    if (!g_ascii_isxdigit(**at))
        return false;
    *number = g_ascii_strtoull(*at, &end, base);
    if (*end != behind && (behind != ' ' || *end != '\0'))
        return false;
    *at = *end == '\0' ? end : end + 1;
    return true;
}

static bool
take_node(BoundTree *tree, const char **at)
{
    BoundKind costs[BOUNDTREE_ALTERNATIVES_MAX];
    uint64_t key, taken, left, begun;
    unsigned count = 0;
    Node *node;

    if (!take_number(at, 16, '/', &key) || !take_number(at, 10, '/', &taken) ||
        !take_number(at, 10, '/', &left) || !take_number(at, 10, '/', &begun))
        return false;
    for (; **at >= '0' && **at <= '0' + BOUND_FREE; ++*at) {
        if (count == BOUNDTREE_ALTERNATIVES_MAX)
            return false;
        costs[count++] = (BoundKind)(**at - '0');
    }
    if (taken >= count || left > tree->totals ||
        (**at != '\0' && *(*at)++ != ' '))
        return false;
    add_node(tree, costs, count, key);
    node = node_at(tree, tree->path->len - 1);
    node->taken = (uint32_t)taken;
    node->left = (uint32_t)left;
    node->begun = begun;
    node->cost = costs[taken];
    return true;
}

static bool
take_head(BoundTree *tree, const char **at)
{
    uint64_t number[BOUND_KINDS + 9];

    if (!g_str_has_prefix(*at, "boundtree "))
        return false;
    *at += strlen("boundtree ");
    for (unsigned i = 0; i < G_N_ELEMENTS(number); i++)
        if (!take_number(at, 10, ' ', &number[i]))
            return false;
    for (unsigned i = 0; i < BOUND_KINDS; i++)
        if (number[i] != tree->bounds.most[i])
            return false;
    if (number[3] != tree->shard || number[4] != tree->shards ||
        number[5] > tree->totals || number[8] > number[6] + number[7])
        return false;
    tree->total = (unsigned)number[5];
    tree->runs = number[6];
    tree->cuts = number[7];
    tree->pass_begun = number[8];
    tree->restrained = number[9] != 0;
    tree->complete = number[10] != 0;
    tree->pass_before = number[11];
    return true;
}

bool
boundtree_parse(BoundTree *tree, const char *text, GError **error)
{
    bool ok;

    boundtree_restart(tree);
    ok = take_head(tree, &text);
    while (ok && *text != '\0')
        ok = take_node(tree, &text);
    boundtree_begin_run(tree);
    if (ok)
        return true;
    boundtree_restart(tree);
    g_set_error(error, BOUNDTREE_ERROR, BOUNDTREE_ERROR_SYNTAX,
                "the saved search is damaged, or has other bounds: begin it "
                "anew");
    return false;
}
