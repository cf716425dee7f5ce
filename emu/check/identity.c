/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "check/identity.h"

#include "watch/place.h"

/* How far up the stack a caller is looked for, and how many functions of a
 * handler lie between panic() and what was interrupted. */
#define PANIC_STACK_WORDS 512u
#define HANDLER_CALLS_MAX 4u

void
identity_free(Identity *identity)
{
    if (identity == NULL)
        return;
    g_free(identity->what);
    g_free(identity->where);
    g_free(identity->key);
    g_free(identity);
}

const Identity *
identity_lookup(const GPtrArray *list, const char *key)
{
    for (guint i = 0; i < list->len; i++) {
        const Identity *identity = g_ptr_array_index(list, i);

        if (g_str_equal(identity->key, key))
            return identity;
    }
    return NULL;
}

/* Takes `what` and `where`. */
static void
add(GPtrArray *list, const ScenarioCase *item, IdentityKind kind, char *what,
    char *where)
{
    Identity *identity = g_new0(Identity, 1);

    identity->kind = kind;
    identity->what = what;
    identity->where = where;
    identity->key =
        g_strdup_printf("case %u: %s%s%s", item->number, what,
                        *where != '\0' ? " at " : "", where);
    if (identity_lookup(list, identity->key) != NULL)
        identity_free(identity);
    else
        g_ptr_array_add(list, identity);
}

/* --- Texts ---------------------------------------------------------------- */

static bool
is_in_word(char c)
{
    return g_ascii_isalnum(c) || c == '_';
}

/* A number of the guest's text: what it is called if it is an address. */
static void
print_number(const Image *image, const char *digits, GString *out)
{
    const ImageSymbol *symbol = NULL;

    if (g_str_has_prefix(digits, "0x"))
        symbol = image_symbol_at(image, g_ascii_strtoull(digits, NULL, 16));
    g_string_append(out, symbol != NULL ? symbol->name : "#");
}

/* Numbers that are words of their own, or follow `cpu`, are left out; those
 * in a name are part of it. */
static char *
without_numbers(const Image *image, const char *text)
{
    GString *out = g_string_new(NULL);
    const char *at = text;

    while (*at != '\0') {
        size_t before = (size_t)(at - text);
        bool begins = before == 0 || !is_in_word(at[-1]) ||
                      (before >= 3 && memcmp(at - 3, "cpu", 3) == 0 &&
                       (before == 3 || !is_in_word(at[-4])));

        if (!begins || !g_ascii_isdigit(*at)) {
            g_string_append_c(out, *at++);
            continue;
        }
        print_number(image, at, out);
        if (g_str_has_prefix(at, "0x"))
            at += 2;
        while (g_ascii_isxdigit(*at))
            at++;
    }
    return g_string_free(out, FALSE);
}

static const char *
function_at(const Image *image, gva_t address)
{
    const ImageSymbol *symbol = image_symbol_at(image, address);

    return symbol != NULL ? symbol->name : "somewhere";
}

/* "spin_lock spinlock.c:34", the line in the function that has the frame. */
static char *
print_place(const Image *image, gva_t address)
{
    g_autofree char *file = NULL;
    const ImageFrame *frame;
    ImageLine line;

    if (!image_line_at(image, address, &line) || line.frame_count == 0)
        return g_strdup(function_at(image, address));
    frame = &line.frames[line.frame_count - 1];
    if (frame->file == NULL)
        return g_strdup(function_at(image, address));
    file = g_path_get_basename(frame->file);
    return g_strdup_printf("%s %s:%u", function_at(image, address), file,
                           frame->line);
}

/* --- Panics --------------------------------------------------------------- */

/* Is this the address after a call, of `function` or, if that is 0, of
 * anything? */
static bool
is_return(Machine *machine, uint64_t address, gva_t function)
{
    uint8_t bytes[5];
    int32_t distance;

    if (!machine_read(machine, MACHINE_NOBODY, address - sizeof bytes, bytes,
                      sizeof bytes))
        return false;
    if (bytes[0] == 0xe8) {
        memcpy(&distance, bytes + 1, sizeof distance);
        return function == 0 ||
               address + (uint64_t)(int64_t)distance == function;
    }
    /* call *%rax and the like; call *8(%rax) and the like */
    return function == 0 &&
           ((bytes[3] == 0xff && (bytes[4] & 0xf8) == 0xd0) ||
            (bytes[2] == 0xff && (bytes[3] & 0xf8) == 0x50));
}

/* The next function up the stack that called `callee`, 0: anything; NULL if
 * there is none. */
static const ImageSymbol *
find_caller(const Trial *trial, gva_t callee, uint64_t *stack)
{
    Machine *machine = trial->stage->machine;

    for (unsigned i = 0; i < PANIC_STACK_WORDS; i++) {
        const ImageSymbol *symbol;
        uint64_t word;

        if (!machine_read(machine, MACHINE_NOBODY, *stack, &word,
                          sizeof word))
            return NULL;
        *stack += sizeof word;
        if (!is_return(machine, word, callee))
            continue;
        /* A call that never returns can be the last of its function. */
        symbol = image_symbol_at(trial->stage->image, word - 1);
        if (symbol != NULL && symbol->kind != IMAGE_SYMBOL_OBJECT)
            return symbol;
    }
    return NULL;
}

