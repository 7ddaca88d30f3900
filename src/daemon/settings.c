/* SPDX-License-Identifier: GPL-2.0-or-later */
/* foresnapd.conf: a table of keys, each of which knows where its value goes and what it may
 * be. A file with one mistake is refused as a whole, so that a reload changes all or nothing. */
#include "config.h"

#include "daemon/settings.h"

#include "base/error.h"
#include "base/files.h"
#include "policies/keyfile.h"
#include "policies/profile-value.h"
#include "policies/suggest.h"

#include <string.h>

#define DEFAULT_SOCKET     "/run/foresnap/hook.sock"
#define DEFAULT_API_SOCKET "/run/foresnap/api.sock"
#define DEFAULT_API_GROUP  "foresnap"

typedef enum { TEXT, PATH, BOOL, NUMBER, RATE } KeyKind;

typedef struct {
    const char *group;
    const char *name;
    KeyKind kind;
    size_t offset;
    unsigned min;
    unsigned max;
} Key;

#define AT(field) offsetof(FsnDaemonConfig, field)

static const Key keys[] = {
    { "daemon", "connection", TEXT, AT(connection), 0, 0 },
    { "daemon", "repository", PATH, AT(repository), 0, 0 },
    { "daemon", "recover", BOOL, AT(recover), 0, 0 },
    { "hooks", "socket", PATH, AT(hook_socket), 0, 0 },
    { "api", "socket", PATH, AT(api_socket), 0, 0 },
    { "api", "listen", TEXT, AT(api_listen), 0, 0 },
    { "api", "certificate", PATH, AT(api_certificate), 0, 0 },
    { "api", "key", PATH, AT(api_key), 0, 0 },
    { "api", "tokens", PATH, AT(api_tokens), 0, 0 },
    { "api", "group", TEXT, AT(api_group), 0, 0 },
    { "api", "read_group", TEXT, AT(api_read_group), 0, 0 },
    { "sampling", "enabled", BOOL, AT(sampling), 0, 0 },
    { "sampling", "interval", NUMBER, AT(sample_s), 1, 1800 },
    { "forecasts", "refresh_hours", NUMBER, AT(refresh_hours), 0, 8760 },
    { "schedules", "enabled", BOOL, AT(schedules), 0, 0 },
    { "schedules", "interval", NUMBER, AT(schedule_s), 1, 3600 },
    { "changemaps", "enabled", BOOL, AT(changemaps), 0, 0 },
    { "changemaps", "interval", NUMBER, AT(changemap_s), 1, 3600 },
    { "savefs", "enabled", BOOL, AT(savefs), 0, 0 },
    { "jobs", "parallel", NUMBER, AT(parallel), 1, 256 },
    { "jobs", "bandwidth", RATE, AT(bandwidth), 0, 0 },
    { "jobs", "keep_days", NUMBER, AT(keep_days), 1, 3650 },
};

FsnDaemonConfig *
fsn_daemon_config_new(void)
{
    FsnDaemonConfig *config = g_new0(FsnDaemonConfig, 1);

    config->sampling = config->schedules = config->recover = config->changemaps = true;
    config->sample_s = 10;
    config->refresh_hours = 24;
    config->schedule_s = 60;
    config->changemap_s = 60;
    config->parallel = 2;
    config->keep_days = 30;
    config->hook_socket = g_strdup(DEFAULT_SOCKET);
    config->api_socket = g_strdup(DEFAULT_API_SOCKET);
    config->api_group = g_strdup(DEFAULT_API_GROUP);
    return config;
}

void
fsn_daemon_config_free(FsnDaemonConfig *config)
{
    if (!config) {
        return;
    }
    g_free(config->connection);
    g_free(config->repository);
    g_free(config->hook_socket);
    g_free(config->api_socket);
    g_free(config->api_listen);
    g_free(config->api_certificate);
    g_free(config->api_key);
    g_free(config->api_tokens);
    g_free(config->api_group);
    g_free(config->api_read_group);
    g_free(config);
}

static bool
has_group(const char *group)
{
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (strcmp(keys[i].group, group) == 0) {
            return true;
        }
    }
    return false;
}

/* What is nearest to @word among groups, or the keys of @group; NULL if nothing is near. */
static const char *
nearest(const char *group, const char *word)
{
    const char *words[G_N_ELEMENTS(keys) + 1] = { NULL };
    size_t n = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (!group) {
            words[n++] = keys[i].group;
        } else if (strcmp(keys[i].group, group) == 0) {
            words[n++] = keys[i].name;
        }
    }
    return fsn_suggest(word, words);
}

static bool G_GNUC_PRINTF(4, 5)
    complain(const char *name, unsigned line, GError **error, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "%s:%u: %s", name, line, message);
    return false;
}

