/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and sizes in XML, in the units that libvirt knows. */
#include "config.h"

#include "domxml/document-private.h"

#include <string.h>

/* Bytes in one @unit as libvirt names them; 0 for an unknown one. */
static uint64_t
unit_bytes(const char *unit)
{
    static const struct {
        const char *name;
        uint64_t bytes;
    } units[] = {
        { "b", 1 },
        { "bytes", 1 },
        { "KB", 1000 },
        { "k", UINT64_C(1) << 10 },
        { "KiB", UINT64_C(1) << 10 },
        { "MB", 1000000 },
        { "M", UINT64_C(1) << 20 },
        { "MiB", UINT64_C(1) << 20 },
        { "GB", 1000000000 },
        { "G", UINT64_C(1) << 30 },
        { "GiB", UINT64_C(1) << 30 },
        { "TB", UINT64_C(1000000000000) },
        { "T", UINT64_C(1) << 40 },
        { "TiB", UINT64_C(1) << 40 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (strcmp(units[i].name, unit) == 0) {
            return units[i].bytes;
        }
    }
    return 0;
}

bool
fsn_node_number(const xmlNode *node, uint64_t min, uint64_t max, uint64_t *out_value)
{
    g_autofree char *text = fsn_node_text(node);

    return text &&
           g_ascii_string_to_unsigned(g_strstrip(text), 10, min, max, out_value, NULL);
}

bool
fsn_node_bytes(const xmlNode *node, uint64_t min, uint64_t *out_bytes)
{
    g_autofree char *unit = fsn_node_attribute(node, "unit");
    uint64_t scale = unit_bytes(unit ? unit : "KiB");
    uint64_t value;

    return scale > 0 && fsn_node_number(node, min, UINT64_MAX, &value) &&
           g_uint64_checked_mul(out_bytes, value, scale);
}
