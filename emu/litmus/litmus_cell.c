/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "litmus/litmus_cell.h"

#include "litmus/litmus_lex.h"

#define NAME_BYTES_MAX 63u /* as in a condition, see LitmusLex */

typedef enum WordKind {
    WORD_END,
    WORD_PREFIX,   /* lock, rep */
    WORD_MNEMONIC,
    WORD_REGISTER, /* with or without its % */
    WORD_NAME,     /* a location or a label */
    WORD_DIRECT,   /* a location alone in parentheses */
    WORD_NUMBER,
    WORD_OTHER,    /* one character */
} WordKind;

typedef struct Word {
    WordKind kind;
    char text[NAME_BYTES_MAX + 1];
    bool is_target; /* a NAME that a jump goes to */
    bool is_after_operand; /* a DIRECT behind a displacement */
} Word;

/* Where in a line the reading is. */
typedef struct Words {
    const Litmus *litmus;
    const char *at;
    bool has_mnemonic;
    bool is_jump;
    bool is_indirect;
    WordKind last;
} Words;

static bool
is_name_byte(char byte)
{
    return g_ascii_isalnum(byte) || byte == '_';
}

static size_t
name_length(const char *at)
{
    size_t length = 0;

    if (g_ascii_isdigit(*at))
        return 0;
    while (is_name_byte(at[length]))
        length++;
    return length;
}

static bool
is_prefix(const char *name)
{
    static const char *const prefixes[] = {
        "lock", "rep", "repe", "repz", "repne", "repnz", "xacquire",
        "xrelease",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_ascii_strcasecmp(name, prefixes[i]) == 0)
            return true;
    return false;
}

static bool
is_jump(const char *mnemonic)
{
    return g_ascii_tolower(mnemonic[0]) == 'j' ||
           g_ascii_strncasecmp(mnemonic, "call", 4) == 0 ||
           g_ascii_strncasecmp(mnemonic, "loop", 4) == 0 ||
           g_ascii_strcasecmp(mnemonic, "xbegin") == 0;
}

/* herd takes register names without their %; a location of that name wins. */
static bool
is_bare_register(const Words *words, const char *name)
{
    unsigned number, size;

    return litmus_lookup_location(words->litmus, name) < 0 &&
           litmus_register_parse(name, &number, &size);
}

static void
take_text(Words *words, Word *word, size_t length)
{
    size_t kept = MIN(length, NAME_BYTES_MAX);

    memcpy(word->text, words->at, kept);
    word->text[kept] = '\0';
    words->at += length;
}

/* "( x )": a location alone; false leaves everything as it was. */
static bool
take_direct(Words *words, Word *word)
{
    const char *start = words->at, *name = start + 1;
    size_t length;

    while (*name == ' ' || *name == '\t')
        name++;
    length = name_length(name);
    words->at = name;
    if (length > 0 && length <= NAME_BYTES_MAX) {
        take_text(words, word, length);
        while (*words->at == ' ' || *words->at == '\t')
            words->at++;
        if (*words->at == ')' && !is_bare_register(words, word->text)) {
            words->at++;
            return true;
        }
    }
    words->at = start;
    return false;
}

static void
classify_name(Words *words, Word *word)
{
    if (!words->has_mnemonic && is_prefix(word->text)) {
        word->kind = WORD_PREFIX;
    } else if (!words->has_mnemonic) {
        word->kind = WORD_MNEMONIC;
        words->has_mnemonic = true;
        words->is_jump = is_jump(word->text);
    } else if (is_bare_register(words, word->text)) {
        word->kind = WORD_REGISTER;
    } else {
        word->kind = WORD_NAME;
        word->is_target = words->is_jump && !words->is_indirect;
    }
}

static void
take_word(Words *words, Word *word)
{
    size_t length = name_length(words->at);

    if (*words->at == '\0') {
        word->kind = WORD_END;
    } else if (*words->at == '%') {
        words->at++;
        word->kind = WORD_REGISTER;
        for (length = 0; is_name_byte(words->at[length]); length++)
            continue;
        take_text(words, word, length);
    } else if (*words->at == '(' && words->has_mnemonic &&
               take_direct(words, word)) {
        word->kind = WORD_DIRECT;
        word->is_after_operand =
            words->last == WORD_NUMBER || words->last == WORD_NAME;
    } else if (length > 0) {
        take_text(words, word, length);
        classify_name(words, word);
    } else if (g_ascii_isdigit(*words->at)) {
        for (length = 0; is_name_byte(words->at[length]); length++)
            continue;
        take_text(words, word, length);
        word->kind = WORD_NUMBER;
    } else {
        words->is_indirect |= *words->at == '*';
        take_text(words, word, 1);
        word->kind = WORD_OTHER;
    }
}

