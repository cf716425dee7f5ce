/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include <criterion/criterion.h>

#include "litmus_axioms.h"
#include "litmus_buffers.h"

/*
 * The classic tests, 49 of them, and then those of our own that the axioms can
 * speak of: whether SC, TSO, PSO, weak and RMO allow an outcome with all these
 * values.  A: allowed.  The files of scenarios/litmus/ bear the same names.
 */
typedef struct Row {
    const char *name;
    const char *program;
    const char *outcome;
    char allowed[6]; /* by AxiomsModel */
} Row;

static const Row ROWS[] = {
    {"SB", "W x 1; R y rax || W y 1; R x rax", "0:rax=0 1:rax=0", "-AAAA"},
    {"SB+mfences", "W x 1; M; R y rax || W y 1; M; R x rax", "0:rax=0 1:rax=0",
     "-----"},
    {"SB+mfence+po", "W x 1; M; R y rax || W y 1; R x rax", "0:rax=0 1:rax=0",
     "-AAAA"},
    {"SB+xchgs", "S rax 1; X x rax; R y rbx || S rax 1; X y rax; R x rbx",
     "0:rbx=0 1:rbx=0", "-----"},
    {"SB+xchg+po", "S rax 1; X x rax; R y rbx || W y 1; R x rax",
     "0:rbx=0 1:rax=0", "-AAAA"},
    {"SB+lfences", "W x 1; LF; R y rax || W y 1; LF; R x rax",
     "0:rax=0 1:rax=0", "-AAAA"},
    {"SB+sfences", "W x 1; SF; R y rax || W y 1; SF; R x rax",
     "0:rax=0 1:rax=0", "-AAAA"},
    {"SB+rfis", "W x 1; R x rax; R y rbx || W y 1; R y rax; R x rbx",
     "0:rax=1 0:rbx=0 1:rax=1 1:rbx=0", "-AAAA"},
    {"SB3", "W x 1; R y rax || W y 1; R z rax || W z 1; R x rax",
     "0:rax=0 1:rax=0 2:rax=0", "-AAAA"},
    {"MP", "W x 1; W y 1 || R y rax; R x rbx", "1:rax=1 1:rbx=0", "--AAA"},
    {"MP+mfence+po", "W x 1; M; W y 1 || R y rax; R x rbx", "1:rax=1 1:rbx=0",
     "---AA"},
    {"MP+po+mfence", "W x 1; W y 1 || R y rax; M; R x rbx", "1:rax=1 1:rbx=0",
     "--AAA"},
    {"MP+mfences", "W x 1; M; W y 1 || R y rax; M; R x rbx", "1:rax=1 1:rbx=0",
     "-----"},
    {"MP+xchg+po", "S rax 1; X x rax; W y 1 || R y rax; R x rbx",
     "1:rax=1 1:rbx=0", "---AA"},
    {"LB", "R x rax; W y 1 || R y rax; W x 1", "0:rax=1 1:rax=1", "----A"},
    {"LB+datas", "R x rax; W y rax || R y rax; W x rax", "0:rax=1 1:rax=1",
     "-----"},
    {"S", "W x 2; W y 1 || R y rax; W x 1", "1:rax=1 x=2", "--AAA"},
    {"R", "W x 1; W y 1 || W y 2; R x rax", "y=2 1:rax=0", "-AAAA"},
    {"R+po+mfence", "W x 1; W y 1 || W y 2; M; R x rax", "y=2 1:rax=0",
     "--AAA"},
    {"R+mfences", "W x 1; M; W y 1 || W y 2; M; R x rax", "y=2 1:rax=0",
     "-----"},
    {"2+2W", "W x 1; W y 2 || W y 1; W x 2", "x=1 y=1", "--AAA"},
    {"2+2W+mfences", "W x 1; M; W y 2 || W y 1; M; W x 2", "x=1 y=1", "-----"},
    {"WRC", "W x 1 || R x rax; W y 1 || R y rax; R x rbx",
     "1:rax=1 2:rax=1 2:rbx=0", "---AA"},
    {"RWC", "W x 1 || R x rax; R y rbx || W y 1; R x rax",
     "1:rax=1 1:rbx=0 2:rax=0", "-AAAA"},
    {"RWC+po+mfence", "W x 1 || R x rax; R y rbx || W y 1; M; R x rax",
     "1:rax=1 1:rbx=0 2:rax=0", "---AA"},
    {"WWC", "W x 2 || R x rax; W y 1 || R y rax; W x 1", "1:rax=2 2:rax=1 x=2",
     "----A"},
    {"WRW+WR", "W x 1 || R x rax; W y 1 || W y 2; R x rax",
     "1:rax=1 y=2 2:rax=0", "-AAAA"},
    {"Z6.0", "W x 1; W y 1 || R y rax; W z 1 || W z 2; R x rax",
     "1:rax=1 z=2 2:rax=0", "-AAAA"},
    {"ISA2", "W x 1; W y 1 || R y rax; W z 1 || R z rax; R x rbx",
     "1:rax=1 2:rax=1 2:rbx=0", "--AAA"},
    {"IRIW", "W x 1 || W y 1 || R x rax; R y rbx || R y rax; R x rbx",
     "2:rax=1 2:rbx=0 3:rax=1 3:rbx=0", "---AA"},
    {"IRIW+mfences",
     "W x 1 || W y 1 || R x rax; M; R y rbx || R y rax; M; R x rbx",
     "2:rax=1 2:rbx=0 3:rax=1 3:rbx=0", "-----"},
    {"IRIW+xchgs",
     "S rax 1; X x rax || S rax 1; X y rax || R x rax; R y rbx || "
     "R y rax; R x rbx",
     "2:rax=1 2:rbx=0 3:rax=1 3:rbx=0", "---AA"},
    {"CoRR", "W x 1 || R x rax; R x rbx", "1:rax=1 1:rbx=0", "-----"},
    {"CoRR2", "W x 1 || W x 2 || R x rax; R x rbx || R x rax; R x rbx",
     "2:rax=1 2:rbx=2 3:rax=2 3:rbx=1", "-----"},
    {"amd3", "W x 1; W x 2; R y rax || W y 1; W y 2; R x rax",
     "0:rax=1 1:rax=1", "-AAAA"},
    {"amd10", "W x 1; M; R x rax; R y rbx || W y 1; M; R y rax; R x rbx",
     "0:rax=1 0:rbx=0 1:rax=1 1:rbx=0", "-----"},
    {"n1", "W x 2; R y rax || W y 1; W x 1 || R x rax; R x rbx",
     "0:rax=0 2:rax=1 2:rbx=2", "-AAAA"},
    {"n2",
     "W y 1; W x 1 || W x 2; W z 1 || R x rax; R x rbx || R z "
     "rax; R y rbx",
     "2:rax=1 2:rbx=2 3:rax=1 3:rbx=0", "--AAA"},
    {"n3",
     "S rax 1; X x rax || W y 1 || R y rax; R x rbx; R x rcx || R "
     "x rax; R y rbx; R y rcx",
     "2:rax=1 2:rbx=0 2:rcx=1 3:rax=1 3:rbx=0 3:rcx=1", "---AA"},
    {"n4", "R x rax; W x 1; R x rbx || R x rax; W x 2; R x rbx",
     "0:rax=2 0:rbx=1 1:rax=1 1:rbx=2", "-----"},
    {"n5", "W x 1; R x rax || W x 2; R x rax", "0:rax=2 1:rax=1", "-----"},
    {"n6", "W x 1; R x rax; R y rbx || W y 2; W x 2", "0:rax=1 0:rbx=0 x=1",
     "-AAAA"},
    {"n7", "W x 1; R x rax; R y rbx || W y 1 || R y rax; R x rbx",
     "0:rax=1 0:rbx=0 2:rax=1 2:rbx=0", "-AAAA"},
    {"xchg-xchg", "S rax 1; X x rax || S rax 2; X x rax", "0:rax=2 1:rax=1",
     "-----"},
    {"inc-inc", "I x || I x", "x=1", "AAAAA"},
    {"lockinc-lockinc", "LI x || LI x", "x=1", "-----"},
    {"SB+lockincs", "LI x; R y rax || LI y; R x rax", "0:rax=0 1:rax=0",
     "-----"},
    {"cas-cas", "S rax 0; S rbx 1; C x rbx || S rax 0; S rbx 2; C x rbx",
     "0:rax=0 1:rax=0", "-----"},
    {"SB+failed-cas",
     "W x 1; S rax 9; S rbx 7; C z rbx; R y rbx || W y 1; S rax "
     "9; S rbx 7; C z rbx; R x rbx",
     "0:rbx=0 1:rbx=0", "-----"},
    {"SB+incs", "I x; R y rax || I y; R x rax", "0:rax=0 1:rax=0", "-AAAA"},
    {"MP+sfence+po", "W x 1; SF; W y 1 || R y rax; R x rbx", "1:rax=1 1:rbx=0",
     "---AA"},
    {"MP+lfence+po", "W x 1; LF; W y 1 || R y rax; R x rbx", "1:rax=1 1:rbx=0",
     "--AAA"},
    {"MP+po+lfence", "W x 1; W y 1 || R y rax; LF; R x rbx", "1:rax=1 1:rbx=0",
     "--AAA"},
    {"MP+sfence+lfence", "W x 1; SF; W y 1 || R y rax; LF; R x rbx",
     "1:rax=1 1:rbx=0", "-----"},
    {"MP+sfences", "W x 1; SF; W y 1 || R y rax; SF; R x rbx",
     "1:rax=1 1:rbx=0", "---AA"},
    {"MP+sfence+failed-cas",
     "W x 1; SF; W y 1 || R y rcx; S rax 9; S rbx 7; C z rbx; R x "
     "rbx",
     "1:rcx=1 1:rbx=0", "-----"},
    {"MP+lockinc+lfence", "W x 1; LI y || R y rax; LF; R x rbx",
     "1:rax=1 1:rbx=0", "-----"},
    {"S+sfence+po", "W x 2; SF; W y 1 || R y rax; W x 1", "1:rax=1 x=2",
     "----A"},
    {"S+sfence+data", "W x 2; SF; W y 1 || R y rax; W x rax", "1:rax=1 x=2",
     "-----"},
    {"R+sfence+mfence", "W x 1; SF; W y 1 || W y 2; M; R x rax", "y=2 1:rax=0",
     "-----"},
    {"2+2W+sfences", "W x 1; SF; W y 2 || W y 1; SF; W x 2", "x=1 y=1",
     "-----"},
    {"2+2W+lfences", "W x 1; LF; W y 2 || W y 1; LF; W x 2", "x=1 y=1",
     "--AAA"},
    {"WRC+po+lfence", "W x 1 || R x rax; W y 1 || R y rax; LF; R x rbx",
     "1:rax=1 2:rax=1 2:rbx=0", "----A"},
    {"ISA2+sfence+po+lfence",
     "W x 1; SF; W y 1 || R y rax; W z 1 || R z rax; LF; R x rbx",
     "1:rax=1 2:rax=1 2:rbx=0", "----A"},
    {"IRIW+lfences",
     "W x 1 || W y 1 || R x rax; LF; R y rbx || R y rax; LF; R x "
     "rbx",
     "2:rax=1 2:rbx=0 3:rax=1 3:rbx=0", "-----"},
    {"IRIW+sfences",
     "W x 1 || W y 1 || R x rax; SF; R y rbx || R y rax; SF; R x "
     "rbx",
     "2:rax=1 2:rbx=0 3:rax=1 3:rbx=0", "---AA"},
    {"CoWW", "W x 1; W x 2", "x=1", "-----"},
    {"CoRW", "R x rax; W x 1", "0:rax=1", "-----"},
    {"CoWR", "W x 1; R x rax", "0:rax=0", "-----"},
    {"CoRW2", "W x 1 || R x rax; W x 2", "1:rax=1 x=1", "-----"},
    {"inc+W", "I x || W x 2", "x=1", "AAAAA"},
    {"lockinc+W", "LI x || W x 2", "x=1", "-----"},
    {"cas+W", "S rax 0; S rbx 1; C x rbx || W x 2", "0:rax=0 x=1", "-----"},
};

