/* SPDX-License-Identifier: BSD-2-Clause */
#include "shim/libc.h"
#include "shim/hypercall.h"

void *
memset(void *to, int byte, size_t size)
{
    void *at = to;

    __asm__ __volatile__("rep stosb"
                         : "+D"(at), "+c"(size) : "a"(byte) : "memory");
    return to;
}

void *
memcpy(void *to, const void *from, size_t size)
{
    void *at = to;

    __asm__ __volatile__("rep movsb"
                         : "+D"(at), "+S"(from), "+c"(size) : : "memory");
    return to;
}

struct text {
    char *at, *end;
};

static void
put(struct text *text, char c)
{
    if (text->at < text->end)
        *text->at++ = c;
}

struct conversion {
    unsigned width;
    int left, zero, longs;
};

static void
put_field(struct text *text, const struct conversion *how,
          const char *bytes, unsigned length, int negative)
{
    unsigned used = length + (unsigned)negative;
    unsigned fill = how->width > used ? how->width - used : 0;

    if (negative && how->zero)
        put(text, '-');
    for (; fill > 0 && !how->left; --fill)
        put(text, how->zero ? '0' : ' ');
    if (negative && !how->zero)
        put(text, '-');
    while (length-- > 0)
        put(text, *bytes++);
    for (; fill > 0; --fill)
        put(text, ' ');
}

static void
put_number(struct text *text, const struct conversion *how,
           uint64_t value, unsigned base, int negative)
{
    char digits[20];
    unsigned first = sizeof(digits);

    do {
        digits[--first] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    put_field(text, how, digits + first, sizeof(digits) - first, negative);
}

static const char *
parse(const char *format, struct conversion *how)
{
    *how = (struct conversion){0};
    for (;; ++format) {
        if (*format == '-')
            how->left = 1;
        else if (*format == '0')
            how->zero = 1;
        else if (*format != '#' && *format != '+' && *format != ' ')
            break;
    }
    for (; *format >= '0' && *format <= '9'; ++format)
        how->width = how->width * 10 + (unsigned)(*format - '0');
    for (;; ++format) {
        if (*format == 'l' || *format == 'j' || *format == 'z'
            || *format == 't')
            how->longs = 1;
        else if (*format != 'h')
            return format;
    }
}

size_t
vsnprintf(char *to, size_t size, const char *format, va_list list)
{
    struct text text = {to, to + size - 1};
    struct conversion how;
    const char *string;
    unsigned length;
    int64_t number;
    char c;

    for (; *format != '\0'; ++format) {
        if (*format != '%') {
            put(&text, *format);
            continue;
        }
        format = parse(format + 1, &how);
        switch (*format) {
        case 'd': case 'i':
            number = how.longs ? va_arg(list, int64_t) : va_arg(list, int);
            put_number(&text, &how,
                       number < 0 ? -(uint64_t)number : (uint64_t)number,
                       10, number < 0);
            break;
        case 'u': case 'x':
            put_number(&text, &how,
                       how.longs ? va_arg(list, uint64_t)
                                 : va_arg(list, unsigned),
                       *format == 'u' ? 10 : 16, 0);
            break;
        case 'p':
            put(&text, '0');
            put(&text, 'x');
            put_number(&text, &how, va_arg(list, uint64_t), 16, 0);
            break;
        case 's':
            string = va_arg(list, const char *);
            if (string == NULL)
                string = "(null)";
            for (length = 0; string[length] != '\0'; ++length)
                continue;
            put_field(&text, &how, string, length, 0);
            break;
        case 'c':
            c = (char)va_arg(list, int);
            put_field(&text, &how, &c, 1, 0);
            break;
        case '\0':
            --format;
            break;
        default:
            put(&text, *format);
            break;
        }
    }
    *text.at = '\0';
    return (size_t)(text.at - to);
}

int
kprintf(const char *format, ...)
{
    char line[256];
    va_list list;
    size_t length;

    va_start(list, format);
    length = vsnprintf(line, sizeof(line), format, list);
    va_end(list);
    hypercall(HYPERCALL_CONSOLE, (uintptr_t)line, length);
    return (int)length;
}

void
panic(const char *format, ...)
{
    char line[256];
    va_list list;

    va_start(list, format);
    vsnprintf(line, sizeof(line), format, list);
    va_end(list);
    hypercall(HYPERCALL_PANIC, (uintptr_t)line, 0);
    for (;;)
        __asm__ __volatile__("cli; hlt");
}