static WordKind
next_word(Words *words, Word *word)
{
    *word = (Word){.kind = WORD_END};
    while (*words->at == ' ' || *words->at == '\t')
        words->at++;
    take_word(words, word);
    words->last = word->kind;
    return word->kind;
}

static bool
is_label(const LitmusLine *line)
{
    return g_str_has_suffix(line->text, ":");
}

static bool
has_label(const Litmus *litmus, unsigned thread, const char *name)
{
    const GPtrArray *labels = litmus->threads[thread].labels;

    for (guint i = 0; i < labels->len; i++)
        if (strcmp(labels->pdata[i], name) == 0)
            return true;
    return false;
}

static bool
check_bytes(const Litmus *litmus, const char *text, unsigned line,
            GError **error)
{
    size_t run = 0;

    if (strlen(text) > LITMUS_CELL_BYTES_MAX)
        return litmus_lex_fail_at(litmus->path, line, error,
                                  "an instruction of more than %u bytes",
                                  LITMUS_CELL_BYTES_MAX);
    for (const char *at = text; *at != '\0'; at++) {
        if (!is_name_byte(*at) && strchr("$%(),*:+- \t", *at) == NULL) {
            if (g_ascii_isgraph(*at))
                return litmus_lex_fail_at(litmus->path, line, error,
                                          "'%c' has no place in an "
                                          "instruction", *at);
            return litmus_lex_fail_at(litmus->path, line, error,
                                      "byte 0x%02x has no place in an "
                                      "instruction: is a ';' missing?",
                                      (unsigned char)*at);
        }
        run = is_name_byte(*at) ? run + 1 : 0;
        if (run > NAME_BYTES_MAX)
            return litmus_lex_fail_at(litmus->path, line, error,
                                      "a name of more than %u bytes",
                                      NAME_BYTES_MAX);
    }
    return true;
}

static void
add_line(Litmus *litmus, unsigned thread, char *text, unsigned number)
{
    LitmusLine *line = g_new0(LitmusLine, 1);

    line->text = text;
    line->line = number;
    g_ptr_array_add(litmus->threads[thread].lines, line);
}

static bool
add_label(Litmus *litmus, unsigned thread, const char *name, unsigned line,
          GError **error)
{
    GPtrArray *labels = litmus->threads[thread].labels;

    if (has_label(litmus, thread, name))
        return litmus_lex_fail_at(litmus->path, line, error,
                                  "thread %u has two labels '%s'", thread,
                                  name);
    if (labels->len == LITMUS_LABELS_MAX)
        return litmus_lex_fail_at(litmus->path, line, error,
                                  "thread %u has more than %u labels", thread,
                                  LITMUS_LABELS_MAX);
    g_ptr_array_add(labels, g_strdup(name));
    add_line(litmus, thread, g_strdup_printf("%s:", name), line);
    return true;
}

bool
litmus_cell_add(Litmus *litmus, unsigned thread, const char *text,
                unsigned line, GError **error)
{
    if (!check_bytes(litmus, text, line, error))
        return false;
    for (;;) {
        size_t length = name_length(text);
        size_t colon = length + strspn(text + length, " \t");
        g_autofree char *name = g_strndup(text, length);

        if (length == 0 || text[colon] != ':')
            break;
        if (!add_label(litmus, thread, name, line, error))
            return false;
        text += colon + 1;
        text += strspn(text, " \t");
    }
    if (*text == '\0')
        return true;
    if (!g_ascii_isalpha(*text))
        return litmus_lex_fail_at(litmus->path, line, error,
                                  "an instruction does not begin with '%c'",
                                  *text);
    if (strchr(text, ':') != NULL && strchr(text, '%') == NULL)
        return litmus_lex_fail_at(litmus->path, line, error,
                                  "':' has no place behind '%.*s'",
                                  (int)name_length(text), text);
    add_line(litmus, thread, g_strdup(text), line);
    return true;
}

bool
litmus_cell_declare(Litmus *litmus, unsigned thread, const LitmusLine *line,
                    GError **error)
{
    Words words = {.litmus = litmus, .at = line->text};
    Word word;

    if (is_label(line))
        return true;
    while (next_word(&words, &word) != WORD_END) {
        if (word.kind != WORD_DIRECT ||
            has_label(litmus, thread, word.text) ||
            litmus_lookup_location(litmus, word.text) >= 0)
            continue;
        if (litmus_add_location(litmus, word.text) < 0)
            return litmus_lex_fail_at(litmus->path, line->line, error,
                                      "more than %u locations",
                                      LITMUS_LOCATIONS_MAX);
    }
    return true;
}

static bool
is_rip(const char *name)
{
    return g_ascii_strcasecmp(name, "rip") == 0 ||
           g_ascii_strcasecmp(name, "eip") == 0;
}

