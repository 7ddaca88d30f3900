/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a restore can be refused for, found out before anything is touched. */
#include "config.h"

#include "cycle/restore-private.h"

#include "base/error.h"
#include "base/json.h"
#include "cycle/fill.h"
#include "cycle/find-state.h"
#include "cycle/recover.h"
#include "disk/write-image.h"
#include "repo/manifests.h"
#include "repo/verify.h"
#include "virt/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_XML         ((size_t)4 << 20)
/* What a qcow2 image takes besides its data: a part of it, and its tables. */
#define OVERHEAD(bytes) ((bytes) / 100 + (1u << 20))

static bool
load(FsnRestore *r, const char *snapshot, GError **error)
{
    JsonObject *domain;
    const char *kind;

    if (!fsn_repo_load_manifest(r->repo, snapshot, &r->manifest, error) ||
        !fsn_json_get_string(r->manifest, "id", &r->id, error) ||
        !fsn_json_get_string(r->manifest, "kind", &kind, error) ||
        !fsn_json_get_object(r->manifest, "domain", &domain, error) ||
        !fsn_json_get_string(domain, "name", &r->manifest_name, error) ||
        !fsn_json_get_string(domain, "uuid", &r->manifest_uuid, error)) {
        return false;
    }
    if (strcmp(kind, "snapshot") != 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "it is a %s, without disks: 'foresnap resume' lets it go on", kind);
        return false;
    }
    if (!fsn_uuid_is_canonical(r->manifest_uuid)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                    "the manifest's domain has no valid UUID");
        return false;
    }
    r->memory = !r->options.disks_only && json_object_has_member(r->manifest, "memory");
    return fsn_stored_disks_read(r->manifest, &r->stored, error);
}

static bool
check_usage(FsnRestore *r, GError **error)
{
    const FsnRestoreOptions *o = &r->options;
    const char *wrong = NULL;

    if (o->as && !o->folder == !o->pool) {
        wrong = "a new domain needs a place for its disks: --dir FOLDER or --pool POOL";
    } else if (!o->as && (o->folder || o->pool)) {
        wrong = "--dir and --pool are for a new domain, which --as names";
    } else if (!o->as && o->clone_tpm) {
        wrong = "--clone-tpm is for a new domain, which --as names";
    } else if (r->memory && o->targets) {
        wrong = "memory goes on only over all of its disks: --disks-only leaves it out";
    }
    if (wrong) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "%s", wrong);
    }
    return !wrong;
}

bool
fsn_restore_check_off(FsnRestore *r, GError **error)
{
    g_autofree char *state = NULL;
    g_autoptr(GError) none = NULL;
    FsnVirtStatus status;

    if (!r->domain) {
        return true;
    }
    if (!fsn_virt_domain_status(r->domain, &status, error)) {
        return false;
    }
    if (status.state != FSN_VIRT_OFF && status.state != FSN_VIRT_CRASHED) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "domain '%s' is %s; shut it down, or use --as for a new domain",
                    r->name, fsn_virt_state_name(status.state));
        return false;
    }
    if (fsn_find_suspend_state(r->repo, r->uuid, &state, &none)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                    "domain '%s' is suspended, and its memory belongs to its disks: "
                    "'foresnap discard %s' gives it up",
                    r->name, r->name);
        return false;
    }
    if (status.managed_save) {
        g_set_error(
            error, FSN_ERROR, FSN_ERROR_STATE,
            "domain '%s' has been saved by libvirt, and its memory belongs to its "
            "disks: 'virsh managedsave-remove %s' gives it up",
            r->name, r->name);
        return false;
    }
    return true;
}

/* The domain that the snapshot is of, as it is now. */
static bool
find_domain(FsnRestore *r, GError **error)
{
    if (!fsn_virt_lookup(r->virt, r->manifest_uuid, &r->domain, error)) {
        g_prefix_error(error, "--as makes a new domain: ");
        return false;
    }
    r->name = g_strdup(fsn_virt_domain_name(r->domain));
    r->uuid = g_strdup(r->manifest_uuid);
    return fsn_cycle_recover_domain(r->cycle, r->uuid, 0, NULL, error) &&
           fsn_fill_check_none(r->cycle, r->uuid, error) &&
           (r->config_only || fsn_restore_check_off(r, error)) &&
           fsn_virt_domain_xml(r->domain, FSN_VIRT_XML_INACTIVE, &r->xml, error);
}

static bool
read_object(FsnRestore *r, const char *member, char **out_text, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;
    const char *object;
    JsonObject *ref;

    if (!fsn_json_get_object(r->manifest, member, &ref, error) ||
        !fsn_json_get_string(ref, "object", &object, error) ||
        !fsn_repo_get_object(r->repo, object, MAX_XML, &bytes, error)) {
        return false;
    }
    *out_text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    return true;
}

