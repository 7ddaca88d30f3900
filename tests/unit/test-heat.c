/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/heat: patterns of writers whose offsets are known, rates, smoothing, partitions. */
#include "config.h"

#include "base/json.h"
#include "heat/heat.h"

#include <string.h>

#define KIB     UINT64_C(1024)
#define MIB     (UINT64_C(1) << 20)
#define GIB     (UINT64_C(1) << 30)
#define GRANULE (64 * KIB)
#define SECOND  ((int64_t)G_USEC_PER_SEC)

/* A disk that is written to, and its bitmap. */
typedef struct {
    uint64_t size;
    uint8_t *dirty;
    FsnHeatCounts counts;
} Disk;

static void
write_at(Disk *d, uint64_t offset, uint64_t length)
{
    for (uint64_t i = offset / GRANULE; i <= (offset + length - 1) / GRANULE; i++) {
        d->dirty[i] = 1;
    }
    d->counts.write_bytes += length;
    d->counts.write_requests++;
}

static void
feed(Disk *d, FsnHeatMap *map)
{
    uint64_t n = d->size / GRANULE;

    for (uint64_t i = 0; i < n;) {
        uint64_t begin = i;

        while (i < n && d->dirty[i]) {
            i++;
        }
        if (i > begin) {
            fsn_heat_map_add(map, begin * GRANULE, (i - begin) * GRANULE);
        }
        i += i == begin;
    }
    memset(d->dirty, 0, n);
    fsn_heat_map_end(map, 10 * SECOND, 1, true, &d->counts);
    d->counts = (FsnHeatCounts){ 0 };
}

static uint64_t
random_offset(const Disk *d)
{
    return (uint64_t)g_test_rand_int_range(0, (gint32)(d->size / 4096)) * 4096;
}

static void
write_random(Disk *d, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        write_at(d, random_offset(d), 4096);
    }
}

static void
write_sequential(Disk *d, uint64_t *at, uint64_t length)
{
    for (uint64_t done = 0; done < length; done += MIB) {
        *at = *at + MIB > d->size ? 0 : *at;
        write_at(d, *at, MIB);
        *at += MIB;
    }
}

/* Windows of each kind, over disks of several sizes and writers of several speeds. */
static void
test_patterns(void)
{
    unsigned right[3] = { 0 };
    unsigned n = 0;

    for (uint64_t size = GIB; size <= 64 * GIB; size *= 4) {
        g_autofree uint8_t *dirty = g_malloc0(size / GRANULE);
        Disk d = { .size = size, .dirty = dirty };
        g_autoptr(FsnHeatMap) map = fsn_heat_map_new("vda", size, GRANULE, 64);
        uint64_t at = 0;

        for (unsigned speed = 1; speed <= 8; speed *= 2) {
            for (unsigned window = 0; window < 3; window++) {
                fsn_heat_map_begin(map);
                write_sequential(&d, &at, 64 * MIB * speed);
                feed(&d, map);
                right[0] += fsn_heat_map_disk(map)->pattern == FSN_HEAT_SEQUENTIAL;
                fsn_heat_map_begin(map);
                write_random(&d, 500 * speed);
                feed(&d, map);
                right[1] += fsn_heat_map_disk(map)->pattern == FSN_HEAT_RANDOM;
                fsn_heat_map_begin(map);
                write_sequential(&d, &at, 64 * MIB * speed);
                write_random(&d, 1000 * speed);
                feed(&d, map);
                right[2] += fsn_heat_map_disk(map)->pattern == FSN_HEAT_MIXED;
                n++;
            }
        }
    }
    g_test_message("of %u windows: sequential %u, random %u, mixed %u", n, right[0],
                   right[1], right[2]);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpuint(right[i] * 20, >=, n * 19);
    }
}

static void
test_few(void)
{
    const FsnHeatRuns few = { .dirty = 3 * GRANULE, .granule = GRANULE };
    const FsnHeatRuns none = { 0 };

    g_assert_cmpint(fsn_heat_classify(&few), ==, FSN_HEAT_UNKNOWN);
    g_assert_cmpint(fsn_heat_classify(&none), ==, FSN_HEAT_UNKNOWN);
}

