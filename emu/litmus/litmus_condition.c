/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "litmus/litmus_condition.h"

void
litmus_proposition_free(LitmusProposition *proposition)
{
    if (proposition == NULL)
        return;
    for (guint i = 0; proposition->parts != NULL && i < proposition->parts->len;
         i++)
        litmus_proposition_free(proposition->parts->pdata[i]);
    if (proposition->parts != NULL)
        g_ptr_array_unref(proposition->parts);
    g_free(proposition->atom.left.name);
    g_free(proposition->atom.right.name);
    g_free(proposition);
}

void
litmus_condition_free(LitmusCondition *condition)
{
    if (condition == NULL)
        return;
    litmus_proposition_free(condition->proposition);
    g_free(condition);
}

static LitmusProposition *
new_proposition(LitmusPropositionKind kind)
{
    LitmusProposition *proposition = g_new0(LitmusProposition, 1);

    proposition->kind = kind;
    if (kind != LITMUS_ATOM)
        proposition->parts = g_ptr_array_new();
    return proposition;
}

LitmusCondition *
litmus_condition_true(void)
{
    LitmusCondition *condition = g_new0(LitmusCondition, 1);

    condition->quantifier = LITMUS_FORALL;
    condition->proposition = new_proposition(LITMUS_AND);
    return condition;
}

/* Behind "THREAD:": a register. */
static bool
parse_register(LitmusLex *lex, const Litmus *litmus, uint64_t thread,
               LitmusItem *item, GError **error)
{
    unsigned number, size;

    litmus_lex_accept(lex, '%');
    if (lex->token != LITMUS_TOKEN_NAME ||
        !litmus_register_parse(lex->name, &number, &size))
        return litmus_lex_fail(lex, error, "a general register");
    if (thread >= litmus->thread_count)
        return litmus_lex_fail_at(lex->path, lex->line, error,
                                  "there is no thread %" PRIu64, thread);
    litmus_item_of_register(litmus, (unsigned)thread, lex->name, item);
    litmus_lex_next(lex);
    return true;
}

/* "[1]" behind an array; 0 for a plain location. */
static bool
parse_element(LitmusLex *lex, const Litmus *litmus, unsigned index,
              unsigned *element, GError **error)
{
    const LitmusLocation *location = litmus->locations->pdata[index];

    *element = 0;
    if (!litmus_lex_accept(lex, '[')) {
        if (location->elements == 1)
            return true;
        return litmus_lex_fail_at(lex->path, lex->line, error,
                                  "%s is an array: name an element of it",
                                  location->name);
    }
    if (lex->token != LITMUS_TOKEN_NUMBER)
        return litmus_lex_fail(lex, error, "the number of an element");
    if (lex->number >= location->elements)
        return litmus_lex_fail_at(lex->path, lex->line, error,
                                  "%s has %u elements", location->name,
                                  location->elements);
    *element = (unsigned)lex->number;
    litmus_lex_next(lex);
    return litmus_lex_expect(lex, ']', error);
}

static bool
parse_location(LitmusLex *lex, const Litmus *litmus, LitmusItem *item,
               GError **error)
{
    unsigned element;
    int index;

    if (lex->token != LITMUS_TOKEN_NAME)
        return litmus_lex_fail(lex, error, "a location or a register");
    index = litmus_lookup_location(litmus, lex->name);
    if (index < 0)
        return litmus_lex_fail_at(lex->path, lex->line, error,
                                  "there is no location '%s' in this test",
                                  lex->name);
    litmus_lex_next(lex);
    if (!parse_element(lex, litmus, (unsigned)index, &element, error))
        return false;
    litmus_item_of_location(litmus, (unsigned)index, element, item);
    return true;
}

/* The number of a thread in "P1:rax", or false. */
static bool
is_thread_name(const LitmusLex *lex, uint64_t *thread)
{
    size_t length = strlen(lex->name);

    if (lex->token != LITMUS_TOKEN_NAME || lex->name[0] != 'P' ||
        *lex->at != ':' || length < 2 || length > 9 ||
        strspn(lex->name + 1, "0123456789") != length - 1)
        return false;
    *thread = g_ascii_strtoull(lex->name + 1, NULL, 10);
    return true;
}