static const char *const MODEL_NAMES[] = {"sc", "tso", "pso", "weak", "rmo"};

static bool
outcome_has_all(const char *outcome, const char *items)
{
    g_auto(GStrv) values = g_strsplit(outcome, " ", -1);
    g_auto(GStrv) wanted = g_strsplit(items, " ", -1);

    for (unsigned i = 0; wanted[i] != NULL; i++) {
        g_autofree char *value = g_strconcat(wanted[i], ";", NULL);

        if (!g_strv_contains((const char *const *)values, value))
            return false;
    }
    return true;
}

static bool
any_has_all(const GPtrArray *outcomes, const char *items)
{
    for (unsigned i = 0; i < outcomes->len; i++) {
        if (outcome_has_all(outcomes->pdata[i], items))
            return true;
    }
    return false;
}

static bool
contains_text(const GPtrArray *outcomes, const char *text)
{
    for (unsigned i = 0; i < outcomes->len; i++) {
        if (strcmp(outcomes->pdata[i], text) == 0)
            return true;
    }
    return false;
}

static char *
join_texts(const GPtrArray *outcomes)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < outcomes->len; i++)
        g_string_append_printf(text, "    %s\n", (char *)outcomes->pdata[i]);
    return g_string_free(text, FALSE);
}

Test(litmus_axioms, every_verdict_of_the_table_agrees)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ROWS); i++) {
        AxiomsProgram program;

        axioms_parse(&program, ROWS[i].program);
        for (unsigned m = AXIOMS_SC; m <= AXIOMS_RMO; m++) {
            g_autoptr(GPtrArray) outcomes = axioms_outcomes(&program, m);
            bool wanted = ROWS[i].allowed[m] == 'A';

            cr_assert_not_null(outcomes);
            cr_expect_eq(any_has_all(outcomes, ROWS[i].outcome), wanted,
                         "%s under %s", ROWS[i].name, MODEL_NAMES[m]);
        }
    }
}

