/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "check/replica_moves.h"

G_DEFINE_QUARK(heddle-replica-error, replica_error)

/* From the last line that can be quoted, so many steps are said as a number;
 * with more the line tells nobody anything. */
#define STEPS_AFTER_MAX 40u

/* Columns of a line, and of a command before its comment. */
#define WIDTH 80
#define COMMAND_WIDTH 14

/* --- Listing -------------------------------------------------------------- */

typedef struct Lister {
    Machine *machine;
    const Run *run;
    const Strategy *player;
    GArray *moves;
    uint64_t begun[CPUS_MAX];
    bool running; /* the last move is a RUN, and is not over */
    bool calm;    /* the schedule is over */
} Lister;

static uint64_t
steps_of(const Lister *lister, unsigned cpu)
{
    return machine_cpu(lister->machine, cpu)->state.retired -
           lister->begun[cpu];
}

static void
end_run(Lister *lister)
{
    Move *last;
    Cpu *cpu;

    if (!lister->running)
        return;
    last = &g_array_index(lister->moves, Move, lister->moves->len - 1);
    cpu = machine_cpu(lister->machine, last->cpu);
    last->to = steps_of(lister, last->cpu);
    last->stops = !cpu_is_runnable(cpu);
    last->ended = run_stories(lister->run)->finished >> last->cpu & 1;
    last->rip = cpu_rip(cpu);
    lister->running = false;
}

static unsigned
place_of_message(Machine *machine, const Action *action)
{
    unsigned count, place = 0;
    const Message *messages = machine_messages(machine, &count);

    for (unsigned i = 0; i < count && messages[i].number != action->number;
         i++)
        place += messages[i].target == action->cpu;
    return place;
}

static void
add_move(Lister *lister, const Action *action, uint64_t steps)
{
    Move move = {.cpu = action->cpu, .kind = MOVE_OTHER};
    unsigned buffered;

    switch (action->kind) {
    case ACTION_STEP:
        move.kind = MOVE_RUN;
        move.from = steps_of(lister, action->cpu);
        lister->running = true;
        break;
    case ACTION_DRAIN:
        machine_stores(lister->machine, action->cpu, &buffered);
        move.kind = MOVE_DRAIN;
        move.number = (unsigned)action->number;
        move.count = (unsigned)MIN(steps, buffered);
        move.all = action->number == 0 && steps >= buffered;
        break;
    case ACTION_DELIVER:
        move.kind = MOVE_DELIVER;
        move.number = place_of_message(lister->machine, action);
        break;
    case ACTION_FIRE:
        break;
    }
    g_array_append_val(lister->moves, move);
}

static void
note_action(void *user, const Action *action, uint64_t steps)
{
    Lister *lister = user;
    const Move *last;

    if (lister->calm)
        return;
    lister->calm = schedule_play_is_over(lister->player);
    if (lister->running && action->kind == ACTION_STEP && !lister->calm) {
        last = &g_array_index(lister->moves, Move, lister->moves->len - 1);
        if (last->cpu == action->cpu)
            return;
    }
    end_run(lister);
    if (!lister->calm)
        add_move(lister, action, steps);
}

/* The load is told in the middle of its step, which is counted already: split
 * the RUN there. */
static void
note_late(void *user, unsigned cpu, unsigned stores)
{
    Lister *lister = user;
    Move *last, late = {.kind = MOVE_LATE, .cpu = cpu, .number = stores};
    Move rest = {.kind = MOVE_RUN, .cpu = cpu};

    if (lister->calm || !lister->running)
        return;
    last = &g_array_index(lister->moves, Move, lister->moves->len - 1);
    last->to = steps_of(lister, cpu) - 1;
    last->rip = cpu_rip(machine_cpu(lister->machine, cpu));
    rest.from = last->to;
    if (last->to == last->from)
        g_array_set_size(lister->moves, lister->moves->len - 1);
    g_array_append_val(lister->moves, late);
    g_array_append_val(lister->moves, rest);
}

/* Make the run of the schedule under observation. */
static bool
observe(Trial *trial, const Reduction *reduction, Lister *lister,
        const RunObserver *observer, GError **error)
{
    Machine *machine = trial->stage->machine;
    g_autoptr(Strategy) player =
        schedule_play_new(reduction->schedule, machine);
    RunRecord record;
    bool ran;

    machine_restore(machine);
    lister->machine = machine;
    lister->run = trial->run;
    lister->player = player;
    for (unsigned i = 0; i < machine_cpus(machine); i++)
        lister->begun[i] = machine_cpu(machine, i)->state.retired;
    run_observe(trial->run, observer);
    ran = trial_play(trial, player, 0, &record, error);
    run_observe(trial->run, NULL);
    if (!lister->calm)
        end_run(lister);
    lister->player = NULL;
    return ran;
}

static void
clear_move(void *data)
{
    g_free(((Move *)data)->target);
}

