/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "check/certify.h"

#include "watch/proof.h"

static const char *const registers[GPR_COUNT] = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

static bool
can_act(Machine *machine)
{
    g_autofree Actions *actions = g_new(Actions, 1);

    machine_list_actions(machine, actions);
    return actions->count > 0;
}

static bool
all_ended(const CertifyEnd *end)
{
    unsigned cpus = machine_cpus(end->stage->machine);

    return (unsigned)__builtin_popcountll(run_stories(end->run)->finished) ==
           cpus;
}

/* --- What was left out ---------------------------------------------------- */

static void
print_stride(uint64_t stride, bool loose, unsigned bits, GString *out)
{
    int64_t step = (int64_t)(stride << (64 - bits)) >> (64 - bits);

    if (loose)
        g_string_append(out, " loose");
    else
        g_string_append_printf(out, " %+" PRId64, step);
}

static char *
print_word(const Image *image, const DriftWord *word)
{
    gva_t address = WINDOW_KERNEL + word->physical;
    const ImageSymbol *symbol = image_symbol_at(image, address);
    GString *out = g_string_new(NULL);

    g_string_append_printf(out, "memory 0x%" PRIx64 " %u", word->physical,
                           word->size);
    print_stride(word->stride, word->loose, 8 * word->size, out);
    if (symbol != NULL)
        g_string_append_printf(out, " %s+0x%" PRIx64, symbol->name,
                               address - symbol->address);
    return g_string_free(out, FALSE);
}

static GPtrArray *
list_left_out(const Image *image, const Proof *proof)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < proof->words->len; i++)
        g_ptr_array_add(lines, print_word(image, &g_array_index(proof->words,
                                                                DriftWord, i)));
    for (guint i = 0; i < proof->registers->len; i++) {
        const DriftRegister *r = &g_array_index(proof->registers, DriftRegister,
                                                i);
        GString *out = g_string_new(NULL);

        g_string_append_printf(out, "cpu%u %s", r->cpu, registers[r->number]);
        print_stride(r->stride, r->loose, 64, out);
        g_ptr_array_add(lines, g_string_free(out, FALSE));
    }
    return lines;
}

static bool
same_lines(const GPtrArray *a, const GPtrArray *b)
{
    if (a->len != b->len)
        return false;
    for (guint i = 0; i < a->len; i++)
        if (!g_str_equal(g_ptr_array_index(a, i), g_ptr_array_index(b, i)))
            return false;
    return true;
}

/* --- Making --------------------------------------------------------------- */

static bool
claim_of(const CertifyEnd *end, CertificateClaim *claim)
{
    switch (end->verdict->kind) {
    case VERDICT_LIVELOCK:
        *claim = CERTIFICATE_LIVELOCK;
        return true;
    case VERDICT_DEADLOCK:
        *claim = CERTIFICATE_DEADLOCK;
        return true;
    case VERDICT_DONE:
        *claim = CERTIFICATE_LOST;
        return state_waiting_fifo(end->stage->machine, &end->stage->state) !=
               NULL;
    case VERDICT_PANIC:
    case VERDICT_FAULT:
    case VERDICT_BUDGET:
        break;
    }
    return false;
}

static bool
make_loop(const CertifyEnd *end, Certificate *certificate)
{
    Machine *machine = end->stage->machine;
    g_autoptr(MachineSnapshot) before = machine_save(machine);
    g_auto(Proof) proof = {0};
    Verdict verdict;
    bool proved;

    proof_init(&proof);
    if (!verdict_find_lasso(machine, &end->stage->state, VERDICT_STEPS_FAR,
                            &verdict, &certificate->lasso))
        return false;
    proved = proof_check(machine, &certificate->lasso, &proof);
    machine_load(machine, before);
    certificate->state = proof.digest;
    certificate->rounds = verdict.loop_rounds;
    g_ptr_array_unref(certificate->left_out);
    certificate->left_out = list_left_out(end->stage->image, &proof);
    return proved;
}

