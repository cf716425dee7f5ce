/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "report/report_rows.h"

/* Rows of the beginning and of the end that are not thinned out. */
#define HEAD_ROWS 14u
#define TAIL_ROWS 20u

/* Rows of one repeating group. */
#define GROUP_MAX 8u

/* A row while it is being made: event `index` and those folded into it. */
typedef struct Fold {
    uint64_t index; /* of the first */
    uint64_t last;  /* of the last */
    unsigned times;
} Fold;

typedef struct Selection {
    GPtrArray *events;   /* const StoryEvent, in order of steps */
    uint8_t *open;       /* of each: is it a call that does not return? */
    unsigned level;      /* in the middle, the least important to show */
    uint64_t head, tail; /* the middle: indexes in [head, tail) */
} Selection;

#define LEVEL_HIDDEN 7u
#define LEVEL_LEAST 6u

/* 0 is what the scenario says itself; the larger, the sooner it goes. */
static unsigned
level_of(const StoryEvent *event)
{
    switch (event->kind) {
    case STORY_EVENT_TOLD:
    case STORY_EVENT_MARK:
    case STORY_EVENT_BREACH:
    case STORY_EVENT_MOMENT:
        return 0;
    case STORY_EVENT_SCHEDULE:
    case STORY_EVENT_WAIT:
        return 1;
    case STORY_EVENT_MESSAGE:
        return 2;
    case STORY_EVENT_BUFFERED:
    case STORY_EVENT_VISIBLE:
        return 3;
    case STORY_EVENT_CALL:
        return event->depth <= 1 ? 3 : 4;
    case STORY_EVENT_WAIT_END:
    case STORY_EVENT_END:
        return 4;
    case STORY_EVENT_INTERRUPT:
        return 5;
    case STORY_EVENT_SENT:
    case STORY_EVENT_ARRIVAL:
    case STORY_EVENT_TIMER:
        return LEVEL_LEAST;
    case STORY_EVENT_RETURN:
    case STORY_EVENT_TRACE:
        return LEVEL_HIDDEN;
    }
    BUG("event kind %d", (int)event->kind);
}

static bool
is_barrier(const StoryEvent *event)
{
    return event->kind == STORY_EVENT_MARK ||
           event->kind == STORY_EVENT_SCHEDULE ||
           event->kind == STORY_EVENT_BREACH ||
           event->kind == STORY_EVENT_MOMENT;
}

static const StoryEvent *
event_at(const Selection *selection, uint64_t index)
{
    return g_ptr_array_index(selection->events, index);
}

static bool
is_selected(const Selection *selection, uint64_t index)
{
    unsigned level = selection->open[index]
                         ? 0
                         : level_of(event_at(selection, index));

    if (index < selection->head || index >= selection->tail)
        return level < LEVEL_HIDDEN;
    return level <= selection->level;
}

static bool
is_same(const Selection *selection, uint64_t left, uint64_t right)
{
    const StoryEvent *a = event_at(selection, left);
    const StoryEvent *b = event_at(selection, right);

    return a->kind == b->kind && a->depth == b->depth &&
           g_strcmp0(a->text, b->text) == 0;
}

/* --- Folding -------------------------------------------------------------- */

static void
row_free(void *data)
{
    ReportRow *row = data;

    g_free(row->remark);
    g_free(row);
}

/* Remarks come after the row of the same event. */
static void
add_row(GPtrArray *rows, const StoryEvent *event, uint64_t order,
        unsigned times)
{
    ReportRow *row = g_new0(ReportRow, 1);

    row->event = event;
    row->order = order;
    row->times = times;
    g_ptr_array_add(rows, row);
}

static void
add_remark(GPtrArray *rows, const StoryEvent *event, uint64_t order,
           char *remark)
{
    add_row(rows, event, order, 1);
    ((ReportRow *)g_ptr_array_index(rows, rows->len - 1))->remark = remark;
}

static Fold *
fold_at(const GArray *folds, unsigned index)
{
    return &g_array_index(folds, Fold, index);
}

/* How often do the `length` folds from `at` follow one another? */
static unsigned
repetitions(const Selection *selection, const GArray *folds, unsigned at,
            unsigned length)
{
    unsigned i = at + length;

    while (i < folds->len &&
           is_same(selection, fold_at(folds, i)->index,
                   fold_at(folds, i - length)->index) &&
           fold_at(folds, i)->times == fold_at(folds, i - length)->times)
        i++;
    return (i - at) / length;
}

