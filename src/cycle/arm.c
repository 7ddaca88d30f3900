/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The states of a suspend state: armed, claimed, run, consumed. Each is a small object that
 * is created once, durably, beside the immutable manifest.
 */
#include "config.h"

#include "cycle/arm.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cycle/disk-identity.h"
#include "repo/marks.h"

#include <string.h>

static bool
record_one(const FsnDiskFacts *disk, bool after_end, JsonObject **out, GError **error)
{
    bool local = disk->source_kind && (g_str_equal(disk->source_kind, "file") ||
                                       g_str_equal(disk->source_kind, "block"));

    if (local && disk->source) {
        return fsn_disk_identity_record(disk->target, disk->source, after_end, out,
                                        error);
    }
    *out = fsn_disk_identity_opaque(disk->target,
                                    disk->source_kind ? disk->source_kind : "none");
    return true;
}

bool
fsn_arm_record_disks(const FsnDomainFacts *facts,
                     bool after_end,
                     JsonArray **out_disks,
                     GError **error)
{
    g_autoptr(JsonArray) disks = json_array_new();

    for (guint i = 0; i < facts->disks->len; i++) {
        const FsnDiskFacts *disk = g_ptr_array_index(facts->disks, i);
        JsonObject *record;

        if (disk->readonly || !disk->source) {
            continue;
        }
        if (!record_one(disk, after_end, &record, error)) {
            return false;
        }
        json_array_add_object_element(disks, record);
    }
    /* The firmware's variables belong to the same instant as the memory. */
    if (facts->nvram && g_file_test(facts->nvram, G_FILE_TEST_EXISTS)) {
        JsonObject *record;

        if (!fsn_disk_identity_record("nvram", facts->nvram, after_end, &record, error)) {
            return false;
        }
        json_array_add_object_element(disks, record);
    }
    *out_disks = g_steal_pointer(&disks);
    return true;
}

bool
fsn_arm_has(FsnRepo *repo, const char *id, const char *mark)
{
    g_autoptr(JsonObject) body = NULL;
    g_autoptr(GError) error = NULL;

    return fsn_repo_mark_read(repo, id, mark, &body, &error) ||
           !g_error_matches(error, FSN_ERROR, FSN_ERROR_NOT_FOUND);
}

bool
fsn_arm(FsnRepo *repo,
        const char *id,
        const FsnDomainFacts *facts,
        int64_t pause_us,
        int64_t total_us,
        GError **error)
{
    g_autoptr(JsonArray) disks = NULL;
    g_autoptr(JsonObject) body = json_object_new();

    if (!fsn_arm_record_disks(facts, true, &disks, error)) {
        return false;
    }
    json_object_set_array_member(body, "disks", g_steal_pointer(&disks));
    json_object_set_int_member(body, "pause_us", pause_us);
    json_object_set_int_member(body, "total_us", total_us);
    json_object_set_int_member(body, "suspended_us", fsn_realtime_us());
    return fsn_repo_mark_remove(repo, id, "armed", error) &&
           fsn_repo_mark_create(repo, id, "armed", body, error);
}

static bool
refuse(GError **error, const char *id, const char *why)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_STATE,
                "suspend state %.12s cannot be resumed: %s", id, why);
    return false;
}

bool
fsn_arm_check_disks(JsonArray *disks, GError **error)
{
    for (guint i = 0; i < json_array_get_length(disks); i++) {
        JsonObject *record;

        if (!fsn_json_get_element(disks, i, &record, error) ||
            !fsn_disk_identity_check(record, error)) {
            return false;
        }
    }
    return true;
}

/* Text that tells who holds the claim. */
static char *
describe_claim(FsnRepo *repo, const char *id)
{
    g_autoptr(JsonObject) body = NULL;

    if (!fsn_repo_mark_read(repo, id, "claim", &body, NULL)) {
        return g_strdup("it is being resumed");
    }
    return g_strdup_printf("host '%s' is resuming it since %s",
                           fsn_json_peek_string(body, "host", "?"),
                           fsn_json_peek_string(body, "time", "?"));
}

static bool
refuse_claimed(FsnRepo *repo, const char *id, GError **error)
{
    g_autofree char *who = describe_claim(repo, id);
    g_autofree char *text = g_strdup_printf(
        "%s; if that host is gone for good, 'foresnap resume --take-over' breaks its claim",
        who);

    return refuse(error, id, text);
}

bool
fsn_arm_check_usable(FsnRepo *repo,
                     const char *id,
                     JsonArray *manifest_disks,
                     GError **error)
{
    g_autoptr(JsonObject) armed = NULL;
    g_autoptr(GError) local = NULL;
    JsonArray *disks;

    if (fsn_arm_has(repo, id, "consumed") || fsn_arm_has(repo, id, "ran")) {
        return refuse(
            error, id,
            "it has been used; the guest ran on from it and its disks moved on. "
            "'virsh start' boots the domain");
    }
    if (fsn_arm_has(repo, id, "claim")) {
        return refuse_claimed(repo, id, error);
    }
    if (fsn_repo_mark_read(repo, id, "armed", &armed, &local)) {
        return fsn_json_get_array(armed, "disks", &disks, error) &&
               fsn_arm_check_disks(disks, error);
    }
    if (!g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    return fsn_arm_check_disks(manifest_disks, error);
}

bool
fsn_arm_claim(FsnRepo *repo, const char *id, GError **error)
{
    g_autoptr(JsonObject) body = json_object_new();
    g_autofree char *now = fsn_rfc3339(fsn_realtime_us());
    g_autofree char *boot_id = fsn_boot_id();
    g_autoptr(GError) local = NULL;

    json_object_set_string_member(body, "host", g_get_host_name());
    json_object_set_string_member(body, "boot", boot_id ? boot_id : "");
    json_object_set_string_member(body, "time", now);
    if (fsn_repo_mark_create(repo, id, "claim", body, &local)) {
        return true;
    }
    if (g_error_matches(local, FSN_ERROR, FSN_ERROR_EXISTS)) {
        return refuse_claimed(repo, id, error);
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

bool
fsn_arm_break_claim(FsnRepo *repo, const char *id, GError **error)
{
    if (fsn_arm_has(repo, id, "ran") || fsn_arm_has(repo, id, "consumed")) {
        return refuse(error, id, "the guest has run from it since it was claimed");
    }
    return fsn_repo_mark_remove(repo, id, "claim", error);
}

bool
fsn_arm_consume(FsnRepo *repo, const char *id, const char *reason, GError **error)
{
    g_autoptr(JsonObject) body = json_object_new();
    g_autoptr(GError) local = NULL;

    json_object_set_string_member(body, "reason", reason);
    if (fsn_repo_mark_create(repo, id, "consumed", body, &local) ||
        g_error_matches(local, FSN_ERROR, FSN_ERROR_EXISTS)) {
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}
