/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening an instant of a running domain's disks, showing it and letting it go. In which order
 * this happens beside the guest's memory is snapshot-live.c's business; what is left after
 * a failure is instant-sweep.c's.
 */
#include "config.h"

#include "cycle/instant.h"

#include "base/error.h"
#include "cycle/instant-private.h"
#include "cycle/scratch.h"
#include "qmp/block-export.h"
#include "qmp/commands-block.h"
#include "qmp/commands-status.h"
#include "qmp/jobs.h"
#include "qmp/transaction.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* As libvirt's checkpoints have it: the size of a qcow2 cluster. */
#define GRANULARITY     (64u << 10)
/* What a backup saves at a time: the cluster of the scratch image, and of no less. */
#define COPY_CLUSTER    (64u << 10)
#define NBD_CONNECTIONS 0 /* no limit: the socket is ours alone */
#define NBD_FD          "foresnap-nbd"
#define BACKLOG         16

typedef struct {
    FsnInstantDisk is; /* strings owned */
    char *scratch_node;
    char *filter_node;
    char *access_node;
    bool access; /* access_node is there */
    char *job;
    char *export;
    char *base_bitmap; /* NULL = none */
    char *context;     /* NULL = none */
    bool open;         /* the job may be there */
    int scratch_fd;    /* -1: none */
} Disk;

struct FsnInstant {
    FsnQmp *qmp;
    char *repo;
    char *snapshot;
    GPtrArray *disks; /* of Disk */
};

/* QEMU may keep its descriptor for as long as the guest stands still: the space is given back
 * without it. */
static void
drop_scratch(Disk *d)
{
    if (d->scratch_fd >= 0) {
        if (ftruncate(d->scratch_fd, 0) < 0) {
            g_debug("cannot empty scratch space: %s", g_strerror(errno));
        }
        close(d->scratch_fd);
        d->scratch_fd = -1;
    }
}

static void
disk_free(gpointer data)
{
    Disk *d = data;

    if (d->scratch_fd >= 0) {
        close(d->scratch_fd); /* QEMU may still use it */
    }
    g_free((char *)d->is.target);
    g_free((char *)d->is.node);
    g_free((char *)d->is.base);
    g_free(d->scratch_node);
    g_free(d->filter_node);
    g_free(d->access_node);
    g_free(d->job);
    g_free(d->export);
    g_free(d->base_bitmap);
    g_free(d->context);
    g_free(d);
}

FsnInstant *
fsn_instant_new(FsnQmp *qmp, const char *repo, const char *snapshot)
{
    FsnInstant *self = g_new0(FsnInstant, 1);

    self->qmp = qmp;
    self->repo = g_strdup(repo);
    self->snapshot = g_strdup(snapshot);
    self->disks = g_ptr_array_new_with_free_func(disk_free);
    return self;
}

void
fsn_instant_free(FsnInstant *self)
{
    if (self) {
        g_ptr_array_unref(self->disks);
        g_free(self->repo);
        g_free(self->snapshot);
        g_free(self);
    }
}

char *
fsn_instant_socket(const char *state_dir, const char *uuid)
{
    return g_strdup_printf("%s/%s.nbd", state_dir, uuid);
}

char *
fsn_instant_bitmap(const char *repo, const char *snapshot)
{
    return g_strdup_printf(FSN_INSTANT_BITMAP_PREFIX "%.8s-%s", repo, snapshot);
}

char *
fsn_instant_thing(const char *snapshot, const char *target)
{
    /* A node's name has 31 characters at most. */
    return g_strdup_printf(FSN_INSTANT_PREFIX "%.12s-%.14s", snapshot, target);
}

char *
fsn_instant_part(const char *snapshot, const char *target, const char *part)
{
    return g_strdup_printf(FSN_INSTANT_PREFIX "%.12s-%.7s%s", snapshot, target, part);
}

void
fsn_instant_add(FsnInstant *self, const FsnInstantDisk *disk)
{
    Disk *d = g_new0(Disk, 1);

    d->is = *disk;
    d->scratch_fd = -1;
    d->is.target = g_strdup(disk->target);
    d->is.node = g_strdup(disk->node);
    d->is.base = g_strdup(disk->base);
    d->scratch_node = fsn_instant_thing(self->snapshot, disk->target);
    d->filter_node = fsn_instant_part(self->snapshot, disk->target, FSN_INSTANT_FILTER);
    d->access_node = fsn_instant_part(self->snapshot, disk->target, FSN_INSTANT_ACCESS);
    d->job = g_strdup(d->scratch_node);
    d->export = g_strdup(d->scratch_node);
    if (disk->base) {
        d->base_bitmap = fsn_instant_bitmap(self->repo, disk->base);
        d->context = g_strconcat("qemu:dirty-bitmap:", d->base_bitmap, NULL);
    }
    g_ptr_array_add(self->disks, d);
}

unsigned
fsn_instant_disks(const FsnInstant *self)
{
    return self->disks->len;
}

const char *
fsn_instant_context(const FsnInstant *self, unsigned i)
{
    return ((const Disk *)self->disks->pdata[i])->context;
}

static bool
add_scratch(FsnInstant *self, Disk *d, const char *dir, GError **error)
{
    int64_t set;
    bool ok;
    int fd = fsn_scratch_open(dir, d->is.size, d->is.scratch, error);

    if (fd < 0) {
        return false;
    }
    d->scratch_fd = fd;
    if (!fsn_qmp_add_fdset(self->qmp, fd, &set, error)) {
        return false;
    }
    ok = fsn_qmp_add_scratch(self->qmp, d->scratch_node, set, d->is.node, error);
    /* The node keeps its own; after a failure the set would keep the space. */
    return fsn_qmp_remove_fdset(self->qmp, set, ok ? error : NULL) && ok;
}

