/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "watch/ledger.h"

typedef struct Entry {
    uint32_t index;
    uint64_t fields[RULE_FIELDS_MAX];
} Entry;

typedef struct Account {
    const StateFifo *fifo;
    Entry *entries;     /* as many as slots */
    uint64_t run;       /* in which it was begun */
    uint32_t written, executed;
} Account;

struct Ledger {
    const Gmem *memory;
    const RuleMessages *messages;
    Account *accounts;  /* in the order of the view: by address */
    unsigned count;
    uint64_t run;
    Entry *entries;
    uint16_t of[CPUS_MAX][CPUS_MAX]; /* source, target: an account + 1 */
};

Ledger *
ledger_new(Machine *machine, const RuleMessages *messages,
           const StateView *view)
{
    Ledger *ledger = g_new0(Ledger, 1);
    const GArray *fifos = view->fifos;
    size_t slots = 0;

    ledger->memory = machine_memory(machine);
    ledger->messages = messages;
    ledger->count = fifos->len;
    ledger->accounts = g_new0(Account, fifos->len + 1);
    for (guint i = 0; i < fifos->len; i++)
        slots += g_array_index(fifos, StateFifo, i).depth;
    ledger->entries = g_new0(Entry, slots + 1);
    slots = 0;
    for (guint i = 0; i < fifos->len; i++) {
        const StateFifo *fifo = &g_array_index(fifos, StateFifo, i);
        uint16_t *of = &ledger->of[fifo->source][fifo->target];

        ledger->accounts[i] =
            (Account){.fifo = fifo, .entries = &ledger->entries[slots]};
        slots += fifo->depth;
        if (fifo->own || fifo->source != fifo->target)
            *of = (uint16_t)(i + 1);
    }
    return ledger;
}

void
ledger_free(Ledger *ledger)
{
    if (ledger == NULL)
        return;
    g_free(ledger->accounts);
    g_free(ledger->entries);
    g_free(ledger);
}

void
ledger_begin(Ledger *ledger)
{
    ledger->run++;
}

static uint32_t
word_in(const uint8_t *memory, const StateFifo *fifo, uint32_t offset)
{
    uint32_t word;

    memcpy(&word, memory + fifo->physical + offset, sizeof word);
    return word;
}

static uint64_t
field_mask(const RuleField *field)
{
    return field->size < 8 ? (UINT64_C(1) << (8 * field->size)) - 1
                           : UINT64_MAX;
}

/* The slot of the next message, as it is in `memory`. */
static Entry *
enter_message(const Ledger *ledger, Account *account, const uint8_t *memory)
{
    const StateFifo *fifo = account->fifo;
    uint32_t slot = account->written % fifo->depth;
    const uint8_t *at = memory + fifo->physical + fifo->slots +
                        (uint64_t)slot * fifo->slot_size;
    Entry *entry = &account->entries[slot];

    entry->index = account->written++;
    for (unsigned i = 0; i < ledger->messages->field_count; i++) {
        const RuleField *field = &ledger->messages->fields[i];

        entry->fields[i] = 0;
        memcpy(&entry->fields[i], at + field->offset, field->size);
    }
    return entry;
}

/* Take over what was written unseen, up to index `written`. */
static void
catch_up(const Ledger *ledger, Account *account, const uint8_t *memory,
         uint32_t written)
{
    uint32_t unseen = written - account->written;

    if ((int32_t)unseen <= 0)
        return;
    if (unseen > account->fifo->depth)
        account->written = written - account->fifo->depth;
    while (account->written != written)
        enter_message(ledger, account, memory);
}

/* The account of this run, begun from the base if need be. */
static Account *
open_account(const Ledger *ledger, unsigned number)
{
    Account *account = &ledger->accounts[number];
    const StateFifo *fifo = account->fifo;
    const uint8_t *base = ledger->memory->base;

    if (LIKELY(account->run == ledger->run))
        return account;
    if (base == NULL)
        base = ledger->memory->bytes;
    account->run = ledger->run;
    account->executed = account->written = word_in(base, fifo, fifo->read);
    catch_up(ledger, account, base, word_in(base, fifo, fifo->written));
    return account;
}

/* The FIFO whose memory holds this address, or -1. */
static int
fifo_at(const Ledger *ledger, gpa_t physical)
{
    unsigned low = 0, high = ledger->count;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        const StateFifo *fifo = ledger->accounts[middle].fifo;

        if (physical < fifo->physical)
            high = middle;
        else if (physical >= fifo->physical + fifo->size)
            low = middle + 1;
        else
            return (int)middle;
    }
    return -1;
}

bool
ledger_send(Ledger *ledger, gpa_t index, uint64_t *fields, bool *room)
{
    int number = fifo_at(ledger, index);
    const uint8_t *memory = ledger->memory->bytes;
    const StateFifo *fifo;
    Account *account;
    uint32_t written;
    Entry *entry;

    if (number < 0)
        return false;
    account = open_account(ledger, (unsigned)number);
    fifo = account->fifo;
    if (index != fifo->physical + fifo->written)
        return false;
    written = word_in(memory, fifo, fifo->written);
    catch_up(ledger, account, memory, written);
    /* Nothing waits, and a story has set the indices: so they are. */
    if (account->written == account->executed &&
        word_in(memory, fifo, fifo->read) == written)
        account->executed = written;
    account->written = written;
    *room = account->written - account->executed < fifo->depth;
    entry = enter_message(ledger, account, memory);
    memcpy(fields, entry->fields, sizeof entry->fields);
    return true;
}

bool
ledger_receive(Ledger *ledger, const LedgerReceipt *receipt)
{
    const uint8_t *memory = ledger->memory->bytes;
    const StateFifo *fifo;
    const Entry *entry;
    Account *account;
    uint32_t expected, read;
    bool right;

    if (receipt->source >= CPUS_MAX || receipt->target >= CPUS_MAX ||
        ledger->of[receipt->source][receipt->target] == 0)
        return true;
    account = open_account(
        ledger, ledger->of[receipt->source][receipt->target] - 1u);
    fifo = account->fifo;
    catch_up(ledger, account, memory, word_in(memory, fifo, fifo->written));
    expected = account->executed;
    read = word_in(memory, fifo, fifo->read);
    entry = &account->entries[expected % fifo->depth];
    right = read == expected + 1 && entry->index == expected &&
            (int32_t)(account->written - expected) > 0;
    for (unsigned i = 0; i < ledger->messages->field_count; i++)
        right = right && ((entry->fields[i] ^ receipt->fields[i]) &
                          field_mask(&ledger->messages->fields[i])) == 0;
    account->executed = read; /* one thing that is wrong is told once */
    return right;
}

void
ledger_digest(Ledger *ledger, Digest *digest)
{
    for (unsigned i = 0; i < ledger->count; i++) {
        const Account *account = open_account(ledger, i);
        uint32_t depth = account->fifo->depth;

        digest_u64(digest, account->written);
        digest_u64(digest, account->executed);
        for (uint32_t at = account->executed;
             at != account->written && at - account->executed < depth; at++)
            digest_bytes(digest, account->entries[at % depth].fields,
                         sizeof account->entries[0].fields);
    }
}
