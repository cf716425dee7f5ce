/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "guest/gmem.h"

#include <stdlib.h>
#include <sys/mman.h>

static uint8_t *
map_pages(uint64_t size)
{
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (bytes == MAP_FAILED)
        g_error("out of memory: %" PRIu64 " bytes of guest RAM", size);
    return bytes;
}

void
gmem_init(Gmem *gmem, unsigned mib)
{
    uint64_t size = (uint64_t)mib << 20;

    INVARIANT(mib >= 1 && mib <= RAM_MIB_MAX);
    *gmem = (Gmem){
        .bytes = map_pages(size),
        .size = size,
        .line_flags = g_new0(uint8_t, size >> LINE_BITS),
        .dirty = g_new0(uint32_t, size >> LINE_BITS),
    };
}

void
gmem_clear(Gmem *gmem)
{
    if (gmem->bytes != NULL)
        munmap(gmem->bytes, gmem->size);
    if (gmem->base != NULL)
        munmap(gmem->base, gmem->size);
    g_free(gmem->line_flags);
    g_free(gmem->dirty);
    *gmem = (Gmem){0};
}

void
gmem_dirty_line(Gmem *gmem, uint32_t line)
{
    gmem->line_flags[line] |= GMEM_DIRTY;
    gmem->dirty[gmem->dirty_count++] = line;
}

bool
gmem_read(const Gmem *gmem, gva_t address, void *bytes, uint64_t size)
{
    gpa_t physical;

    if (!gmem_translate(gmem, address, size, &physical))
        return false;
    memcpy(bytes, gmem->bytes + physical, size);
    return true;
}

bool
gmem_write(Gmem *gmem, gva_t address, const void *bytes, uint64_t size)
{
    gpa_t physical;

    if (!gmem_translate(gmem, address, size, &physical))
        return false;
    if (size == 0)
        return true;
    gmem_will_write(gmem, physical, size);
    memcpy(gmem->bytes + physical, bytes, size);
    return true;
}

char *
gmem_read_string(const Gmem *gmem, gva_t address, uint64_t most)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char byte;

    for (uint64_t i = 0; i < most; i++) {
        if (!gmem_read(gmem, address + i, &byte, 1))
            return NULL;
        if (byte == '\0')
            break;
        if (!g_ascii_isprint(byte) && byte != '\n' && byte != '\t')
            byte = '?';
        g_string_append_c(text, byte);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

void
gmem_rebase(Gmem *gmem)
{
    Digest digest;

    if (gmem->base == NULL)
        gmem->base = map_pages(gmem->size);
    memcpy(gmem->base, gmem->bytes, gmem->size);
    for (uint32_t i = 0; i < gmem->dirty_count; i++)
        gmem->line_flags[gmem->dirty[i]] &= (uint8_t)~GMEM_DIRTY;
    gmem->dirty_count = 0;

    digest_init(&digest);
    digest_bytes(&digest, gmem->base, gmem->size);
    gmem->base_digest = digest_value(&digest);
}

void
gmem_restore(Gmem *gmem, GmemCodeChanged *code_changed, void *user)
{
    uint32_t next;

    INVARIANT(gmem->base != NULL);
    for (uint32_t i = 0; i < gmem->dirty_count; i = next) {
        uint32_t line = gmem->dirty[i];
        gpa_t physical = (gpa_t)line << LINE_BITS;
        uint8_t flags = 0;

        /* Lines that follow each other are copied at once. */
        for (next = i; next < gmem->dirty_count &&
                       gmem->dirty[next] == line + (next - i);
             next++) {
            flags |= gmem->line_flags[gmem->dirty[next]];
            gmem->line_flags[gmem->dirty[next]] &= (uint8_t)~GMEM_DIRTY;
        }
        memcpy(gmem->bytes + physical, gmem->base + physical,
               (uint64_t)(next - i) << LINE_BITS);
        if (UNLIKELY(flags & GMEM_CODE) && code_changed != NULL)
            code_changed(user, physical, (uint64_t)(next - i) << LINE_BITS);
    }
    gmem->dirty_count = 0;
}

static int
compare_lines(gconstpointer a, gconstpointer b, gpointer unused)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    (void)unused;
    return x < y ? -1 : x > y;
}

/* The order of dirtying is part of the schedule, not of the state, and a line
 * can be dirty and yet equal: so sort, and leave out what did not change. */
void
gmem_digest(const Gmem *gmem, Digest *digest)
{
    g_autofree uint32_t *lines =
        g_memdup2(gmem->dirty, gmem->dirty_count * sizeof *gmem->dirty);

    digest_u64(digest, gmem->base_digest);
    if (gmem->dirty_count == 0)
        return;
    g_qsort_with_data(lines, (int)gmem->dirty_count, sizeof *lines,
                      compare_lines, NULL);
    for (uint32_t i = 0; i < gmem->dirty_count; i++) {
        gpa_t physical = (gpa_t)lines[i] << LINE_BITS;

        if (gmem->base != NULL &&
            memcmp(gmem->bytes + physical, gmem->base + physical,
                   LINE_BYTES) == 0)
            continue;
        digest_u64(digest, lines[i]);
        digest_bytes(digest, gmem->bytes + physical, LINE_BYTES);
    }
}
