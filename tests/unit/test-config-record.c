/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/config-record.c: what is written is read back; what no writer makes is refused by
 * name, for libvirt is given what was read. */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "cycle/config-record.h"

#include <string.h>

static void
add(FsnConfigRecord *record, FsnDependencyKind kind, const char *name, const char *xml)
{
    FsnDependency *d = g_new0(FsnDependency, 1);

    d->kind = kind;
    d->name = g_strdup(name);
    d->xml = g_strdup(xml);
    d->active = kind == FSN_DEPENDENCY_NETWORK;
    d->persistent = true;
    g_ptr_array_add(record->things, d);
}

static FsnConfigRecord *
example(void)
{
    FsnConfigRecord *record = fsn_config_record_new();

    add(record, FSN_DEPENDENCY_FILTER, "clean", "<filter name='clean'/>");
    add(record, FSN_DEPENDENCY_NETWORK, "iso", "<network><name>iso</name></network>");
    add(record, FSN_DEPENDENCY_POOL, "images",
        "<pool type='dir'><name>images</name></pool>");
    g_ptr_array_add(record->missing, g_strdup("network 'gone'"));
    json_object_set_array_member(record->facts, "leases", json_array_new());
    return record;
}

static void
test_round_trip(void)
{
    g_autoptr(FsnConfigRecord) in = example();
    g_autoptr(GBytes) bytes = fsn_config_record_bytes(in);
    g_autoptr(JsonObject) reference = fsn_config_record_reference(in, "aa");
    g_autoptr(GError) error = NULL;
    g_autoptr(FsnConfigRecord) out = fsn_config_record_parse(bytes, &error);
    g_autofree char *text = fsn_json_to_text(reference, false);

    g_assert_no_error(error);
    g_assert_cmpuint(out->things->len, ==, 3);
    for (guint i = 0; i < 3; i++) {
        const FsnDependency *a = in->things->pdata[i];
        const FsnDependency *b = out->things->pdata[i];

        g_assert_cmpint(a->kind, ==, b->kind);
        g_assert_cmpstr(a->name, ==, b->name);
        g_assert_cmpstr(a->xml, ==, b->xml);
        g_assert_cmpint(a->active, ==, b->active);
        g_assert_cmpint(a->autostart, ==, b->autostart);
        g_assert_cmpint(a->persistent, ==, b->persistent);
    }
    g_assert_true(json_object_has_member(out->facts, "leases"));
    g_assert_cmpstr(text, ==,
                    "{\"object\":\"aa\",\"filters\":[\"clean\"],\"networks\":[\"iso\"],"
                    "\"pools\":[\"images\"],\"missing\":[\"network 'gone'\"]}");
}

#define OBJECT(needs) "{\"version\":1,\"needs\":[" needs "],\"facts\":{}}"
#define NEED(kind, name, xml) \
    "{\"kind\":\"" kind "\",\"name\":\"" name "\",\"xml\":\"" xml "\"}"
#define ISO NEED("network", "iso", "<network><name>iso</name></network>")

static void
test_refused(void)
{
    static const struct {
        const char *text;
        const char *why;
    } bad[] = {
        { "", "configuration" },
        { "{\"version\":2,\"needs\":[],\"facts\":{}}", "version" },
        { "{\"version\":1,\"facts\":{}}", "needs" },
        { "{\"version\":1,\"needs\":[]}", "facts" },
        { OBJECT("3"), "" },
        { OBJECT(NEED("domain", "a", "<domain/>")), "kind of dependency" },
        { OBJECT(NEED("network", "iso", "<network><name>other</name></network>")),
          "another name" },
        { OBJECT(NEED("network", "iso", "<pool><name>iso</name></pool>")),
          "root is not <network>" },
        { OBJECT(NEED("filter", "a", "<filter name='b'/>")), "another name" },
        { OBJECT(NEED("pool", "p", "<!DOCTYPE x><pool><name>p</name></pool>")),
          "document type" },
        { OBJECT(NEED("pool", "p", "no XML")), "pool 'p'" },
        { OBJECT(NEED("network", "", "<network><name></name></network>")), "empty" },
        { OBJECT(ISO "," ISO), "there twice" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GBytes) bytes = g_bytes_new_static(bad[i].text, strlen(bad[i].text));
        g_autoptr(GError) error = NULL;
        g_autoptr(FsnConfigRecord) record = fsn_config_record_parse(bytes, &error);

        g_assert_null(record);
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        if (!strstr(error->message, bad[i].why)) {
            g_error("case %zu: %s", i, error->message);
        }
    }
}

/* Every truncation and every flipped byte is refused or read, and never more than that. */
static void
test_damaged(void)
{
    g_autoptr(FsnConfigRecord) in = example();
    g_autoptr(GBytes) bytes = fsn_config_record_bytes(in);
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);

    for (gsize i = 0; i < len; i++) {
        g_autofree char *copy = g_memdup2(data, len);
        g_autoptr(GBytes) shorter = g_bytes_new_static(data, i);
        g_autoptr(GBytes) other = NULL;
        g_autoptr(FsnConfigRecord) none = fsn_config_record_parse(shorter, NULL);
        g_autoptr(FsnConfigRecord) some = NULL;

        g_assert_null(none);
        copy[i] = (char)(copy[i] ^ 0x10);
        other = g_bytes_new_static(copy, len);
        some = fsn_config_record_parse(other, NULL);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config-record/round-trip", test_round_trip);
    g_test_add_func("/config-record/refused", test_refused);
    g_test_add_func("/config-record/damaged", test_damaged);
    return g_test_run();
}
