/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a domain's consoles are logged: by a <log file=''> or as a device that is a file. */
#include "config.h"

#include "domxml/console-logs.h"

#include "domxml/document-private.h"

#define MAX_LOGS 32

static void
log_free(gpointer data)
{
    FsnConsoleLog *log = data;

    g_free(log->name);
    g_free(log->path);
    g_free(log);
}

static char *
path_of(const xmlNode *device)
{
    char *path = fsn_node_attribute(fsn_node_child(device, "log"), "file");

    if (!path && fsn_node_attribute_is(device, "type", "file")) {
        path = fsn_node_attribute(fsn_node_child(device, "source"), "path");
    }
    return path;
}

static bool
is_new(const GPtrArray *logs, const char *path)
{
    for (guint i = 0; i < logs->len; i++) {
        if (g_str_equal(((const FsnConsoleLog *)logs->pdata[i])->path, path)) {
            return false;
        }
    }
    return true;
}

static void
add_kind(GPtrArray *logs, const xmlNode *devices, const char *kind)
{
    unsigned n = 0;

    for (const xmlNode *device = fsn_node_child(devices, kind); device;
         device = fsn_node_next(device, kind), n++) {
        g_autofree char *path = path_of(device);

        if (path && g_path_is_absolute(path) && logs->len < MAX_LOGS &&
            is_new(logs, path)) {
            FsnConsoleLog *log = g_new0(FsnConsoleLog, 1);

            log->name = g_strdup_printf("%s%u", kind, n);
            log->path = g_steal_pointer(&path);
            g_ptr_array_add(logs, log);
        }
    }
}

GPtrArray *
fsn_console_logs_find(const char *domain_xml, GError **error)
{
    /* libvirt repeats the first serial port as a console. */
    static const char *const kinds[] = { "serial", "parallel", "console", "channel" };
    g_autoptr(xmlDoc) document = NULL;
    const xmlNode *devices;
    GPtrArray *logs;

    if (!fsn_document_parse(domain_xml, "domain", "domain XML", &document, error)) {
        return NULL;
    }
    logs = g_ptr_array_new_with_free_func(log_free);
    devices = fsn_node_child(xmlDocGetRootElement(document), "devices");
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        add_kind(logs, devices, kinds[i]);
    }
    return logs;
}