bool
certify_make(const CertifyEnd *end, Certificate *certificate)
{
    if (!claim_of(end, &certificate->claim))
        return false;
    if (can_act(end->stage->machine))
        return certificate->claim != CERTIFICATE_DEADLOCK &&
               make_loop(end, certificate);
    return certificate->claim != CERTIFICATE_LIVELOCK;
}

/* --- Verifying ------------------------------------------------------------ */

void
certify_clear(Verification *verification)
{
    g_clear_pointer(&verification->what, g_free);
}

static void
conclude(Verification *verification, bool holds, const char *what)
{
    g_free(verification->what);
    verification->holds = holds;
    verification->what = g_strdup(what);
}

/* A round ends with everything visible. */
static unsigned
rounds_of(const Lasso *lasso)
{
    unsigned rounds = 0;

    for (guint i = 0; i < lasso->loop->len; i++)
        rounds += g_array_index(lasso->loop, LassoMove, i).settles;
    return rounds;
}

static void
verify_loop(const CertifyEnd *end, const Certificate *certificate,
            Verification *verification)
{
    g_autoptr(GPtrArray) left_out = NULL;
    g_auto(Proof) proof = {0};

    proof_init(&proof);
    if (!proof_check(end->stage->machine, &certificate->lasso, &proof)) {
        conclude(verification, false, proof.why);
        return;
    }
    verification->loop_steps = proof.loop_steps;
    verification->loop_ticks = proof.loop_ticks;
    verification->ran = proof.ran;
    left_out = list_left_out(end->stage->image, &proof);
    if (proof.digest != certificate->state)
        conclude(verification, false,
                 "the state is not the one that the certificate names");
    else if (rounds_of(&certificate->lasso) != certificate->rounds)
        conclude(verification, false,
                 "it has not as many rounds as the certificate says");
    else if (!same_lines(left_out, certificate->left_out))
        conclude(verification, false,
                 "what differs is not what the certificate left out");
    else
        conclude(verification, true,
                 "the machine can go round this loop for ever, and it is fair");
}

/* Messages wait in a queue, and whatever happens nobody reads of it. */
static void
verify_lost(const CertifyEnd *end, const Certificate *certificate,
            Verification *verification)
{
    Machine *machine = end->stage->machine;
    const StateFifo *fifo = state_waiting_fifo(machine, &end->stage->state);
    uint32_t read;

    if (fifo == NULL) {
        conclude(verification, false, "no message waits");
        return;
    }
    read = state_fifo_index(machine, fifo);
    if (can_act(machine)) {
        verify_loop(end, certificate, verification);
        if (verification->holds && read != state_fifo_index(machine, fifo))
            conclude(verification, false, "the messages are read in the loop");
        return;
    }
    conclude(verification, true,
             "nothing can happen any more, and messages wait");
}

void
certify_verify(const CertifyEnd *end, const Certificate *certificate,
               Verification *verification)
{
    bool acts = can_act(end->stage->machine);

    *verification = (Verification){.holds = false};
    switch (certificate->claim) {
    case CERTIFICATE_LIVELOCK:
        if (all_ended(end) && lasso_has_timer(end->stage->machine))
            conclude(verification, false,
                     "every story has ended, and a clock that ticks is no "
                     "livelock");
        else
            verify_loop(end, certificate, verification);
        break;
    case CERTIFICATE_DEADLOCK:
        if (acts)
            conclude(verification, false, "something can still happen");
        else if (all_ended(end))
            conclude(verification, false, "every story has ended");
        else
            conclude(verification, true,
                     "nothing can happen any more, and a story is not at its "
                     "end");
        break;
    case CERTIFICATE_LOST:
        if (!all_ended(end))
            conclude(verification, false, "some story has not ended");
        else
            verify_lost(end, certificate, verification);
        break;
    }
}