GArray *
replica_moves_list(Trial *trial, const Reduction *reduction, GError **error)
{
    Lister lister = {.moves = g_array_new(FALSE, TRUE, sizeof(Move))};
    RunObserver observer = {
        .action = note_action, .late = note_late, .user = &lister};

    g_array_set_clear_func(lister.moves, clear_move);
    if (observe(trial, reduction, &lister, &observer, error))
        return lister.moves;
    g_array_unref(lister.moves);
    return NULL;
}

/* --- Naming --------------------------------------------------------------- */

/* A place that words lead to. */
typedef struct Sign {
    char *words;
    GArray *addresses; /* gva_t */
} Sign;

/* A core came to an address of a sign. */
typedef struct Visit {
    unsigned cpu;
    uint64_t at; /* its steps */
    gva_t rip;
} Visit;

typedef struct Naming {
    Lister lister;
    GArray *visits; /* Visit, in order */
} Naming;

static void
note_point(void *user, unsigned cpu, gva_t rip)
{
    Naming *naming = user;
    Visit visit = {
        .cpu = cpu, .at = steps_of(&naming->lister, cpu), .rip = rip};

    g_array_append_val(naming->visits, visit);
}

static char *
quote_lua(const char *text)
{
    GString *out = g_string_new("\"");

    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *text);
    }
    g_string_append_c(out, '"');
    return g_string_free(out, FALSE);
}

static char *
line_text(const Image *image, gva_t rip, ImageLine *line)
{
    const char *source;

    if (!image_line_at(image, rip, line) || line->file == NULL)
        return NULL;
    source = image_source_line(image, line->file, line->line);
    return source != NULL ? g_strstrip(g_strdup(source)) : NULL;
}

/* Words for the function of this address, or for its line in it. */
static bool
find_sign(const Image *image, gva_t rip, Sign *sign)
{
    const ImageSymbol *symbol = image_symbol_at(image, rip);
    g_autofree char *text = NULL, *quoted = NULL;
    ImageLine line;

    *sign = (Sign){0};
    if (symbol == NULL || symbol->kind != IMAGE_SYMBOL_FUNCTION)
        return false;
    sign->addresses = g_array_new(FALSE, FALSE, sizeof(gva_t));
    if (symbol->address == rip) {
        sign->words = g_strdup(symbol->name);
        g_array_append_val(sign->addresses, rip);
        return true;
    }
    text = line_text(image, rip, &line);
    if (text == NULL || *text == '\0' ||
        !image_find_quote(image, symbol->name, text, sign->addresses, NULL)) {
        g_clear_pointer(&sign->addresses, g_array_unref);
        return false;
    }
    quoted = quote_lua(text);
    sign->words = g_strdup_printf("%s, %s", symbol->name, quoted);
    return true;
}

static bool
has_address(const Sign *sign, gva_t rip)
{
    for (guint i = 0; i < sign->addresses->len; i++)
        if (g_array_index(sign->addresses, gva_t, i) == rip)
            return true;
    return false;
}

/* Where the core first comes to the sign in this move, if it has not begun
 * there and if that is near its end: run_to() stops there and nowhere else. */
static void
use_sign(Move *move, const Sign *sign, const GArray *visits)
{
    for (guint i = 0; i < visits->len; i++) {
        const Visit *visit = &g_array_index(visits, Visit, i);

        if (visit->cpu != move->cpu || visit->at < move->from ||
            visit->at > move->to || !has_address(sign, visit->rip))
            continue;
        if (visit->at == move->from ||
            move->to - visit->at > STEPS_AFTER_MAX)
            return;
        move->target = g_strdup(sign->words);
        move->target_at = visit->at;
        return;
    }
}

static void
clear_sign(void *data)
{
    Sign *sign = data;

    g_free(sign->words);
    if (sign->addresses != NULL)
        g_array_unref(sign->addresses);
}

bool
replica_moves_name(Trial *trial, const Reduction *reduction, GArray *moves,
                   GError **error)
{
    Naming naming = {
        .lister = {.calm = true},
        .visits = g_array_new(FALSE, FALSE, sizeof(Visit)),
    };
    RunObserver observer = {.point = note_point, .user = &naming};
    g_autoptr(GArray) signs = g_array_new(FALSE, TRUE, sizeof(Sign));
    bool ran;

    g_array_set_clear_func(signs, clear_sign);
    for (guint i = 0; i < moves->len; i++) {
        const Move *move = &g_array_index(moves, Move, i);
        Sign sign = {0};

        if (move->kind == MOVE_RUN && !move->stops)
            find_sign(trial->stage->image, move->rip, &sign);
        g_array_append_val(signs, sign);
        for (guint k = 0; sign.words != NULL && k < sign.addresses->len; k++)
            code_mark(machine_code(trial->stage->machine),
                      g_array_index(sign.addresses, gva_t, k), CODE_POINT);
    }
    ran = observe(trial, reduction, &naming.lister, &observer, error);
    for (guint i = 0; ran && i < moves->len; i++) {
        const Sign *sign = &g_array_index(signs, Sign, i);

        if (sign->words != NULL)
            use_sign(&g_array_index(moves, Move, i), sign, naming.visits);
    }
    g_array_unref(naming.visits);
    return ran;
}