static bool
complain_unknown(const char *name,
                 const FsnKeyfileItem *item,
                 const char *what,
                 const char *word,
                 const char *meant,
                 GError **error)
{
    return complain(name, item->line, error, "unknown %s '%s'%s%s%s", what, word,
                    meant ? ", did you mean '" : "", meant ? meant : "",
                    meant ? "'?" : "");
}

static bool
set_bool(bool *out_value, const char *value)
{
    static const char *const yes[] = { "true", "yes", "on", "1", NULL };
    static const char *const no[] = { "false", "no", "off", "0", NULL };

    if (g_strv_contains(yes, value) || g_strv_contains(no, value)) {
        *out_value = g_strv_contains(yes, value);
        return true;
    }
    return false;
}

static void
set_text(char **out_value, const char *value)
{
    g_free(*out_value);
    *out_value = g_strdup(value);
}

/* As schedule.bandwidth of profiles. */
static bool
set_rate(guint64 *out_value, const char *text)
{
    static const FsnValueRule rule = {
        .type = FSN_VALUE_RATE, .min = 1, .max = UINT64_C(1) << 40, .may_be_off = true
    };
    FsnValue value;

    if (!fsn_value_parse(&rule, text, &value, NULL)) {
        return false;
    }
    *out_value = value.off ? 0 : value.number;
    return true;
}

static bool
set_value(FsnDaemonConfig *config,
          const Key *key,
          const FsnKeyfileItem *item,
          const char *name,
          GError **error)
{
    void *field = (char *)config + key->offset;
    guint64 number;

    switch (key->kind) {
    case TEXT:
        set_text(field, *item->value ? item->value : NULL);
        return true;
    case PATH:
        if (*item->value && !g_path_is_absolute(item->value)) {
            return complain(name, item->line, error, "'%s' takes an absolute path",
                            key->name);
        }
        set_text(field, item->value);
        return true;
    case BOOL:
        return set_bool(field, item->value) ||
               complain(name, item->line, error, "'%s' takes true or false", key->name);
    case NUMBER:
        if (!g_ascii_string_to_unsigned(item->value, 10, key->min, key->max, &number,
                                        NULL)) {
            return complain(name, item->line, error, "'%s' takes a number from %u to %u",
                            key->name, key->min, key->max);
        }
        *(unsigned *)field = (unsigned)number;
        return true;
    case RATE:
        return set_rate(field, item->value) ||
               complain(name, item->line, error, "'%s' takes a rate, 50M/s, or off",
                        key->name);
    }
    g_assert_not_reached();
}

static bool
take_item(FsnDaemonConfig *config,
          const FsnKeyfileItem *item,
          const char *name,
          GError **error)
{
    if (!has_group(item->group)) {
        return complain_unknown(name, item, "group", item->group,
                                nearest(NULL, item->group), error);
    }
    for (size_t i = 0; item->key && i < G_N_ELEMENTS(keys); i++) {
        if (strcmp(keys[i].group, item->group) == 0 &&
            strcmp(keys[i].name, item->key) == 0) {
            return set_value(config, &keys[i], item, name, error);
        }
    }
    return !item->key || complain_unknown(name, item, "key", item->key,
                                          nearest(item->group, item->key), error);
}

bool
fsn_daemon_config_parse(const char *text,
                        size_t len,
                        const char *name,
                        FsnDaemonConfig **out_config,
                        GError **error)
{
    g_autoptr(FsnDaemonConfig) config = fsn_daemon_config_new();
    g_autoptr(FsnKeyfile) keyfile = fsn_keyfile_parse(text, len);

    if (keyfile->problems->len > 0) {
        const FsnKeyfileProblem *problem = keyfile->problems->pdata[0];

        return complain(name, problem->line, error, "%s", problem->message);
    }
    for (guint i = 0; i < keyfile->items->len; i++) {
        if (!take_item(config, keyfile->items->pdata[i], name, error)) {
            return false;
        }
    }
    if (config->repository && !*config->repository) {
        g_clear_pointer(&config->repository, g_free);
    }
    *out_config = g_steal_pointer(&config);
    return true;
}

bool
fsn_daemon_config_load(const char *path, FsnDaemonConfig **out_config, GError **error)
{
    const char *file = path ? path : FSN_SYSCONFDIR "/foresnap/foresnapd.conf";
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GError) local = NULL;
    const char *text;
    size_t len;

    if (!fsn_file_read(file, FSN_KEYFILE_MAX, &bytes, &local)) {
        if (!path && g_error_matches(local, FSN_ERROR, FSN_ERROR_NOT_FOUND)) {
            *out_config = fsn_daemon_config_new();
            return true;
        }
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    text = g_bytes_get_data(bytes, &len);
    return fsn_daemon_config_parse(text ? text : "", len, file, out_config, error);
}