bool
litmus_item_parse(LitmusLex *lex, const Litmus *litmus, LitmusItem *item,
                  GError **error)
{
    uint64_t thread = lex->number;

    if ((lex->token == LITMUS_TOKEN_NUMBER && !lex->is_negative) ||
        is_thread_name(lex, &thread)) {
        litmus_lex_next(lex);
        return litmus_lex_expect(lex, ':', error) &&
               parse_register(lex, litmus, thread, item, error);
    }
    if (litmus_lex_accept(lex, '[')) {
        if (!parse_location(lex, litmus, item, error))
            return false;
        if (litmus_lex_expect(lex, ']', error))
            return true;
        g_clear_pointer(&item->name, g_free);
        return false;
    }
    litmus_lex_accept(lex, '*');
    return parse_location(lex, litmus, item, error);
}

/* What stands right of '='. */
static bool
parse_right(LitmusLex *lex, Litmus *litmus, LitmusAtom *atom, GError **error)
{
    uint64_t thread;

    if (lex->token == LITMUS_TOKEN_NUMBER && *lex->at != ':') {
        atom->kind = LITMUS_RIGHT_NUMBER;
        atom->number = lex->number;
        atom->is_negative = lex->is_negative;
        litmus_lex_next(lex);
        return true;
    }
    atom->kind = lex->token == LITMUS_TOKEN_NUMBER ||
                         litmus_lex_is(lex, '[') || litmus_lex_is(lex, '*') ||
                         is_thread_name(lex, &thread)
                     ? LITMUS_RIGHT_ITEM
                     : LITMUS_RIGHT_ADDRESS;
    litmus_lex_accept(lex, '&');
    if (!litmus_item_parse(lex, litmus, &atom->right, error))
        return false;
    if (atom->kind == LITMUS_RIGHT_ITEM)
        litmus_observe(litmus, &atom->right);
    else
        atom->number = litmus_location_address(litmus, atom->right.number) +
                       (uint64_t)atom->right.element * atom->right.size;
    return true;
}

static LitmusProposition *
parse_atom(LitmusLex *lex, Litmus *litmus, GError **error)
{
    g_autoptr(LitmusProposition) atom = new_proposition(LITMUS_ATOM);
    LitmusProposition *negation;
    bool is_equal;

    if (!litmus_item_parse(lex, litmus, &atom->atom.left, error))
        return NULL;
    litmus_observe(litmus, &atom->atom.left);
    is_equal = lex->token == LITMUS_TOKEN_EQUAL;
    if (!is_equal && lex->token != LITMUS_TOKEN_NOT_EQUAL) {
        litmus_lex_fail(lex, error, "'='");
        return NULL;
    }
    litmus_lex_next(lex);
    if (!parse_right(lex, litmus, &atom->atom, error))
        return NULL;
    if (is_equal)
        return g_steal_pointer(&atom);
    negation = new_proposition(LITMUS_NOT);
    g_ptr_array_add(negation->parts, g_steal_pointer(&atom));
    return negation;
}

static LitmusProposition *parse_or(LitmusLex *lex, Litmus *litmus,
                                   unsigned depth, GError **error);

static LitmusProposition *
parse_unary(LitmusLex *lex, Litmus *litmus, unsigned depth, GError **error)
{
    LitmusProposition *inner, *whole;

    if (depth > LITMUS_NESTING_MAX) {
        litmus_lex_fail_at(lex->path, lex->line, error,
                           "nested deeper than %u", LITMUS_NESTING_MAX);
        return NULL;
    }
    if (litmus_lex_is_name(lex, "true") || litmus_lex_is_name(lex, "false")) {
        whole = new_proposition(lex->name[0] == 't' ? LITMUS_AND : LITMUS_OR);
        litmus_lex_next(lex);
        return whole;
    }
    if (litmus_lex_accept(lex, '(')) {
        inner = parse_or(lex, litmus, depth + 1, error);
        if (inner == NULL || litmus_lex_expect(lex, ')', error))
            return inner;
        litmus_proposition_free(inner);
        return NULL;
    }
    if (!litmus_lex_is(lex, '~') && !litmus_lex_is_name(lex, "not"))
        return parse_atom(lex, litmus, error);
    litmus_lex_next(lex);
    inner = parse_unary(lex, litmus, depth + 1, error);
    if (inner == NULL)
        return NULL;
    whole = new_proposition(LITMUS_NOT);
    g_ptr_array_add(whole->parts, inner);
    return whole;
}