/* Compares all models that are machines; false if one has too many states. */
static bool
expect_machines_agree(const AxiomsProgram *program, const char *name)
{
    for (unsigned m = AXIOMS_SC; m <= AXIOMS_WEAK; m++) {
        g_autoptr(GPtrArray) judged = axioms_outcomes(program, m);
        g_autoptr(GPtrArray) reached = buffers_outcomes(program, m);
        g_autofree char *judged_text = NULL;
        g_autofree char *reached_text = NULL;
        g_autofree char *text = NULL;

        if (judged == NULL || reached == NULL)
            return false;
        judged_text = join_texts(judged);
        reached_text = join_texts(reached);
        text = axioms_print(program, name);
        cr_assert_str_eq(judged_text, reached_text,
                         "%s, %s: judged\n%sreached\n%s", text, MODEL_NAMES[m],
                         judged_text, reached_text);
    }
    return true;
}

Test(litmus_axioms, a_search_of_store_buffers_finds_the_same_outcomes)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ROWS); i++) {
        AxiomsProgram program;

        axioms_parse(&program, ROWS[i].program);
        cr_expect(expect_machines_agree(&program, ROWS[i].name));
    }
}

Test(litmus_axioms, the_search_agrees_on_programs_nobody_thought_of)
{
    unsigned compared = 0;
    Prng prng;

    prng_init(&prng, 1);
    for (unsigned i = 0; i < 600; i++) {
        g_autofree char *name = g_strdup_printf("random-%u", i);
        AxiomsProgram program;

        switch (i % 4) {
        case 0:
            axioms_generate(&program, &prng, 2, 4);
            break;
        case 1:
            axioms_generate(&program, &prng, 3, 3);
            break;
        case 2:
            axioms_generate_cycle(&program, &prng, 2);
            break;
        case 3:
            axioms_generate_cycle(&program, &prng, 3);
            break;
        }
        compared += expect_machines_agree(&program, name);
    }
    cr_expect_gt(compared, 590);
}

