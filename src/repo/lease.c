/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leases of writers: what keeps garbage collection off objects that no manifest names yet.
 * They are a courtesy: that no snapshot loses an object rests on the checks at commit
 * (manifests.c), not on clocks or on a lease being renewed in time. So a lease need not
 * survive a power cut, as its writer does not either.
 */
#include "config.h"

#include "repo/lease.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct FsnLease {
    FsnBlobStore *store; /* borrowed */
    FsnId id;
    char *key;
    GMutex lock;
    GCond stop;
    bool stopping;     /* this and the rest are guarded by lock */
    GPtrArray *needed; /* "FOLDER/HEX" */
    int64_t counter;
    GThread *thread;
};

static char *
boot_id(void)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents("/proc/sys/kernel/random/boot_id", &text, NULL, NULL)) {
        return g_strdup("unknown");
    }
    return g_strdup(g_strstrip(text));
}

/* The number of this process's pid name space. */
static int64_t
pid_space(void)
{
    struct stat st;

    return stat("/proc/self/ns/pid", &st) == 0 ? (int64_t)st.st_ino : 0;
}

/* When process @pid started, in ticks since boot; 0 if there is none. */
static int64_t
start_time(int64_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%" G_GINT64_FORMAT "/stat", pid);
    g_autofree char *text = NULL;
    g_auto(GStrv) words = NULL;
    const char *end;

    if (!g_file_get_contents(path, &text, NULL, NULL) || !(end = strrchr(text, ')'))) {
        return 0;
    }
    /* Field 22 of the line; the first after the name in brackets is field 3. */
    words = g_strsplit(end + 1, " ", 22);
    return g_strv_length(words) > 20 ? g_ascii_strtoll(words[20], NULL, 10) : 0;
}

/* Called with the lock held. */
static bool
write_lease(FsnLease *lease, GError **error)
{
    g_autoptr(JsonObject) object = json_object_new();
    JsonArray *needed = json_array_new();
    g_autofree char *boot = boot_id();
    g_autofree char *text = NULL;

    for (guint i = 0; i < lease->needed->len; i++) {
        json_array_add_string_element(needed, g_ptr_array_index(lease->needed, i));
    }
    json_object_set_string_member(object, "host", g_get_host_name());
    json_object_set_string_member(object, "boot", boot);
    json_object_set_int_member(object, "pid_space", pid_space());
    json_object_set_int_member(object, "pid", getpid());
    json_object_set_int_member(object, "started", start_time(getpid()));
    json_object_set_int_member(object, "counter", ++lease->counter);
    json_object_set_array_member(object, "needed", needed);
    text = fsn_json_to_text(object, false);
    return fsn_blob_put(lease->store, lease->key, text, strlen(text), FSN_BLOB_VOLATILE,
                        error);
}

static gpointer
renew_thread(gpointer data)
{
    FsnLease *lease = data;

    g_mutex_lock(&lease->lock);
    while (!lease->stopping) {
        int64_t until = g_get_monotonic_time() + FSN_LEASE_RENEW_US;

        if (!g_cond_wait_until(&lease->stop, &lease->lock, until) && !lease->stopping) {
            (void)write_lease(lease, NULL); /* the commit checks everything anyway */
        }
    }
    g_mutex_unlock(&lease->lock);
    return NULL;
}

FsnLease *
fsn_lease_new(FsnBlobStore *store, GError **error)
{
    g_autoptr(FsnLease) lease = g_new0(FsnLease, 1);
    g_autofree char *hex = NULL;

    lease->store = store;
    lease->id = fsn_id_new();
    hex = fsn_id_to_string(&lease->id);
    lease->key = g_strconcat("leases/", hex, NULL);
    lease->needed = g_ptr_array_new_with_free_func(g_free);
    g_mutex_init(&lease->lock);
    g_cond_init(&lease->stop);
    if (!write_lease(lease, error)) {
        return NULL;
    }
    lease->thread = g_thread_new("lease", renew_thread, lease);
    return g_steal_pointer(&lease);
}

void
fsn_lease_free(FsnLease *lease)
{
    if (!lease) {
        return;
    }
    if (lease->thread) {
        g_mutex_lock(&lease->lock);
        lease->stopping = true;
        g_cond_signal(&lease->stop);
        g_mutex_unlock(&lease->lock);
        g_thread_join(lease->thread);
    }
    (void)fsn_blob_remove(lease->store, lease->key, false, NULL); /* else it is dead */
    g_ptr_array_unref(lease->needed);
    g_mutex_clear(&lease->lock);
    g_cond_clear(&lease->stop);
    g_free(lease->key);
    g_free(lease);
}

FsnId
fsn_lease_id(FsnLease *lease)
{
    return lease->id;
}

bool
fsn_lease_add(FsnLease *lease, const char *folder, const char *hex, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lease->lock);

    g_ptr_array_add(lease->needed, g_strdup_printf("%s/%s", folder, hex));
    return write_lease(lease, error);
}

FsnLeaseLife
fsn_lease_life(JsonObject *lease)
{
    g_autofree char *boot = boot_id();
    int64_t started = fsn_json_peek_int(lease, "started", 0);
    bool here = strcmp(fsn_json_peek_string(lease, "boot", ""), boot) == 0;

    if (!here || fsn_json_peek_int(lease, "pid_space", 0) != pid_space()) {
        return FSN_LEASE_UNKNOWN;
    }
    return started != 0 && start_time(fsn_json_peek_int(lease, "pid", 0)) == started
               ? FSN_LEASE_ALIVE
               : FSN_LEASE_DEAD;
}
