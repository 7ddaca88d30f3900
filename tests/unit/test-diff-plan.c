/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/cycle/diff-plan.c: what corresponds, and to which partition a change belongs. What
 * diff.c does with it is tested with the command, in test-cli-diff.c. */
#include "config.h"

#include "base/error.h"
#include "base/json.h"
#include "cycle/diff-plan.h"

#include <string.h>

#define ROOT_1 "\"11111111111111111111111111111111\""
#define ROOT_2 "\"22222222222222222222222222222222\""

static JsonObject *
parse(const char *text)
{
    JsonObject *object;
    g_autoptr(GError) error = NULL;

    g_assert_true(
        fsn_json_parse_object(text, strlen(text), 65536, "test", &object, &error));
    return object;
}

static FsnDiff *
plan(const char *a, const char *b, bool ranges, GError **error)
{
    g_autoptr(JsonObject) x = parse(a);
    g_autoptr(JsonObject) y = parse(b);

    return fsn_diff_plan(x, y, ranges, error);
}

static void
test_match(void)
{
    g_autoptr(FsnDiff) diff = plan(
        "{\"disks\":[{\"target\":\"vda\",\"image\":" ROOT_1 ",\"size\":8192},"
        "{\"target\":\"vdb\"},{\"target\":\"vdc\",\"image\":" ROOT_1 ",\"size\":1}]}",
        "{\"disks\":[{\"target\":\"vdd\",\"image\":" ROOT_2 ",\"size\":1},"
        "{\"target\":\"vdb\",\"image\":" ROOT_2 ",\"size\":1},"
        "{\"target\":\"vda\",\"image\":" ROOT_2 ",\"size\":4096}]}",
        false, NULL);

    const struct {
        const char *target;
        FsnDiffMatch match;
    } wanted[] = { { "vda", FSN_DIFF_BOTH },
                   { "vdb", FSN_DIFF_NOT_STORED },
                   { "vdc", FSN_DIFF_ONLY_A },
                   { "vdd", FSN_DIFF_ONLY_B } };

    const FsnDiffDisk *vda;

    g_assert_nonnull(diff);
    g_assert_cmpint(diff->disks->len, ==, G_N_ELEMENTS(wanted));
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        const FsnDiffDisk *disk = g_ptr_array_index(diff->disks, i);

        g_assert_cmpstr(disk->target, ==, wanted[i].target);
        g_assert_cmpint(disk->match, ==, wanted[i].match);
        g_assert_true((fsn_diff_match_reason(disk->match) == NULL) ==
                      (disk->match == FSN_DIFF_BOTH));
    }
    vda = g_ptr_array_index(diff->disks, 0);
    g_assert_cmpstr(vda->image_a, ==, "11111111111111111111111111111111");
    g_assert_cmpstr(vda->image_b, ==, "22222222222222222222222222222222");
    g_assert_cmpint(vda->size_a, ==, 8192);
    g_assert_cmpint(vda->size_b, ==, 4096);
    g_assert_null(vda->ranges);
    g_assert_null(diff->memory);
}

static void
test_memory(void)
{
    const char *none = "{}";
    const char *one = "{\"memory\":{\"image\":" ROOT_1 ",\"blocks\":["
                      "{\"name\":\"pc.ram\",\"length\":4096}]}}";
    const char *same = "{\"memory\":{\"image\":" ROOT_2 ",\"blocks\":["
                       "{\"length\":4096,\"name\":\"pc.ram\"}]}}";
    const char *other = "{\"memory\":{\"image\":" ROOT_2 ",\"blocks\":["
                        "{\"name\":\"pc.ram\",\"length\":8192}]}}";

    const struct {
        const char *a, *b;
        FsnDiffMatch match;
    } cases[] = { { one, same, FSN_DIFF_BOTH },
                  { one, other, FSN_DIFF_OTHER_LAYOUT },
                  { one, none, FSN_DIFF_ONLY_A },
                  { none, one, FSN_DIFF_ONLY_B } };

    g_autoptr(FsnDiff) neither = plan(none, none, false, NULL);

    g_assert_null(neither->memory);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FsnDiff) diff = plan(cases[i].a, cases[i].b, false, NULL);

        g_assert_nonnull(diff->memory);
        g_assert_cmpint(diff->memory->match, ==, cases[i].match);
    }
}

/* Ranges end with the disk, and count for the partitions that they touch. */
static void
test_add(void)
{
    g_autoptr(FsnDiff) diff =
        plan("{\"disks\":[{\"target\":\"vda\",\"image\":" ROOT_1 ",\"size\":40000}]}",
             "{\"disks\":[{\"target\":\"vda\",\"image\":" ROOT_2 ",\"size\":30000,"
             "\"partitions\":[{\"number\":1,\"offset\":4096,\"size\":6144,"
             "\"type\":\"t\",\"name\":\"n\"},"
             "{\"number\":2,\"offset\":10240,\"size\":19760}]}]}",
             true, NULL);
    FsnDiffDisk *disk = g_ptr_array_index(diff->disks, 0);
    const FsnDiffPartition *p1, *p2;
    const FsnDiffRange *last;

    fsn_diff_disk_add(disk, 0, 1);
    fsn_diff_disk_add(disk, 2, 2);
    fsn_diff_disk_add(disk, 9, 1);  /* only the first 3136 bytes of it exist */
    fsn_diff_disk_add(disk, 10, 5); /* none of it does */
    g_assert_cmpint(disk->changed, ==, 4096 + 8192 + 3136);
    g_assert_cmpint(disk->n_ranges, ==, 3);
    g_assert_cmpint(disk->ranges->len, ==, 3);
    last = &g_array_index(disk->ranges, FsnDiffRange, 2);
    g_assert_cmpint(last->offset, ==, 36864);
    g_assert_cmpint(last->length, ==, 3136);
    g_assert_cmpint(disk->partitions->len, ==, 2);
    p1 = g_ptr_array_index(disk->partitions, 0);
    p2 = g_ptr_array_index(disk->partitions, 1);
    g_assert_cmpstr(p1->type, ==, "t");
    g_assert_cmpstr(p1->name, ==, "n");
    g_assert_null(p2->name);
    g_assert_cmpint(p1->changed, ==, 10240 - 8192);
    g_assert_cmpint(p2->changed, ==, 16384 - 10240);
}

static void
test_malformed(void)
{
    const char *bad[] = {
        "{\"disks\":5}",
        "{\"disks\":[5]}",
        "{\"disks\":[{}]}",
        "{\"disks\":[{\"target\":\"vda\",\"image\":5,\"size\":1}]}",
        "{\"disks\":[{\"target\":\"vda\",\"image\":" ROOT_1 "}]}",
        "{\"disks\":[{\"target\":\"vda\",\"image\":" ROOT_1 ",\"size\":-1}]}",
        "{\"disks\":[{\"target\":\"vda\",\"partitions\":7}]}",
        "{\"disks\":[{\"target\":\"vda\",\"partitions\":[7]}]}",
        "{\"disks\":[{\"target\":\"vda\",\"partitions\":[{\"number\":1}]}]}",
    };

    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GError) reverse = NULL;

        g_assert_null(plan(bad[i], "{}", true, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_FORMAT);
        g_assert_null(plan("{}", bad[i], true, &reverse));
        g_assert_error(reverse, FSN_ERROR, FSN_ERROR_FORMAT);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/diff-plan/match", test_match);
    g_test_add_func("/diff-plan/memory", test_memory);
    g_test_add_func("/diff-plan/add", test_add);
    g_test_add_func("/diff-plan/malformed", test_malformed);
    return g_test_run();
}