Test(litmus_axioms, each_model_allows_what_the_stronger_one_does)
{
    unsigned wider[AXIOMS_RMO + 1] = {0};
    Prng prng;

    prng_init(&prng, 2);
    for (unsigned i = 0; i < 400; i++) {
        g_autoptr(GPtrArray) stronger = NULL;
        AxiomsProgram program;

        if (i % 2)
            axioms_generate(&program, &prng, 2 + i % 3, 3);
        else
            axioms_generate_cycle(&program, &prng, 2 + i % 3);
        stronger = axioms_outcomes(&program, AXIOMS_SC);
        cr_assert_not_null(stronger);
        for (unsigned m = AXIOMS_TSO; m <= AXIOMS_RMO; m++) {
            GPtrArray *outcomes = axioms_outcomes(&program, m);

            cr_assert_not_null(outcomes);
            for (unsigned j = 0; j < stronger->len; j++)
                cr_assert(contains_text(outcomes, stronger->pdata[j]));
            wider[m] += outcomes->len > stronger->len;
            g_ptr_array_unref(stronger);
            stronger = outcomes;
        }
    }
    /* The programs are worth their time only if they tell the models apart. */
    for (unsigned m = AXIOMS_TSO; m <= AXIOMS_RMO; m++)
        cr_expect_gt(wider[m], 20, "%s: %u", MODEL_NAMES[m], wider[m]);
}