/* The stretch of one cpu between two barriers becomes rows. */
static void
flush(const Selection *selection, GArray *folds, GPtrArray *rows)
{
    for (unsigned i = 0; i < folds->len;) {
        unsigned best = 1, times = 1;

        for (unsigned length = 2; length <= GROUP_MAX; length++) {
            unsigned n = repetitions(selection, folds, i, length);

            if (n >= 2 && n * length > best * times) {
                best = length;
                times = n;
            }
        }
        for (unsigned j = 0; j < best; j++) {
            const Fold *fold = fold_at(folds, i + j);

            add_row(rows, event_at(selection, fold->index), 2 * fold->index,
                    fold->times);
        }
        if (times > 1) {
            const Fold *fold = fold_at(folds, i + best - 1);

            add_remark(rows, event_at(selection, fold->index),
                       2 * fold->index + 1,
                       g_strdup_printf("... its last %u lines %u times", best,
                                       times));
        }
        i += best * times;
    }
    g_array_set_size(folds, 0);
}

static int
compare_rows(const void *left, const void *right)
{
    const ReportRow *a = *(const ReportRow *const *)left;
    const ReportRow *b = *(const ReportRow *const *)right;

    return (a->order > b->order) - (a->order < b->order);
}

static GPtrArray *
fold_all(const Selection *selection)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func(row_free);
    GArray *folds[CPUS_MAX];

    for (unsigned i = 0; i < CPUS_MAX; i++)
        folds[i] = g_array_new(FALSE, FALSE, sizeof(Fold));
    for (uint64_t i = 0; i < selection->events->len; i++) {
        const StoryEvent *event = event_at(selection, i);
        GArray *mine = folds[event->cpu];
        Fold *last = mine->len > 0 ? fold_at(mine, mine->len - 1) : NULL;

        if (!is_selected(selection, i))
            continue;
        if (is_barrier(event)) {
            for (unsigned j = 0; j < CPUS_MAX; j++)
                flush(selection, folds[j], rows);
            add_row(rows, event, 2 * i, 1);
        } else if (last != NULL && is_same(selection, last->index, i)) {
            last->times++;
            last->last = i;
        } else {
            Fold fold = {.index = i, .last = i, .times = 1};

            g_array_append_val(mine, fold);
        }
    }
    for (unsigned i = 0; i < CPUS_MAX; i++) {
        flush(selection, folds[i], rows);
        g_array_unref(folds[i]);
    }
    g_ptr_array_sort(rows, compare_rows);
    return rows;
}

/* --- Thinning out --------------------------------------------------------- */

/*
 * Calls outside of any story and interrupt, in which nothing happens: an idle
 * loop that looks whether there is work.
 */
static GPtrArray *
without_idle_calls(const StoryRecord *record)
{
    g_autoptr(GPtrArray) all = storyrecord_all(record);
    g_autofree bool *idle = g_new0(bool, all->len + 1);
    GPtrArray *events = g_ptr_array_new();
    bool contains[CPUS_MAX] = {false}; /* is the next event one of its? */

    for (guint i = all->len; i-- > 0;) {
        const StoryEvent *event = g_ptr_array_index(all, i);

        if (level_of(event) >= LEVEL_LEAST)
            continue;
        idle[i] = event->kind == STORY_EVENT_CALL && event->depth == 0 &&
                  !contains[event->cpu];
        contains[event->cpu] = event->depth > 0;
    }
    for (guint i = 0; i < all->len; i++)
        if (!idle[i])
            g_ptr_array_add(events, g_ptr_array_index(all, i));
    return events;
}

/* What the end is inside of says how it came about. */
static uint8_t *
find_open(const GPtrArray *events)
{
    uint8_t *open = g_new0(uint8_t, events->len + 1);
    const StoryEvent *least[CPUS_MAX] = {0}; /* deep behind here */
    const StoryEvent *waited[CPUS_MAX] = {0};

    for (guint i = events->len; i-- > 0;) {
        const StoryEvent *event = g_ptr_array_index(events, i);
        const StoryEvent **most = &least[event->cpu];
        const StoryEvent **wait = &waited[event->cpu];

        open[i] = report_rows_is_call(event) && *most != NULL &&
                  !report_rows_ends(event, *most) &&
                  (*wait == NULL || !report_rows_ends(event, *wait));
        if ((event->kind == STORY_EVENT_WAIT ||
             event->kind == STORY_EVENT_WAIT_END) &&
            (*wait == NULL || event->depth < (*wait)->depth))
            *wait = event;
        if (!storyrecord_is_aside(event) &&
            (*most == NULL || event->depth < (*most)->depth))
            *most = event;
    }
    return open;
}

