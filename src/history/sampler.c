/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sampler: what lies between two looks at a domain. Its lock is a file beside the history,
 * which stays: removing it would let two processes hold "the" lock of two different files.
 */
#include "config.h"

#include "history/sampler.h"

#include "base/error.h"
#include "base/json.h"
#include "metrics/rates.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SAVE_US     FSN_HISTORY_FINE_US
#define MAX_READING ((size_t)1 << 20)

struct FsnSampler {
    FsnHistory *history;
    int lock_fd;
    GHashTable *last;  /* UUID → FsnReading */
    GHashTable *extra; /* UUID → GArray of FsnMetricValue */
    int64_t saved_us;  /* real time */
};

static bool
take_lock(const char *path, int *out_fd, GError **error)
{
    g_autofree char *name = g_strconcat(path, ".sampler", NULL);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot open the lock '%s'", name);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int errnum = errno;

        close(fd);
        if (errnum != EWOULDBLOCK) {
            return fsn_set_errno(error, errnum, "cannot lock '%s'", name);
        }
        g_set_error(error, FSN_ERROR, FSN_ERROR_BUSY,
                    "another foresnap samples into the history '%s'", path);
        return false;
    }
    *out_fd = fd;
    return true;
}

FsnSampler *
fsn_sampler_new(FsnHistory *history, const char *path, GError **error)
{
    FsnSampler *sampler;
    int fd = -1;

    if (!take_lock(path, &fd, error)) {
        return NULL;
    }
    sampler = g_new0(FsnSampler, 1);
    sampler->history = history;
    sampler->lock_fd = fd;
    sampler->last = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                          (GDestroyNotify)fsn_reading_free);
    sampler->extra = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                           (GDestroyNotify)g_array_unref);
    return sampler;
}

void
fsn_sampler_free(FsnSampler *sampler)
{
    if (!sampler) {
        return;
    }
    g_hash_table_unref(sampler->last);
    g_hash_table_unref(sampler->extra);
    close(sampler->lock_fd);
    g_free(sampler);
}

void
fsn_sampler_add(FsnSampler *sampler, const char *uuid, const FsnMetricValue *value)
{
    GArray *values = g_hash_table_lookup(sampler->extra, uuid);

    if (!values) {
        values = g_array_new(FALSE, FALSE, sizeof(FsnMetricValue));
        g_hash_table_insert(sampler->extra, g_strdup(uuid), values);
    }
    g_array_append_vals(values, value, 1);
}

/* The reading that an earlier run has left; NULL if there is none that can be used. */
static bool
load_reading(FsnSampler *sampler,
             const char *uuid,
             FsnReading **out_reading,
             GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(JsonObject) object = NULL;

    *out_reading = NULL;
    if (!fsn_history_get_reading(sampler->history, uuid, &text, error)) {
        return false;
    }
    /* A damaged one costs one rate. */
    if (text && fsn_json_parse_object(text, strlen(text), MAX_READING, "a reading",
                                      &object, NULL)) {
        *out_reading = fsn_reading_from_json(object, NULL);
    }
    return true;
}

/* The reading of the same domain before @now, borrowed. */
static bool
find_last(FsnSampler *sampler,
          const FsnReading *now,
          const FsnReading **out_last,
          GError **error)
{
    FsnReading *last = g_hash_table_lookup(sampler->last, now->uuid);

    if (!last) {
        if (!load_reading(sampler, now->uuid, &last, error)) {
            return false;
        }
        if (last && strcmp(last->uuid, now->uuid) == 0) {
            g_hash_table_insert(sampler->last, last->uuid, last);
        } else {
            g_clear_pointer(&last, fsn_reading_free);
        }
    }
    *out_last = last;
    return true;
}

/* The values of one domain as one sample; @out_values owns them. */
static bool
make_sample(FsnSampler *sampler,
            const FsnReading *now,
            GArray *out_values,
            FsnHistorySample *out_sample,
            GError **error)
{
    GArray *extra = g_hash_table_lookup(sampler->extra, now->uuid);
    const FsnReading *last;
    int64_t span_us;

    if (!find_last(sampler, now, &last, error)) {
        return false;
    }
    fsn_rates_compute(last, now, out_values, &span_us);
    if (extra) {
        g_array_append_vals(out_values, extra->data, extra->len);
    }
    *out_sample = (FsnHistorySample){ .uuid = now->uuid,
                                      .name = now->name,
                                      .time_us = now->real_us,
                                      .span_us = span_us,
                                      .values = (void *)out_values->data,
                                      .n = out_values->len };
    return true;
}

static void
remember(FsnSampler *sampler, GPtrArray *readings)
{
    while (readings->len > 0) {
        FsnReading *now = g_ptr_array_steal_index_fast(readings, readings->len - 1);

        g_hash_table_replace(sampler->last, now->uuid, now);
    }
    g_hash_table_remove_all(sampler->extra);
}

/* One instant for all: a tick. */
static int64_t
newest(GPtrArray *readings)
{
    int64_t newest_us = 0;

    for (guint i = 0; i < readings->len; i++) {
        newest_us = MAX(newest_us, ((const FsnReading *)readings->pdata[i])->real_us);
    }
    return newest_us;
}

bool
fsn_sampler_feed(FsnSampler *sampler,
                 GPtrArray *readings,
                 size_t *out_values,
                 GError **error)
{
    g_autoptr(GPtrArray) values =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    g_autofree FsnHistorySample *samples = g_new0(FsnHistorySample, readings->len + 1);
    int64_t now_us = newest(readings);
    size_t n = 0;

    for (guint i = 0; i < readings->len; i++) {
        FsnReading *now = readings->pdata[i];
        GArray *own = g_array_sized_new(FALSE, FALSE, sizeof(FsnMetricValue), 32);

        g_ptr_array_add(values, own);
        now->real_us = now_us;
        if (!make_sample(sampler, now, own, &samples[i], error)) {
            return false;
        }
        n += own->len;
    }
    if (!fsn_history_insert(sampler->history, samples, readings->len, now_us, error)) {
        return false;
    }
    remember(sampler, readings);
    if (out_values) {
        *out_values = n;
    }
    if (ABS(now_us - sampler->saved_us) < SAVE_US) {
        return true;
    }
    sampler->saved_us = now_us;
    return fsn_sampler_save(sampler, error);
}

static bool
save_all(FsnSampler *sampler, GError **error)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, sampler->last);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const FsnReading *last = value;
        g_autoptr(JsonObject) object = fsn_reading_to_json(last);
        g_autofree char *text = fsn_json_to_text(object, false);

        if (!fsn_history_put_reading(sampler->history, last->uuid, last->name, text,
                                     error)) {
            return false;
        }
    }
    return true;
}

bool
fsn_sampler_save(FsnSampler *sampler, GError **error)
{
    if (!fsn_history_begin(sampler->history, error)) {
        return false;
    }
    if (!save_all(sampler, error) || !fsn_history_commit(sampler->history, error)) {
        fsn_history_rollback(sampler->history);
        return false;
    }
    return true;
}