/* False also if that cannot be found out. */
static bool
is_free(FsnRestore *r, const char *who, bool *out_free, GError **error)
{
    g_autoptr(FsnVirtDomain) other = NULL;
    g_autoptr(GError) local = NULL;

    *out_free = !fsn_virt_lookup(r->virt, who, &other, &local);
    if (*out_free && !g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    return true;
}

/* A new domain. With memory the identity stays as far as it can: libvirt has one domain of a
 * UUID, so that another one is needed beside the original. The guest keeps what its memory
 * says until it is booted anew. */
static bool
find_new(FsnRestore *r, GError **error)
{
    bool name_free;
    bool uuid_free = false;

    if (!is_free(r, r->options.as, &name_free, error) ||
        (r->memory && !is_free(r, r->manifest_uuid, &uuid_free, error))) {
        return false;
    }
    if (!name_free) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_EXISTS, "there is a domain '%s' already",
                    r->options.as);
        return false;
    }
    r->name = g_strdup(r->options.as);
    r->uuid = uuid_free ? g_strdup(r->manifest_uuid) : g_uuid_string_random();
    if (r->options.pool) {
        return fsn_virt_pool_folder(r->virt, r->options.pool, &r->folder, error);
    }
    r->folder = g_canonicalize_filename(r->options.folder, NULL);
    if (!g_file_test(r->folder, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NOT_FOUND, "there is no folder '%s'",
                    r->folder);
        return false;
    }
    return true;
}

/* Links are followed: what is replaced is what they lead to. */
static void
resolve(FsnRestoreDisk *disk, const char *snapshot)
{
    char *real = realpath(disk->place, NULL);

    if (real && disk->temporary && strcmp(real, disk->place) != 0) {
        g_free(disk->place);
        g_free(disk->temporary);
        disk->place = g_strdup(real);
        disk->temporary = g_strdup_printf("%s.foresnap-%.12s", real, snapshot);
    }
    free(real);
}

static bool
check_device(const FsnRestoreDisk *disk, GError **error)
{
    uint64_t size = 0;
    int fd = open(disk->place, O_RDWR | O_CLOEXEC);
    bool ok;

    if (fd < 0) {
        return fsn_set_errno(error, errno, "cannot open '%s'", disk->place);
    }
    ok = ioctl(fd, BLKGETSIZE64, &size) == 0 ||
         fsn_set_errno(error, errno, "cannot ask '%s' for its size", disk->place);
    close(fd);
    if (ok && size < disk->stored->size) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "disk %s: '%s' has %" G_GUINT64_FORMAT
                    " bytes, and %" G_GUINT64_FORMAT " are needed",
                    disk->stored->target, disk->place, size, disk->stored->size);
        return false;
    }
    return ok;
}

static bool
check_place(FsnRestore *r, const FsnRestoreDisk *disk, GError **error)
{
    struct stat st;

    if (!disk->temporary) {
        return check_device(disk, error);
    }
    if (lstat(disk->place, &st) != 0) {
        return errno == ENOENT ||
               fsn_set_errno(error, errno, "cannot look at '%s'", disk->place);
    }
    if (r->options.as) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_EXISTS, "'%s' is there already",
                    disk->place);
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                    "disk %s: '%s' is no regular file", disk->stored->target,
                    disk->place);
        return false;
    }
    return true;
}

/* Bytes that the files on the file system @device take together. */
static bool
needed_on(FsnRestore *r, dev_t device, uint64_t *out_bytes, GError **error)
{
    uint64_t sum = 0;

    for (guint i = 0; i < r->plan.disks->len; i++) {
        const FsnRestoreDisk *disk = g_ptr_array_index(r->plan.disks, i);
        g_autofree char *folder = g_path_get_dirname(disk->place);
        g_autoptr(FsnImage) image = NULL;
        struct stat st;
        uint64_t bytes;

        if (!disk->temporary || stat(folder, &st) != 0 || st.st_dev != device) {
            continue;
        }
        image = fsn_image_open(r->repo, disk->stored->image, error);
        if (!image || !fsn_image_data_bytes(image, &bytes, error)) {
            return false;
        }
        sum += bytes + OVERHEAD(bytes);
    }
    *out_bytes = sum;
    return true;
}

static bool
check_space(FsnRestore *r, const FsnRestoreDisk *disk, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(disk->place);
    struct statvfs fs;
    struct stat st;
    uint64_t needed;
    uint64_t available;

    if (!disk->temporary) {
        return true;
    }
    if (stat(folder, &st) != 0 || statvfs(folder, &fs) != 0) {
        return fsn_set_errno(error, errno, "cannot look at '%s'", folder);
    }
    if (!needed_on(r, st.st_dev, &needed, error)) {
        return false;
    }
    available = (uint64_t)fs.f_bavail * fs.f_frsize;
    if (available < needed) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_NO_SPACE,
                    "'%s' has %" G_GUINT64_FORMAT
                    " MiB left, and the disks need %" G_GUINT64_FORMAT " MiB",
                    folder, available >> 20, needed >> 20);
        return false;
    }
    return true;
}