/* `=>` groups to the right. */
static LitmusProposition *
parse_implies(LitmusLex *lex, Litmus *litmus, unsigned depth, GError **error)
{
    g_autoptr(LitmusProposition) left = parse_unary(lex, litmus, depth, error);
    LitmusProposition *right, *whole;

    if (left == NULL || lex->token != LITMUS_TOKEN_IMPLIES)
        return g_steal_pointer(&left);
    litmus_lex_next(lex);
    right = parse_implies(lex, litmus, depth + 1, error);
    if (right == NULL)
        return NULL;
    whole = new_proposition(LITMUS_IMPLIES);
    g_ptr_array_add(whole->parts, g_steal_pointer(&left));
    g_ptr_array_add(whole->parts, right);
    return whole;
}

static LitmusProposition *
parse_list(LitmusLex *lex, Litmus *litmus, LitmusPropositionKind kind,
           unsigned depth, GError **error)
{
    LitmusToken sign = kind == LITMUS_AND ? LITMUS_TOKEN_AND : LITMUS_TOKEN_OR;
    g_autoptr(LitmusProposition) list = NULL;

    for (;;) {
        LitmusProposition *part =
            kind == LITMUS_AND
                ? parse_implies(lex, litmus, depth, error)
                : parse_list(lex, litmus, LITMUS_AND, depth, error);

        if (part == NULL)
            return NULL;
        if (list == NULL && lex->token != sign)
            return part;
        if (list == NULL)
            list = new_proposition(kind);
        g_ptr_array_add(list->parts, part);
        if (lex->token != sign)
            return g_steal_pointer(&list);
        litmus_lex_next(lex);
    }
}

static LitmusProposition *
parse_or(LitmusLex *lex, Litmus *litmus, unsigned depth, GError **error)
{
    return parse_list(lex, litmus, LITMUS_OR, depth, error);
}

LitmusProposition *
litmus_proposition_parse(LitmusLex *lex, Litmus *litmus, GError **error)
{
    return parse_or(lex, litmus, 0, error);
}

void
litmus_proposition_bind(LitmusProposition *proposition, const Litmus *litmus)
{
    LitmusAtom *atom;

    if (proposition == NULL)
        return;
    for (guint i = 0; proposition->parts != NULL && i < proposition->parts->len;
         i++)
        litmus_proposition_bind(proposition->parts->pdata[i], litmus);
    if (proposition->kind != LITMUS_ATOM)
        return;
    atom = &proposition->atom;
    atom->left_at = litmus_find_observed(litmus, &atom->left);
    if (atom->kind == LITMUS_RIGHT_ITEM)
        atom->right_at = litmus_find_observed(litmus, &atom->right);
}

void
litmus_condition_bind(LitmusCondition *condition, const Litmus *litmus)
{
    if (condition != NULL)
        litmus_proposition_bind(condition->proposition, litmus);
}

/* 0xffffffff and -1 both name the bits of a register of four bytes; 256 is
 * nothing that a byte can hold. */
static bool
atom_holds(const LitmusAtom *atom, const int64_t *values)
{
    int64_t left = values[atom->left_at];
    unsigned shift = 64 - 8 * atom->left.size;
    uint64_t bits = (uint64_t)left << shift >> shift;

    switch (atom->kind) {
    case LITMUS_RIGHT_ITEM:
        return left == values[atom->right_at];
    case LITMUS_RIGHT_ADDRESS:
        return bits == atom->number;
    case LITMUS_RIGHT_NUMBER:
        return atom->is_negative
                   ? (int64_t)((uint64_t)left << shift) >> shift ==
                         (int64_t)atom->number
                   : bits == atom->number;
    }
    BUG("atom of kind %d", (int)atom->kind);
}