/* The cells of a litmus file that is laid out as ours are, by thread. */
static GPtrArray *
read_cells(char **lines, unsigned thread)
{
    GPtrArray *cells = g_ptr_array_new_with_free_func(g_free);
    unsigned at = 0;

    while (lines[at] != NULL && !g_str_has_prefix(lines[at], " P0"))
        at++;
    while (lines[at] != NULL && lines[++at] != NULL) {
        g_auto(GStrv) columns = NULL;
        char *end = strrchr(lines[at], ';');

        if (end == NULL || !g_str_has_prefix(lines[at], " "))
            break;
        *end = '\0';
        columns = g_strsplit(lines[at], "|", -1);
        if (thread < g_strv_length(columns) &&
            *g_strstrip(columns[thread]) != '\0')
            g_ptr_array_add(cells, g_strdup(columns[thread]));
        *end = ';';
    }
    return cells;
}

static void
expect_file_holds(const Row *row, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_auto(GStrv) items = g_strsplit(row->outcome, " ", -1);
    g_autofree char *condition = g_strjoinv(" /\\ ", items);
    g_autofree char *exists = g_strdup_printf("exists (%s)", condition);
    g_autofree char *head = g_strdup_printf("X86_64 %s", row->name);
    g_autoptr(GString) expect = g_string_new("Expect=");
    AxiomsProgram program;

    for (unsigned m = AXIOMS_SC; m <= AXIOMS_WEAK; m++)
        g_string_append_printf(expect, "%s%s:%s", m ? " " : "", MODEL_NAMES[m],
                               row->allowed[m] == 'A' ? "Sometimes" : "Never");
    cr_expect_str_eq(lines[0], head);
    cr_expect(g_strv_contains((const char *const *)lines, expect->str),
              "%s: not %s", row->name, expect->str);
    cr_expect(g_strv_contains((const char *const *)lines, exists), "%s: not %s",
              row->name, exists);
    axioms_parse(&program, row->program);
    for (unsigned i = 0; i < program.threads; i++) {
        g_autoptr(GPtrArray) cells = read_cells(lines, i);

        cr_assert_eq(cells->len, program.length[i], "%s P%u", row->name, i);
        for (unsigned j = 0; j < cells->len; j++) {
            g_autofree char *spelt = axioms_spell(&program.code[i][j]);

            cr_expect_str_eq(cells->pdata[j], spelt, "%s P%u", row->name, i);
        }
    }
}