bool
fsn_instant_prepare(FsnInstant *self, const char *scratch_dir, GError **error)
{
    for (guint i = 0; i < self->disks->len; i++) {
        Disk *d = self->disks->pdata[i];

        if (!add_scratch(self, d, scratch_dir, error)) {
            g_prefix_error(error, "scratch space for disk '%s': ", d->is.target);
            return false;
        }
    }
    return true;
}

static int
listen_on(const char *path, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof(address.sun_path)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                    "'%s' is too long for a socket; choose another folder with "
                    "FORESNAP_STATE_DIR",
                    path);
        return -1;
    }
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    (void)unlink(path); /* of a snapshot that was killed */
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, BACKLOG) < 0) {
        (void)fsn_set_errno(error, errno, "cannot listen on '%s'", path);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

bool
fsn_instant_serve(FsnInstant *self, const char *socket, GError **error)
{
    int fd = listen_on(socket, error);
    bool ok;

    if (fd < 0) {
        return false;
    }
    ok = fsn_qmp_getfd(self->qmp, NBD_FD, fd, error) &&
         fsn_qmp_nbd_server_start_fd(self->qmp, NBD_FD, NBD_CONNECTIONS, error);
    close(fd);
    return ok;
}

bool
fsn_instant_take(FsnInstant *self, GError **error)
{
    g_autoptr(FsnQmpTransaction) t = fsn_qmp_transaction_new();
    g_autofree char *bitmap = fsn_instant_bitmap(self->repo, self->snapshot);

    for (guint i = 0; i < self->disks->len; i++) {
        Disk *d = self->disks->pdata[i];

        if (!d->is.untracked) {
            fsn_qmp_transaction_add_bitmap(t, d->is.node, bitmap, GRANULARITY,
                                           d->is.persistent);
        }
        if (d->base_bitmap) {
            fsn_qmp_transaction_disable_bitmap(t, d->is.node, d->base_bitmap);
        }
        fsn_qmp_transaction_backup_none(t, d->job, d->is.node, d->scratch_node,
                                        d->filter_node);
        d->open = true;
    }
    return self->disks->len == 0 || fsn_qmp_transaction_run(self->qmp, t, error);
}

/* Where QEMU can be told what need not be saved any more, and else by the scratch image over
 * the disk. */
static bool
export_disk(FsnInstant *self, Disk *d, GError **error)
{
    const char *bitmap_node = d->base_bitmap ? d->is.node : NULL;
    g_autoptr(GError) local = NULL;

    d->access = fsn_qmp_add_access(self->qmp, d->access_node, d->filter_node, &local);
    if (d->access) {
        return fsn_qmp_export_add_access(self->qmp, d->export, d->access_node,
                                         d->is.target, bitmap_node, d->base_bitmap,
                                         error);
    }
    g_debug("disk '%s' is read by its scratch image: %s", d->is.target, local->message);
    return fsn_qmp_export_add(self->qmp, d->export, d->scratch_node, d->is.target,
                              bitmap_node, d->base_bitmap, error);
}

bool
fsn_instant_export(FsnInstant *self, GError **error)
{
    for (guint i = 0; i < self->disks->len; i++) {
        if (!export_disk(self, self->disks->pdata[i], error)) {
            return false;
        }
    }
    return true;
}

uint64_t
fsn_instant_forgets(const FsnInstant *self, unsigned i)
{
    return ((const Disk *)self->disks->pdata[i])->access ? COPY_CLUSTER : 0;
}

static bool
refuse_failed(const Disk *d, const char *why, GError **error)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FAILED,
                "the scratch space of disk '%s' has failed: %s", d->is.target, why);
    return false;
}

bool
fsn_instant_check(FsnInstant *self, GError **error)
{
    g_autoptr(GPtrArray) jobs = NULL;

    if (!fsn_qmp_query_jobs(self->qmp, &jobs, error)) {
        return false;
    }
    for (guint i = 0; i < self->disks->len; i++) {
        Disk *d = self->disks->pdata[i];
        FsnQmpJob *job = d->open ? fsn_qmp_job_find(jobs, d->job) : NULL;

        if (d->open && !job) {
            return refuse_failed(d, "its job was ended by somebody else", error);
        }
        if (job && (job->error || g_str_equal(job->status, "concluded") ||
                    g_str_equal(job->status, "aborting"))) {
            return refuse_failed(d, job->error ? job->error : job->status, error);
        }
    }
    return true;
}

bool
fsn_instant_release(FsnInstant *self, unsigned i, GError **error)
{
    Disk *d = self->disks->pdata[i];
    g_autofree char *failure = NULL;

    if (!fsn_qmp_export_del(self->qmp, d->export, true, error) ||
        !fsn_qmp_export_wait_gone(self->qmp, d->export, FSN_INSTANT_TIMEOUT_US, error) ||
        (d->access && !fsn_qmp_blockdev_del(self->qmp, d->access_node, error)) ||
        !fsn_qmp_job_end(self->qmp, d->job, FSN_INSTANT_TIMEOUT_US, &failure, error)) {
        return false;
    }
    d->open = false;
    if (!fsn_qmp_blockdev_del(self->qmp, d->scratch_node, error)) {
        return false;
    }
    drop_scratch(d);
    return !failure || refuse_failed(d, failure, error);
}