bool
litmus_proposition_holds(const LitmusProposition *proposition,
                         const int64_t *values)
{
    const GPtrArray *parts = proposition->parts;
    bool end = proposition->kind == LITMUS_OR;

    switch (proposition->kind) {
    case LITMUS_ATOM:
        return atom_holds(&proposition->atom, values);
    case LITMUS_NOT:
        return !litmus_proposition_holds(parts->pdata[0], values);
    case LITMUS_IMPLIES:
        return !litmus_proposition_holds(parts->pdata[0], values) ||
               litmus_proposition_holds(parts->pdata[1], values);
    case LITMUS_AND:
    case LITMUS_OR:
        for (guint i = 0; i < parts->len; i++)
            if (litmus_proposition_holds(parts->pdata[i], values) == end)
                return end;
        return !end;
    }
    BUG("proposition of kind %d", (int)proposition->kind);
}

bool
litmus_condition_validated(const LitmusCondition *condition, uint64_t positive,
                           uint64_t negative)
{
    switch (condition->quantifier) {
    case LITMUS_EXISTS:
        return positive > 0;
    case LITMUS_NOT_EXISTS:
        return positive == 0;
    case LITMUS_FORALL:
        return negative == 0;
    }
    BUG("quantifier %d", (int)condition->quantifier);
}

static void
print_atom(const LitmusAtom *atom, const Litmus *litmus, GString *out)
{
    litmus_item_print(&atom->left, litmus, out);
    g_string_append_c(out, '=');
    if (atom->kind == LITMUS_RIGHT_ITEM)
        litmus_item_print(&atom->right, litmus, out);
    else if (atom->kind == LITMUS_RIGHT_ADDRESS)
        g_string_append(out, atom->right.name);
    else if (atom->is_negative)
        g_string_append_printf(out, "%" PRId64, (int64_t)atom->number);
    else
        g_string_append_printf(out, "%" PRIu64, atom->number);
}

/* herd's rule: inside of /\ the weaker operators need parentheses, inside of
 * \/ only =>, inside of => both lists. */
static bool
needs_parentheses(LitmusPropositionKind above, LitmusPropositionKind here)
{
    switch (above) {
    case LITMUS_AND:
        return here == LITMUS_OR || here == LITMUS_IMPLIES;
    case LITMUS_OR:
        return here == LITMUS_IMPLIES;
    case LITMUS_IMPLIES:
        return here == LITMUS_OR || here == LITMUS_AND;
    case LITMUS_NOT:
    case LITMUS_ATOM:
        return false;
    }
    BUG("proposition of kind %d", (int)above);
}

/* `above` is LITMUS_NOT where parentheses are there already. */
static void
print(const LitmusProposition *proposition, LitmusPropositionKind above,
      const Litmus *litmus, GString *out)
{
    static const char *const between[] = {
        [LITMUS_AND] = " /\\ ",
        [LITMUS_OR] = " \\/ ",
        [LITMUS_IMPLIES] = " => ",
    };
    LitmusPropositionKind kind = proposition->kind;
    bool is_wrapped;

    if (kind == LITMUS_ATOM) {
        print_atom(&proposition->atom, litmus, out);
        return;
    }
    if (proposition->parts->len == 0) {
        g_string_append(out, kind == LITMUS_AND ? "true" : "false");
        return;
    }
    is_wrapped = kind == LITMUS_NOT || needs_parentheses(above, kind);
    g_string_append(out, kind == LITMUS_NOT ? "not (" : is_wrapped ? "(" : "");
    for (guint i = 0; i < proposition->parts->len; i++) {
        if (i > 0)
            g_string_append(out, between[kind]);
        print(proposition->parts->pdata[i], kind, litmus, out);
    }
    g_string_append(out, is_wrapped ? ")" : "");
}

char *
litmus_condition_print(const LitmusCondition *condition, const Litmus *litmus)
{
    static const char *const quantifiers[] = {
        [LITMUS_EXISTS] = "exists (",
        [LITMUS_NOT_EXISTS] = "~exists (",
        [LITMUS_FORALL] = "forall (",
    };
    GString *out = g_string_new(quantifiers[condition->quantifier]);

    print(condition->proposition, LITMUS_NOT, litmus, out);
    g_string_append_c(out, ')');
    return g_string_free(out, FALSE);
}
