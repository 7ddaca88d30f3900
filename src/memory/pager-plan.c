/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan of one resume, checked before any process is started for it. Pure: it looks at
 * no file and no clock; whether the things named exist is found out later.
 */
#include "config.h"

#include "memory/pager-plan.h"

#include "base/error.h"
#include "base/json.h"

#include <string.h>

#define MAX_NAME 255
#define MAX_PATH 4095

static bool
refuse(GError **error, const char *member)
{
    g_set_error(error, FSN_ERROR, FSN_ERROR_FORMAT,
                "the pager's plan has no valid member '%s'", member);
    return false;
}

static bool
is_hex(const char *text, size_t digits)
{
    return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

/* A member of 1…@max bytes; hex of exactly @hex digits if @hex is not 0. */
static bool
get_text(JsonObject *object,
         const char *member,
         size_t max,
         size_t hex,
         char **out_text,
         GError **error)
{
    const char *text;

    if (!fsn_json_get_string(object, member, &text, error)) {
        return false;
    }
    if (*text == '\0' || strlen(text) > max || (hex && !is_hex(text, hex))) {
        return refuse(error, member);
    }
    *out_text = g_strdup(text);
    return true;
}

/* The same for a member that may be absent or null. */
static bool
peek_text(JsonObject *object,
          const char *member,
          size_t max,
          size_t hex,
          char **out_text,
          GError **error)
{
    if (!json_object_has_member(object, member) ||
        json_object_get_null_member(object, member)) {
        return true;
    }
    return get_text(object, member, max, hex, out_text, error);
}

static bool
get_path(JsonObject *object,
         const char *member,
         bool required,
         char **out_path,
         GError **error)
{
    bool ok = required ? get_text(object, member, MAX_PATH, 0, out_path, error)
                       : peek_text(object, member, MAX_PATH, 0, out_path, error);

    return ok && (!*out_path || g_path_is_absolute(*out_path) || refuse(error, member));
}

/* The index of the member's value in @names (NULL-terminated). */
static bool
get_choice(JsonObject *object,
           const char *member,
           const char *const *names,
           int *out,
           GError **error)
{
    const char *text;

    if (!fsn_json_get_string(object, member, &text, error)) {
        return false;
    }
    for (int i = 0; names[i]; i++) {
        if (g_str_equal(names[i], text)) {
            *out = i;
            return true;
        }
    }
    return refuse(error, member);
}

static const char *const mode_names[] = { "predicted", "lazy", "eager", NULL };
static const char *const transport_names[] = { "libvirt", "socket", "fd", NULL };

const char *
fsn_pager_mode_name(FsnPagerMode mode)
{
    return mode_names[mode];
}

static bool
get_u32(JsonObject *object, const char *member, uint32_t *out, GError **error)
{
    int64_t value;

    if (!fsn_json_get_int(object, member, 0, UINT32_MAX, &value, error)) {
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

static bool
parse_blocks(JsonArray *array, FsnRamLayout *ram, GError **error)
{
    guint n = json_array_get_length(array);

    if (n < 1 || n > FSN_STREAM_MAX_BLOCKS) {
        return refuse(error, "ram.blocks");
    }
    ram->blocks = g_new0(FsnRamBlock, n);
    for (guint i = 0; i < n; i++) {
        JsonObject *block;
        int64_t length;

        ram->n_blocks = i + 1;
        if (!fsn_json_get_element(array, i, &block, error) ||
            !get_text(block, "name", MAX_NAME, 0, &ram->blocks[i].name, error) ||
            !fsn_json_get_int(block, "length", FSN_PAGE_SIZE, FSN_STREAM_MAX_RAM, &length,
                              error)) {
            return false;
        }
        ram->blocks[i].length = (uint64_t)length;
    }
    return fsn_ram_layout_check(ram, error);
}

static bool
parse_ram(JsonObject *root, FsnRamLayout **out_ram, GError **error)
{
    g_autoptr(FsnRamLayout) ram = g_new0(FsnRamLayout, 1);
    JsonObject *object;
    JsonArray *blocks;

    if (!fsn_json_get_object(root, "ram", &object, error) ||
        !get_u32(object, "section_id", &ram->section_id, error) ||
        !get_u32(object, "instance", &ram->instance, error) ||
        !get_u32(object, "version", &ram->version, error) ||
        !fsn_json_get_array(object, "blocks", &blocks, error) ||
        !parse_blocks(blocks, ram, error)) {
        return false;
    }
    *out_ram = g_steal_pointer(&ram);
    return true;
}

static bool
parse_tiers(JsonObject *root, char ***out_tiers, GError **error)
{
    g_autoptr(GPtrArray) tiers = g_ptr_array_new_with_free_func(g_free);
    JsonArray *array = NULL;
    guint n = 0;

    if (json_object_has_member(root, "tiers")) {
        if (!fsn_json_get_array(root, "tiers", &array, error)) {
            return false;
        }
        n = json_array_get_length(array);
    }
    if (n > FSN_PLAN_TIERS) {
        return refuse(error, "tiers");
    }
    for (guint i = 0; i < n; i++) {
        JsonNode *node = json_array_get_element(array, i);
        const char *path = json_node_get_value_type(node) == G_TYPE_STRING
                               ? json_node_get_string(node)
                               : NULL;

        if (!path || !g_path_is_absolute(path) || strlen(path) > MAX_PATH) {
            return refuse(error, "tiers");
        }
        g_ptr_array_add(tiers, g_strdup(path));
    }
    g_ptr_array_add(tiers, NULL);
    *out_tiers = (char **)g_ptr_array_free(g_steal_pointer(&tiers), FALSE);
    return true;
}

static bool
parse_snapshot(JsonObject *root, FsnPagerPlan *plan, GError **error)
{
    return get_path(root, "repository", true, &plan->repository, error) &&
           parse_tiers(root, &plan->tiers, error) &&
           get_text(root, "snapshot", 32, 32, &plan->snapshot, error) &&
           get_text(root, "image", 32, 32, &plan->image, error) &&
           get_text(root, "head", 64, 64, &plan->head, error) &&
           get_text(root, "device_state", 64, 64, &plan->device_state, error) &&
           peek_text(root, "description", 64, 64, &plan->description, error) &&
           parse_ram(root, &plan->ram, error) &&
           peek_text(root, "sequence", MAX_NAME, 0, &plan->sequence, error) &&
           peek_text(root, "working_set", MAX_NAME, 0, &plan->working_set, error);
}

static bool
parse_domain(JsonObject *root, FsnPagerPlan *plan, GError **error)
{
    bool libvirt = plan->transport == FSN_TRANSPORT_LIBVIRT;
    JsonObject *domain;

    return fsn_json_get_object(root, "domain", &domain, error) &&
           get_text(domain, "name", MAX_NAME, 0, &plan->domain_name, error) &&
           get_text(domain, "uuid", 36, 0, &plan->domain_uuid, error) &&
           (libvirt ? get_text : peek_text)(domain, "xml", FSN_PLAN_MAX, 0,
                                            &plan->domain_xml, error) &&
           peek_text(domain, "cpu_xml", FSN_PLAN_MAX, 0, &plan->cpu_xml, error);
}

static bool
parse_rest(JsonObject *root, FsnPagerPlan *plan, GError **error)
{
    FsnPagerTransport transport = plan->transport;
    int64_t threads = fsn_json_peek_int(root, "threads", 0);

    if (threads < 0 || threads > 4) {
        return refuse(error, "threads");
    }
    plan->threads = (unsigned)threads;
    return peek_text(root, "uri", MAX_PATH, 0, &plan->uri, error) &&
           get_path(root, "socket_dir", transport == FSN_TRANSPORT_LIBVIRT,
                    &plan->socket_dir, error) &&
           get_path(root, "socket", transport == FSN_TRANSPORT_SOCKET, &plan->socket,
                    error) &&
           get_path(root, "status_file", false, &plan->status_file, error) &&
           get_path(root, "not_run_file", false, &plan->not_run_file, error) &&
           get_path(root, "log_file", false, &plan->log_file, error);
}

bool
fsn_pager_plan_parse(const char *text,
                     size_t len,
                     FsnPagerPlan **out_plan,
                     GError **error)
{
    g_autoptr(FsnPagerPlan) plan = g_new0(FsnPagerPlan, 1);
    g_autoptr(JsonObject) root = NULL;
    int64_t version;
    int mode;
    int transport;

    if (!fsn_json_parse_object(text, len, FSN_PLAN_MAX, "the pager's plan", &root,
                               error) ||
        !fsn_json_get_int(root, "version", FSN_PLAN_VERSION, FSN_PLAN_VERSION, &version,
                          error) ||
        !get_choice(root, "mode", mode_names, &mode, error) ||
        !get_choice(root, "transport", transport_names, &transport, error)) {
        return false;
    }
    plan->mode = (FsnPagerMode)mode;
    plan->transport = (FsnPagerTransport)transport;
    plan->paused = fsn_json_peek_bool(root, "paused", false);
    if (plan->paused && plan->transport == FSN_TRANSPORT_LIBVIRT) {
        plan->mode = FSN_MODE_EAGER; /* libvirt runs what it loads by postcopy */
    }
    if (!parse_snapshot(root, plan, error) || !parse_domain(root, plan, error) ||
        !parse_rest(root, plan, error)) {
        return false;
    }
    *out_plan = g_steal_pointer(&plan);
    return true;
}

void
fsn_pager_plan_free(FsnPagerPlan *plan)
{
    if (!plan) {
        return;
    }
    g_free(plan->repository);
    g_strfreev(plan->tiers);
    g_free(plan->snapshot);
    g_free(plan->image);
    g_free(plan->head);
    g_free(plan->device_state);
    g_free(plan->description);
    fsn_ram_layout_free(plan->ram);
    g_free(plan->sequence);
    g_free(plan->working_set);
    g_free(plan->domain_name);
    g_free(plan->domain_uuid);
    g_free(plan->domain_xml);
    g_free(plan->cpu_xml);
    g_free(plan->uri);
    g_free(plan->socket_dir);
    g_free(plan->socket);
    g_free(plan->status_file);
    g_free(plan->not_run_file);
    g_free(plan->log_file);
    g_free(plan);
}