bool
litmus_cell_check(const Litmus *litmus, unsigned thread,
                  const LitmusLine *line, GError **error)
{
    Words words = {.litmus = litmus, .at = line->text};
    bool has_location = false, has_rip = false;
    Word word;

    if (is_label(line))
        return true;
    while (next_word(&words, &word) != WORD_END) {
        has_rip |= word.kind == WORD_REGISTER && is_rip(word.text);
        has_location |= (word.kind == WORD_NAME || word.kind == WORD_DIRECT) &&
                        !word.is_target &&
                        litmus_lookup_location(litmus, word.text) >= 0;
        if (word.kind != WORD_NAME || has_label(litmus, thread, word.text))
            continue;
        if (word.is_target)
            return litmus_lex_fail_at(litmus->path, line->line, error,
                                      "thread %u has no label '%s'", thread,
                                      word.text);
        if (litmus_lookup_location(litmus, word.text) < 0)
            return litmus_lex_fail_at(litmus->path, line->line, error,
                                      "'%s' is no location, register or label",
                                      word.text);
    }
    /* `as` would take the absolute address for the displacement. */
    if (has_location && has_rip)
        return litmus_lex_fail_at(litmus->path, line->line, error,
                                  "a location is not addressed by %%rip: "
                                  "write (x)");
    if (!words.has_mnemonic)
        return litmus_lex_fail_at(litmus->path, line->line, error,
                                  "'%s' has no instruction behind it",
                                  line->text);
    return true;
}

/* In a jump a label comes first, elsewhere a location. */
static void
rewrite_name(const Litmus *litmus, unsigned thread, const Word *word,
             GString *out)
{
    bool is_location = litmus_lookup_location(litmus, word->text) >= 0;

    if (is_location && !word->is_target)
        g_string_append_printf(out, "%sheddle_x_%s",
                               word->is_after_operand ? "+" : "", word->text);
    else
        g_string_append_printf(out, "heddle_P%u_%s", thread, word->text);
}

static void
rewrite_word(const Litmus *litmus, unsigned thread, const Word *word,
             GString *out)
{
    g_autofree char *lower = g_ascii_strdown(word->text, -1);

    /* Blanks were skipped, but two words must stay two. */
    if (out->len > 0 && is_name_byte(out->str[out->len - 1]) &&
        is_name_byte(word->text[0]))
        g_string_append_c(out, ' ');
    switch (word->kind) {
    case WORD_PREFIX:
    case WORD_MNEMONIC:
        g_string_append_printf(out, "%s ", lower);
        return;
    case WORD_REGISTER:
        g_string_append_printf(out, "%%%s", lower);
        return;
    case WORD_NAME:
    case WORD_DIRECT:
        rewrite_name(litmus, thread, word, out);
        return;
    case WORD_NUMBER:
    case WORD_OTHER:
    case WORD_END:
        g_string_append(out, word->text);
        return;
    }
    BUG("word of kind %d", (int)word->kind);
}

/* An operand that begins here is a lone number: herd means the number, `as`
 * would mean the memory there. */
static bool
begins_number(const char *at)
{
    at += strspn(at, " \t");
    at += *at == '-';
    if (!g_ascii_isdigit(*at))
        return false;
    while (is_name_byte(*at))
        at++;
    at += strspn(at, " \t");
    return *at == ',' || *at == '\0';
}

/* herd's tests end a thread with `ret`, as compilers do; a thread that was
 * given a stack means what it says. */
static bool
ends_thread(const Litmus *litmus, unsigned thread, const char *text)
{
    unsigned number, size;

    INVARIANT(litmus_register_parse("rsp", &number, &size));
    return (litmus->threads[thread].registers_set >> number & 1) == 0 &&
           (g_ascii_strcasecmp(text, "ret") == 0 ||
            g_ascii_strcasecmp(text, "retq") == 0);
}

void
litmus_cell_rewrite(const Litmus *litmus, unsigned thread,
                    const LitmusLine *line, GString *out)
{
    Words words = {.litmus = litmus, .at = line->text};
    Word word;

    if (is_label(line)) {
        g_string_append_printf(out, "heddle_P%u_%s\n", thread, line->text);
        return;
    }
    if (ends_thread(litmus, thread, line->text)) {
        g_string_append_printf(out, "jmp heddle_end%u\n", thread);
        return;
    }
    while (next_word(&words, &word) != WORD_END) {
        rewrite_word(litmus, thread, &word, out);
        if (!words.is_jump &&
            (word.kind == WORD_MNEMONIC || word.text[0] == ',') &&
            begins_number(words.at))
            g_string_append_c(out, '$');
    }
    g_string_append_c(out, '\n');
}