static bool
check_places(FsnRestore *r, GError **error)
{
    for (guint i = 0; i < r->plan.disks->len; i++) {
        FsnRestoreDisk *disk = g_ptr_array_index(r->plan.disks, i);

        resolve(disk, r->id);
        if (!check_place(r, disk, error) || !check_space(r, disk, error)) {
            return false;
        }
    }
    return true;
}

/* A file that cannot be written whole is thrown away; a device cannot be put back, so all that
 * goes to one is read before. */
static bool
check_whole(FsnRestore *r, GError **error)
{
    g_auto(FsnVerifyReport) report = { 0 };
    const char *const ids[] = { r->id, NULL };
    const GPtrArray *problems;
    bool read_data = false;

    for (guint i = 0; i < r->plan.disks->len; i++) {
        const FsnRestoreDisk *disk = g_ptr_array_index(r->plan.disks, i);

        read_data = read_data || !disk->temporary;
    }
    if (!fsn_repo_verify(r->repo, ids, read_data, NULL, NULL, &report, error)) {
        return false;
    }
    problems = ((const FsnVerifyResult *)report.results->pdata[0])->problems;
    if (problems->len > 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_CORRUPT,
                    "snapshot %s: %s%s; see 'foresnap verify %.12s'", r->id,
                    (const char *)problems->pdata[0],
                    problems->len > 1 ? " and more" : "", r->id);
        return false;
    }
    return true;
}

/* Where the disks of a lazy restore are served until they are filled. */
static bool
choose_sockets(FsnRestore *r, GError **error)
{
    for (guint i = 0; r->options.lazy && i < r->plan.disks->len; i++) {
        FsnRestoreDisk *disk = g_ptr_array_index(r->plan.disks, i);

        disk->bandwidth = r->options.bandwidth;
        disk->socket = fsn_fill_socket(r->virt, r->uuid, disk->stored->target);
        if (strlen(disk->socket) >= sizeof((struct sockaddr_un *)NULL)->sun_path) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                        "disk %s: '%s' is too long for a socket; leave --lazy out",
                        disk->stored->target, disk->socket);
            return false;
        }
    }
    return true;
}

/* The guest with the memory must have all the disks that it had. */
static bool
check_memory(FsnRestore *r, GError **error)
{
    g_autoptr(FsnDomainFacts) live = NULL;
    g_auto(FsnRestorePlan) ignored = { 0 };
    const FsnRestoreRequest request = { .snapshot = r->id,
                                        .as = r->name,
                                        .folder = "/",
                                        .memory = true,
                                        .lazy = r->options.lazy };

    return !r->memory || (read_object(r, "xml_live", &r->xml_live, error) &&
                          fsn_domain_facts_parse(r->xml_live, &live, error) &&
                          fsn_restore_plan(&request, r->stored, live, &ignored, error));
}

/* What was not asked for would become zeroes, over a disk that has it. */
static bool
check_partial(FsnRestore *r, GError **error)
{
    for (guint i = 0; !r->options.as && i < r->plan.disks->len; i++) {
        const FsnRestoreDisk *disk = g_ptr_array_index(r->plan.disks, i);

        if (disk->stored->partial) {
            g_set_error(error, FSN_ERROR, FSN_ERROR_UNSUPPORTED,
                        "the snapshot has only parts of disk %s, and the rest of it "
                        "would be lost: use --as for a new domain, or take the parts out "
                        "with 'foresnap export' or 'foresnap serve'",
                        disk->stored->target);
            return false;
        }
    }
    return true;
}

bool
fsn_restore_check(FsnRestore *r, const char *snapshot, GError **error)
{
    FsnRestoreRequest request = { .as = r->options.as, .targets = r->options.targets };

    if (!load(r, snapshot, error) || !check_usage(r, error) ||
        !(r->options.as ? find_new(r, error) : find_domain(r, error)) ||
        (r->options.as &&
         !read_object(r, r->memory ? "xml_live" : "xml_inactive", &r->xml, error)) ||
        !fsn_domain_facts_parse(r->xml, &r->facts, error)) {
        return false;
    }
    request.snapshot = r->id;
    request.folder = r->folder;
    request.memory = r->memory;
    request.lazy = r->options.lazy;
    if (r->config_only) {
        r->plan.disks = g_ptr_array_new();
        r->plan.dropped = g_ptr_array_new();
        g_clear_pointer(&r->genid, g_free); /* the guest is not put back */
        return fsn_restore_firmware_check(r, error) &&
               fsn_restore_config_firmware(r, error);
    }
    return fsn_restore_plan(&request, r->stored, r->facts, &r->plan, error) &&
           check_partial(r, error) && choose_sockets(r, error) &&
           check_memory(r, error) && fsn_restore_firmware_check(r, error) &&
           check_places(r, error) && check_whole(r, error);
}