/* The function that found a reason to panic: whoever called panic(), and if
 * that is an exception's handler, whoever is next up the stack. */
static const char *
panicking_function(const Trial *trial, unsigned number)
{
    Cpu *cpu = machine_cpu(trial->stage->machine, number);
    uint64_t stack = cpu_register(cpu, GPR_RSP);
    const ImageSymbol *symbol =
        image_symbol_at(trial->stage->image, cpu_rip(cpu));

    if (symbol != NULL && g_str_equal(symbol->name, "panic"))
        symbol = find_caller(trial, symbol->address, &stack);
    for (unsigned i = 0; i < HANDLER_CALLS_MAX && symbol != NULL &&
                         g_str_has_prefix(symbol->name, "trap");
         i++)
        symbol = find_caller(trial, 0, &stack);
    return symbol != NULL ? symbol->name : "somewhere";
}

/* --- Verdicts ------------------------------------------------------------- */

static int
compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What a core that makes no steps is stuck in, or NULL if it is not. */
static char *
print_resting(const Trial *trial, unsigned cpu)
{
    const char *awaited =
        trial->stories.awaited(trial->stories.user, cpu);

    if (run_stories(trial->run)->finished >> cpu & 1)
        return NULL;
    if (awaited != NULL)
        return g_strdup_printf("awaits \"%s\"", awaited);
    return g_strdup_printf("sleeps in %s",
                           function_at(trial->stage->image,
                                       run_stories(trial->run)->called[cpu]));
}

static char *
print_stuck(const Trial *trial, const RunRecord *record)
{
    Machine *machine = trial->stage->machine;
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    GString *out = g_string_new(NULL);
    Place places[CPUS_MAX] = {0};
    PlaceSetup setup = {.machine = machine,
                        .image = trial->stage->image,
                        .view = &trial->stage->state};

    if (record->verdict.kind == VERDICT_LIVELOCK)
        place_find(&setup, places);
    for (unsigned i = 0; i < machine_cpus(machine); i++) {
        char *text = places[i].moves && !places[i].rests
                         ? print_place(trial->stage->image, places[i].rip)
                         : print_resting(trial, i);

        if (text != NULL)
            g_ptr_array_add(texts, text);
    }
    g_ptr_array_sort(texts, compare_texts);
    for (guint i = 0; i < texts->len; i++)
        g_string_append_printf(out, "%s%s", i > 0 ? ", " : "",
                               (char *)g_ptr_array_index(texts, i));
    return g_string_free(out, FALSE);
}

static void
add_verdict(Trial *trial, const RunRecord *record, GPtrArray *list)
{
    const Image *image = trial->stage->image;
    const Verdict *verdict = &record->verdict;
    const char *name = verdict_name(verdict->kind);
    g_autofree char *text = without_numbers(image, verdict->text);
    char *where;

    switch (verdict->kind) {
    case VERDICT_DEADLOCK:
    case VERDICT_LIVELOCK:
        add(list, trial->item, IDENTITY_VERDICT, g_strdup(name),
            print_stuck(trial, record));
        return;
    case VERDICT_PANIC:
    case VERDICT_FAULT:
        where = g_strdup("");
        if (verdict->cpu >= 0) {
            g_free(where);
            where = g_strdup(
                panicking_function(trial, (unsigned)verdict->cpu));
        }
        add(list, trial->item, IDENTITY_VERDICT,
            g_strdup_printf("%s: %s", name, text), where);
        return;
    case VERDICT_DONE:
    case VERDICT_BUDGET:
        return;
    }
}

/* --- The list ------------------------------------------------------------- */

static void
add_breaches(Trial *trial, GPtrArray *list)
{
    unsigned count;
    const Breach *breaches = probe_breaches(trial->probe, &count);

    for (unsigned i = 0; i < count; i++)
        add(list, trial->item, IDENTITY_BREACH,
            g_strdup_printf("breach: %s", breaches[i].rule),
            g_strdup(function_at(trial->stage->image, breaches[i].moment.rip)));
}

/* Is the claim, of which this run says so much, worth telling? */
static const char *
judge_claim(const Claim *claim, bool occurred)
{
    switch (claim->quantifier) {
    case CLAIM_NEVER:
        return occurred ? "broken" : NULL;
    case CLAIM_CERTAIN:
        return occurred ? NULL : "broken";
    case CLAIM_POSSIBLE:
        return occurred ? "shown" : NULL;
    case CLAIM_REACH:
        return NULL;
    }
    return NULL;
}

static void
add_claims(Trial *trial, GPtrArray *list)
{
    for (guint i = 0; i < trial->claims->len; i++) {
        const Claim *claim = g_ptr_array_index(trial->claims, i);
        g_autofree char *text = claim_print(claim);
        const char *judged;

        if (claim->implied) /* the verdict, or the breach, says it better */
            continue;
        judged = judge_claim(claim, probe_occurred(trial->probe, i));
        if (judged != NULL)
            add(list, trial->item, IDENTITY_CLAIM,
                g_strdup_printf("%s: %s", judged, text), g_strdup(""));
    }
}

GPtrArray *
identity_list(Trial *trial, const RunRecord *record)
{
    GPtrArray *list =
        g_ptr_array_new_with_free_func((GDestroyNotify)identity_free);

    add_verdict(trial, record, list);
    add_breaches(trial, list);
    add_claims(trial, list);
    return list;
}