Test(litmus_axioms, the_files_hold_these_programs_and_verdicts)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ROWS); i++) {
        g_autofree char *path = g_strdup_printf(
            HEDDLE_DATADIR "/scenarios/litmus/%s.litmus", ROWS[i].name);
        g_autofree char *text = NULL;

        cr_assert(g_file_get_contents(path, &text, NULL, NULL), "%s", path);
        expect_file_holds(&ROWS[i], text);
    }
}

Test(litmus_axioms, a_program_is_printed_as_a_litmus_file)
{
    static const char wanted[] =
        "X86_64 it\n"
        "{ uint64_t x; uint64_t y; }\n"
        " P0                      | P1                      ;\n"
        " movq $2,%rax            | lock incq (y)           ;\n"
        " xchgq %rax,(x)          | sfence                  ;\n"
        "                         | movq (x),%rbx           ;\n"
        "locations [0:rax; 1:rbx; x; y; ]\n"
        "exists (y=0)\n";
    g_autoptr(GPtrArray) outcomes = NULL;
    g_autofree char *text = NULL;
    AxiomsProgram program;

    axioms_parse(&program, "S rax 2; X x rax || LI y; SF; R x rbx");
    text = axioms_print(&program, "it");
    cr_expect_str_eq(text, wanted);
    outcomes = axioms_outcomes(&program, AXIOMS_TSO);
    cr_assert_eq(outcomes->len, 2);
    cr_expect_str_eq(outcomes->pdata[0], "0:rax=0; 1:rbx=0; x=2; y=1;");
    cr_expect_str_eq(outcomes->pdata[1], "0:rax=0; 1:rbx=2; x=2; y=1;");
}

Test(litmus_axioms, a_compare_exchange_writes_only_what_it_should)
{
    g_autoptr(GPtrArray) outcomes = NULL;
    AxiomsProgram program;

    axioms_parse(&program, "S rbx 1; C x rbx || W x 2");
    outcomes = axioms_outcomes(&program, AXIOMS_SC);
    cr_assert_eq(outcomes->len, 2);
    cr_expect_str_eq(outcomes->pdata[0], "0:rax=0; x=2;");
    cr_expect_str_eq(outcomes->pdata[1], "0:rax=2; x=2;");
}

/* The last store of P0 has its value from the first load, through y. */
Test(litmus_axioms, a_dependency_goes_through_an_own_store)
{
    g_autoptr(GPtrArray) outcomes = NULL;
    AxiomsProgram program;

    axioms_parse(&program, "R x rax; W y rax; R y rbx; W z rbx || "
                           "R z rax; LF; W x 1");
    outcomes = axioms_outcomes(&program, AXIOMS_RMO);
    cr_expect(any_has_all(outcomes, "0:rax=1"));
    cr_expect_not(any_has_all(outcomes, "0:rax=1 1:rax=1"));
}

Test(litmus_axioms, more_than_can_be_looked_at_is_said)
{
    AxiomsProgram program;

    axioms_parse(&program, "W x 1; R x rax; W x 2; R y rbx; W y 1; R z rcx || "
                           "W x 3; R x rax; W y 4; R y rbx; W z 2; R z rcx || "
                           "W y 5; R x rax; W x 6; R z rbx; W z 3; R y rcx || "
                           "W z 7; R z rax; W x 8; R y rbx; W y 4; R x rcx");
    cr_expect_null(axioms_outcomes(&program, AXIOMS_RMO));
}