/* --- Printing ------------------------------------------------------------- */

/* "cpu0 is in lwkt_send_ipiq3, ipiq.c:160: while (...) {". */
static void
describe_place(const Trial *trial, const Move *move, GString *out)
{
    const Image *image = trial->stage->image;
    const ImageSymbol *symbol = image_symbol_at(image, move->rip);
    ImageLine line;
    g_autofree char *text = line_text(image, move->rip, &line);
    g_autofree char *file = NULL;

    if (text == NULL || symbol == NULL) {
        g_string_append_printf(out, "cpu%u is in %s", move->cpu,
                               symbol != NULL ? symbol->name : "no function");
        return;
    }
    file = g_path_get_basename(line.file);
    if (g_str_has_suffix(file, ".S")) /* the guest's side of a story */
        g_string_append_printf(out, "cpu%u is in %s", move->cpu, file);
    else
        g_string_append_printf(out, "cpu%u is in %s, %s:%u: %s", move->cpu,
                               symbol->name, file, line.line, text);
}

/* A command with a comment behind it, of WIDTH columns at most. */
static void
append_line(GString *out, const char *command, const char *comment)
{
    g_autoptr(GString) line = g_string_new(NULL);

    g_string_printf(line, "  %-*s-- %s", COMMAND_WIDTH, command, comment);
    if (g_utf8_strlen(line->str, -1) > WIDTH) {
        char *cut = g_utf8_offset_to_pointer(line->str, WIDTH - 3);

        g_string_truncate(line, (gsize)(cut - line->str));
        g_string_append(line, "...");
    }
    g_string_append_printf(out, "%s\n", line->str);
}

static void
print_target(const Move *move, GString *out)
{
    const char *quote = strstr(move->target, ", ");
    g_autofree char *line =
        g_strdup_printf("  run_to(%u, %s)", move->cpu, move->target);

    if (quote == NULL || g_utf8_strlen(line, -1) <= WIDTH)
        g_string_append_printf(out, "%s\n", line);
    else
        g_string_append_printf(out, "  run_to(%u, %.*s,\n         %s)\n",
                               move->cpu, (int)(quote - move->target),
                               move->target, quote + 2);
}

static void
print_run(const Trial *trial, const Move *move, bool words, GString *out)
{
    g_autoptr(GString) comment = g_string_new(NULL);
    g_autofree char *command = NULL;
    uint64_t from = move->from;

    if (words && move->target != NULL && !move->stops) {
        print_target(move, out);
        from = move->target_at;
    }
    if (move->stops) {
        command = g_strdup_printf("run(%u)", move->cpu);
        g_string_printf(comment, "cpu%u %s", move->cpu,
                        move->ended ? "has ended its story"
                                    : "waits, or sleeps");
    } else if (move->to > from) {
        command =
            g_strdup_printf("step(%u, %" PRIu64 ")", move->cpu,
                            move->to - from);
        describe_place(trial, move, comment);
    } else
        return;
    append_line(out, command, comment->str);
}

static void
print_drain(const Move *move, GString *out)
{
    if (move->all)
        g_string_append_printf(out, "  drain(%u)\n", move->cpu);
    else if (move->number == 0)
        g_string_append_printf(out, "  drain(%u, %u)\n", move->cpu,
                               move->count);
    else {
        g_string_append_printf(out, "  drain_one(%u, %u)\n", move->cpu,
                               move->number + 1);
        if (move->count > 1)
            g_string_append_printf(out, "  drain(%u, %u)\n", move->cpu,
                                   move->count - 1);
    }
}

char *
replica_moves_print(const Trial *trial, const GArray *moves, bool words,
                    GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (guint i = 0; i < moves->len; i++) {
        const Move *move = &g_array_index(moves, Move, i);

        switch (move->kind) {
        case MOVE_RUN:
            print_run(trial, move, words, out);
            break;
        case MOVE_DRAIN:
            print_drain(move, out);
            break;
        case MOVE_LATE:
            g_string_append_printf(out, "  late(%u, %u)\n", move->cpu,
                                   move->number);
            break;
        case MOVE_DELIVER:
            if (move->number == 0) {
                g_string_append_printf(out, "  deliver_ipi(%u)\n",
                                       move->cpu);
                break;
            }
            /* fall through */
        case MOVE_OTHER:
            g_set_error(error, REPLICA_ERROR, REPLICA_ERROR_UNSAID,
                        "the schedule needs %s, for which schedule() has no "
                        "word: use the trace",
                        move->kind == MOVE_OTHER
                            ? "a timer to fire"
                            : "a message to overtake another");
            return NULL;
        }
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}
