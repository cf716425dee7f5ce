/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"

#include "campaign/campaign_wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct Head {
    uint32_t length; /* of what follows the head */
    uint32_t kind;
} Head;

#define READ_BYTES 65536u

static const char *const types[CAMPAIGN_WIRE_KINDS] = {
    [CAMPAIGN_WIRE_RUN] = CAMPAIGN_WIRE_RUN_TYPE,
    [CAMPAIGN_WIRE_STATE] = CAMPAIGN_WIRE_STATE_TYPE,
    [CAMPAIGN_WIRE_KNOWN] = CAMPAIGN_WIRE_KNOWN_TYPE,
    [CAMPAIGN_WIRE_SHRINK] = CAMPAIGN_WIRE_SHRINK_TYPE,
    [CAMPAIGN_WIRE_RAN] = CAMPAIGN_WIRE_RAN_TYPE,
    [CAMPAIGN_WIRE_SHRUNK] = CAMPAIGN_WIRE_SHRUNK_TYPE,
    [CAMPAIGN_WIRE_UNSHRUNK] = CAMPAIGN_WIRE_UNSHRUNK_TYPE,
    [CAMPAIGN_WIRE_FAILED] = CAMPAIGN_WIRE_FAILED_TYPE,
};

static bool
write_all(int fd, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    while (size > 0) {
        ssize_t written = send(fd, at, size, MSG_NOSIGNAL);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        at += written;
        size -= (size_t)written;
    }
    return true;
}

void
campaign_wire_pack(GByteArray *out, CampaignWireKind kind, GVariant *value)
{
    gsize size = g_variant_get_size(value);
    Head head = {.length = (uint32_t)size, .kind = (uint32_t)kind};

    g_variant_ref_sink(value);
    INVARIANT(g_variant_is_of_type(value, G_VARIANT_TYPE(types[kind])));
    INVARIANT(size <= G_MAXINT32);
    g_byte_array_append(out, (const guint8 *)&head, sizeof head);
    g_byte_array_append(out, g_variant_get_data(value), (guint)size);
    g_variant_unref(value);
}

bool
campaign_wire_send(int fd, CampaignWireKind kind, GVariant *value)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    campaign_wire_pack(out, kind, value);
    return write_all(fd, out->data, out->len);
}

void
campaign_wire_init(CampaignWire *wire, int fd)
{
    wire->fd = fd;
    wire->bytes = g_byte_array_new();
}

void
campaign_wire_clear(CampaignWire *wire)
{
    if (wire->bytes == NULL)
        return;
    close(wire->fd);
    g_clear_pointer(&wire->bytes, g_byte_array_unref);
}

bool
campaign_wire_fill(CampaignWire *wire)
{
    guint had = wire->bytes->len;
    ssize_t got;

    g_byte_array_set_size(wire->bytes, had + READ_BYTES);
    do
        got = read(wire->fd, wire->bytes->data + had, READ_BYTES);
    while (got < 0 && errno == EINTR);
    g_byte_array_set_size(wire->bytes, had + (guint)MAX(got, 0));
    return got > 0;
}

GVariant *
campaign_wire_next(CampaignWire *wire, CampaignWireKind *kind)
{
    g_autoptr(GBytes) bytes = NULL;
    GVariant *value;
    Head head;

    if (wire->bytes->len < sizeof head)
        return NULL;
    memcpy(&head, wire->bytes->data, sizeof head);
    if (wire->bytes->len - sizeof head < head.length)
        return NULL;
    INVARIANT(head.kind < CAMPAIGN_WIRE_KINDS);
    *kind = (CampaignWireKind)head.kind;
    bytes = g_bytes_new(wire->bytes->data + sizeof head, head.length);
    value = g_variant_new_from_bytes(G_VARIANT_TYPE(types[*kind]), bytes,
                                     true);
    g_byte_array_remove_range(wire->bytes, 0,
                              (guint)sizeof head + head.length);
    return g_variant_ref_sink(value);
}