static void
test_rates(void)
{
    g_autoptr(FsnHeatMap) map = fsn_heat_map_new("vda", 64 * MIB, GRANULE, 64);
    const FsnHeatPart parts[] = { { 1, MIB, 15 * MIB }, { 2, 16 * MIB, 48 * MIB } };
    const FsnHeatCounts counts = { 1000, 10, 3000, 10 };
    g_autoptr(JsonObject) o = NULL;
    JsonArray *list;

    g_assert_cmpuint(fsn_heat_map_n_regions(map), ==, 64);
    g_assert_cmpfloat(fsn_heat_map_disk(map)->bytes_per_s, <, 0);
    fsn_heat_map_set_parts(map, parts, 2);
    fsn_heat_map_begin(map);
    fsn_heat_map_add(map, 2 * MIB, 2 * MIB);
    fsn_heat_map_end(map, 2 * SECOND, 77, true, &counts);
    g_assert_cmpfloat(fsn_heat_map_disk(map)->bytes_per_s, ==, MIB);
    g_assert_cmpfloat(fsn_heat_map_disk(map)->changes_per_s, ==, 16);
    g_assert_cmpfloat(fsn_heat_map_disk(map)->rewritten, <, 0); /* nothing before it */
    g_assert_cmpfloat(fsn_heat_map_last(map, 2), ==, MIB / 2);
    g_assert_cmpfloat(fsn_heat_map_last(map, 4), ==, 0);
    /* The same again, half of it: half of what is dirty was so before … all of it. */
    fsn_heat_map_set_parts(map, parts, 2);
    fsn_heat_map_begin(map);
    fsn_heat_map_add(map, 3 * MIB, 2 * MIB);
    fsn_heat_map_end(map, 2 * SECOND, 78, true, &counts);
    g_assert_cmpfloat(fsn_heat_map_disk(map)->rewritten, ==, 0.5);
    g_assert_cmpfloat(fsn_heat_map_region(map, 3)->rewritten, ==, 1);
    g_assert_cmpint(fsn_heat_map_disk(map)->updated_us, ==, 78);
    o = fsn_heat_map_to_json(map);
    g_assert_cmpint(fsn_json_peek_int(o, "write_bytes_per_s", 0), ==, 1500);
    g_assert_cmpint(fsn_json_peek_int(o, "request_bytes", 0), ==, 200);
    g_assert_cmpfloat(json_object_get_double_member(o, "read_share"), ==, 0.25);
    g_assert_true(fsn_json_get_array(o, "partitions", &list, NULL));
    g_assert_cmpint(json_array_get_length(list), ==, 2);
    g_assert_cmpint(
        fsn_json_peek_int(json_array_get_object_element(list, 0), "bytes_per_s", 0), ==,
        MIB);
    g_assert_cmpint(
        fsn_json_peek_int(json_array_get_object_element(list, 1), "bytes_per_s", -1), ==,
        0);
}

/* Two short rounds count as one long: the weight goes by time. A clock that stands still, and
 * rounds without places, change no rate. */
static void
test_smoothing(void)
{
    g_autoptr(FsnHeatMap) map = fsn_heat_map_new("vda", 64 * MIB, GRANULE, 8);
    double before;

    fsn_heat_map_begin(map);
    fsn_heat_map_add(map, 0, MIB);
    fsn_heat_map_end(map, SECOND, 1, true, NULL);
    for (unsigned i = 0; i < 60; i++) {
        double rate = fsn_heat_map_disk(map)->bytes_per_s;

        fsn_heat_map_begin(map);
        fsn_heat_map_end(map, SECOND, 1, true, NULL);
        g_assert_cmpfloat(fsn_heat_map_disk(map)->bytes_per_s, <, rate);
    }
    before = fsn_heat_map_disk(map)->bytes_per_s;
    g_assert_cmpfloat_with_epsilon(before, MIB * 0.3679, MIB * 0.001);
    fsn_heat_map_begin(map);
    fsn_heat_map_add(map, 0, MIB);
    fsn_heat_map_end(map, 0, 1, true, NULL);
    fsn_heat_map_end(map, -SECOND, 1, true, NULL);
    fsn_heat_map_end(map, SECOND, 5, false, NULL);
    g_assert_cmpfloat(fsn_heat_map_disk(map)->bytes_per_s, ==, before);
    g_assert_cmpint(fsn_heat_map_disk(map)->updated_us, ==, 5);
}

/* Whatever a server says: beyond the end, tiny and huge disks. */
static void
test_limits(void)
{
    static const uint64_t sizes[] = { 0, 1, 65535, 65536, 65537, UINT64_C(1) << 45 };

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(FsnHeatMap) map = fsn_heat_map_new("x", sizes[i], GRANULE, 100000);
        g_autoptr(JsonObject) o = NULL;

        g_assert_cmpuint(fsn_heat_map_n_regions(map), >=, 1);
        g_assert_cmpuint(fsn_heat_map_n_regions(map), <=, FSN_HEAT_MAX_REGIONS);
        fsn_heat_map_begin(map);
        fsn_heat_map_add(map, 0, 1);
        fsn_heat_map_add(map, sizes[i], 100);
        fsn_heat_map_add(map, UINT64_MAX - 5, UINT64_MAX);
        if (sizes[i] > 0) {
            fsn_heat_map_add(map, sizes[i] - 1, UINT64_MAX);
        }
        fsn_heat_map_end(map, SECOND, 1, true, NULL);
        o = fsn_heat_map_to_json(map);
        g_assert_cmpint(fsn_json_peek_int(o, "size", -1), ==, (int64_t)sizes[i]);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/heat/patterns", test_patterns);
    g_test_add_func("/heat/few", test_few);
    g_test_add_func("/heat/rates", test_rates);
    g_test_add_func("/heat/smoothing", test_smoothing);
    g_test_add_func("/heat/limits", test_limits);
    return g_test_run();
}
