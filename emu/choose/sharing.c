/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "choose/sharing.h"

#include "base/capacity.h"

#define WORD_BITS 3

/* What is known of a word. */
#define TOUCHED 0x8000u
#define WRITTEN 0x4000u
#define SEVERAL 0x2000u /* contexts; otherwise one, that of the low bits */
#define CONTEXT 0x00ffu
#define SHARED (WRITTEN | SEVERAL)

struct Sharing {
    uint16_t *words;
    uint64_t count;  /* of words; those beyond are untouched */
    uint64_t shared;
};

/* Memory that a guest can have, in words. */
#define WORDS_MAX ((uint64_t)RAM_MIB_MAX << 20 >> WORD_BITS)

Sharing *
sharing_new(void)
{
    return g_new0(Sharing, 1);
}

void
sharing_free(Sharing *sharing)
{
    if (sharing == NULL)
        return;
    g_free(sharing->words);
    g_free(sharing);
}

/* Have a place for this word. */
static void
reach(Sharing *sharing, uint64_t word)
{
    uint64_t count = MAX(sharing->count, 4096);

    INVARIANT(word < WORDS_MAX);
    while (count <= word)
        count *= 2;
    if (count == sharing->count)
        return;
    sharing->words = g_renew(uint16_t, sharing->words, count);
    memset(sharing->words + sharing->count, 0,
           (count - sharing->count) * sizeof *sharing->words);
    sharing->count = count;
}

static bool
is_shared(unsigned word)
{
    return (word & SHARED) == SHARED;
}

bool
sharing_touch(Sharing *sharing, const SharingTouch *touch, gpa_t physical,
              uint64_t size)
{
    uint64_t first = physical >> WORD_BITS;
    uint64_t last = (physical + size - 1) >> WORD_BITS;
    unsigned context = touch->cpu * 2 + touch->handler;
    bool shared = false;

    if (UNLIKELY(last >= sharing->count))
        reach(sharing, last);
    for (uint64_t i = first; i <= last; i++) {
        unsigned word = sharing->words[i];
        unsigned before = word;

        if (word == 0)
            word = TOUCHED | context;
        if ((word & CONTEXT) != context)
            word |= SEVERAL;
        if (touch->writes)
            word |= WRITTEN;
        sharing->words[i] = (uint16_t)word;
        if (is_shared(word)) {
            shared = true;
            sharing->shared += !is_shared(before);
        }
    }
    return shared;
}

bool
sharing_is_shared(const Sharing *sharing, gpa_t physical, uint64_t size)
{
    uint64_t last = (physical + size - 1) >> WORD_BITS;

    for (uint64_t i = physical >> WORD_BITS;
         i <= last && i < sharing->count; i++)
        if (is_shared(sharing->words[i]))
            return true;
    return false;
}

uint64_t
sharing_count(const Sharing *sharing)
{
    return sharing->shared;
}

/* --- Text ----------------------------------------------------------------- */

G_DEFINE_QUARK(sharing-error-quark, sharing_error)

/* Words that are alike are told together: number of the first, how many, what
 * they are. */
char *
sharing_print(const Sharing *sharing)
{
    GString *text = g_string_new("sharing");
    uint64_t end;

    for (uint64_t i = 0; i < sharing->count; i = end) {
        for (end = i + 1; end < sharing->count &&
                          sharing->words[end] == sharing->words[i];)
            end++;
        if (sharing->words[i] != 0)
            g_string_append_printf(text, " %" PRIx64 "+%" PRIx64 "=%x", i,
                                   end - i, sharing->words[i]);
    }
    return g_string_free(text, FALSE);
}

static bool
take_words(Sharing *sharing, const char **at)
{
    uint64_t number[3];
    const char between[] = {'+', '=', '\0'};

    for (unsigned i = 0; i < 3; i++) {
        char *end;

        if (!g_ascii_isxdigit(**at))
            return false;
        number[i] = g_ascii_strtoull(*at, &end, 16);
        if (*end != between[i] && !(i == 2 && *end == ' '))
            return false;
        *at = i == 2 ? end : end + 1;
    }
    if (number[0] >= WORDS_MAX || number[1] == 0 ||
        number[1] > WORDS_MAX - number[0] || number[2] > UINT16_MAX)
        return false;
    reach(sharing, number[0] + number[1] - 1);
    for (uint64_t i = 0; i < number[1]; i++)
        sharing->words[number[0] + i] = (uint16_t)number[2];
    if (is_shared((unsigned)number[2]))
        sharing->shared += number[1];
    return true;
}

bool
sharing_parse(Sharing *sharing, const char *text, GError **error)
{
    bool ok = g_str_has_prefix(text, "sharing");

    g_clear_pointer(&sharing->words, g_free);
    sharing->count = sharing->shared = 0;
    text += ok ? strlen("sharing") : 0;
    while (ok && *text == ' ') {
        text++;
        ok = take_words(sharing, &text);
    }
    if (ok && *text == '\0')
        return true;
    g_set_error(error, SHARING_ERROR, SHARING_ERROR_SYNTAX,
                "what the saved search knew of memory is damaged: begin it "
                "anew");
    return false;
}