/* Even the most important events are too many: cut rows in the middle. */
static void
cut_middle(GPtrArray *rows, unsigned rows_max)
{
    while (rows->len > rows_max)
        g_ptr_array_remove_index(rows, HEAD_ROWS);
}

/* Events in the middle that no row shows. */
static uint64_t
count_hidden(const Selection *selection, const GPtrArray *rows)
{
    uint64_t shown = 0, all = 0;

    for (uint64_t i = selection->head; i < selection->tail; i++)
        all += level_of(event_at(selection, i)) < LEVEL_HIDDEN;
    for (unsigned i = 0; i < rows->len; i++) {
        const ReportRow *row = g_ptr_array_index(rows, i);
        uint64_t index = row->order / 2;

        if (row->remark == NULL && index >= selection->head &&
            index < selection->tail)
            shown += row->times;
    }
    return all - MIN(all, shown);
}

static void
add_gap(const Selection *selection, GPtrArray *rows, uint64_t dropped)
{
    uint64_t hidden = count_hidden(selection, rows) + dropped;

    if (hidden == 0)
        return;
    add_remark(rows, NULL, 2 * selection->head,
               g_strdup_printf("... of the events between here and step "
                               "%" PRIu64 ", %" PRIu64 " are left out",
                               event_at(selection, selection->tail)->step,
                               hidden));
    g_ptr_array_sort(rows, compare_rows);
}

static uint64_t
row_index(const GPtrArray *rows, unsigned number)
{
    return ((const ReportRow *)g_ptr_array_index(rows, number))->order / 2;
}

GPtrArray *
report_rows_new(const StoryRecord *record, unsigned rows_max)
{
    g_autoptr(GPtrArray) events = without_idle_calls(record);
    g_autofree uint8_t *open = find_open(events);
    Selection selection = {.events = events, .open = open,
                           .level = LEVEL_LEAST, .head = events->len,
                           .tail = events->len};
    uint64_t dropped = record->count - storyrecord_kept(record);
    GPtrArray *rows = fold_all(&selection);

    INVARIANT(rows_max >= HEAD_ROWS + TAIL_ROWS + 6);
    if (rows->len <= rows_max && dropped == 0)
        return rows;
    if (rows->len > HEAD_ROWS + TAIL_ROWS) {
        selection.head = row_index(rows, HEAD_ROWS);
        selection.tail = row_index(rows, rows->len - TAIL_ROWS);
        selection.tail = MAX(selection.tail, selection.head);
    } else
        selection.head = selection.tail = STORYRECORD_FIRST;
    while (rows->len > rows_max && selection.level > 0) {
        selection.level--;
        g_ptr_array_unref(rows);
        rows = fold_all(&selection);
    }
    cut_middle(rows, rows_max);
    add_gap(&selection, rows, dropped);
    return rows;
}

bool
report_rows_is_call(const StoryEvent *event)
{
    switch (event->kind) {
    case STORY_EVENT_TOLD:
    case STORY_EVENT_CALL:
    case STORY_EVENT_MESSAGE:
    case STORY_EVENT_WAIT:
    case STORY_EVENT_INTERRUPT:
        return true;
    default:
        return false;
    }
}

bool
report_rows_ends(const StoryEvent *begin, const StoryEvent *event)
{
    bool beside = begin->kind != STORY_EVENT_WAIT ||
                  event->kind == STORY_EVENT_WAIT ||
                  event->kind == STORY_EVENT_WAIT_END;

    return event->depth < begin->depth ||
           (beside && event->depth == begin->depth);
}

uint64_t
report_rows_cpus(const GPtrArray *rows)
{
    uint64_t cpus = 0;

    for (unsigned i = 0; i < rows->len; i++) {
        const ReportRow *row = g_ptr_array_index(rows, i);

        if (row->event != NULL)
            cpus |= UINT64_C(1) << row->event->cpu;
    }
    return cpus;
}
