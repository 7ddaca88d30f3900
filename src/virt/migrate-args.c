/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arguments of libvirt's migration entry points, checked and built in one place, because
 * libvirtd trusts its peers: 9.0 follows a NULL pointer where the cookie is missing or has
 * no <capabilities>. The cookie says what a source host would: who the guest is, that it
 * comes from another host, what its QEMU can do, and the CPU that it really has (otherwise
 * a new microcode or libvirt would give it another one).
 */
#include "config.h"

#include "virt/migrate-args.h"

#include "base/error.h"
#include "domxml/domain-facts.h"
#include "domxml/edit.h"

#include <libvirt/libvirt.h>
#include <string.h>
#include <sys/un.h>

/* The peer that we are for libvirt. It must differ from the host's own UUID, or libvirt
 * takes it for a migration to the same host. */
#define PEER_NAME       "foresnap"
#define PEER_UUID       "5e0cae71-6f72-4573-8e61-70f0e5a90001"
#define PEER_UUID_OTHER "5e0cae71-6f72-4573-8e61-70f0e5a90002"

/* What a source would list. "auto" is what it would switch on without being asked and
 * expects of us; nothing is. */
static const char *const peer_capabilities[] = {
    "xbzrle",
    "auto-converge",
    "rdma-pin-all",
    "postcopy-ram",
    "compress",
    "pause-before-switchover",
    "late-block-activate",
    "multifd",
    "dirty-bitmaps",
    "return-path",
};

G_GNUC_PRINTF(2, 3)

static bool
set_bad(GError **error, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE, "cannot resume through libvirt: %s",
                message);
    return false;
}

static bool
check_name(const char *name, GError **error)
{
    if (!name || !*name || !g_utf8_validate(name, -1, NULL) || strchr(name, '/')) {
        return set_bad(error, "the domain's name is empty, not UTF-8 or has a slash");
    }
    for (const char *p = name; *p; p++) {
        if (g_ascii_iscntrl(*p)) {
            return set_bad(error, "the domain's name has a control character");
        }
    }
    return true;
}

static bool
check_socket(const char *path, GError **error)
{
    const size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

    if (!path || path[0] != '/' || strstr(path, "//") || g_str_has_suffix(path, "/")) {
        return set_bad(error, "the socket's path is not absolute");
    }
    if (strlen(path) > max) {
        return set_bad(error, "the socket's path is longer than %zu bytes", max);
    }
    /* It goes through a URI and through QEMU's own syntax, each with its escapes. */
    for (const char *p = path; *p; p++) {
        if (!g_ascii_isalnum(*p) && !strchr("/._-+@", *p)) {
            return set_bad(error,
                           "the socket's path has a character that needs escaping");
        }
    }
    return true;
}

static bool
check_modes(const FsnMigrateIn *in, GError **error)
{
    if (in->postcopy && in->paused) {
        return set_bad(error, "a paused guest cannot be resumed by postcopy");
    }
    if (in->resume && !in->postcopy) {
        return set_bad(error, "only a postcopy can be continued");
    }
    return true;
}

static bool
check_description(const FsnMigrateIn *in, GError **error)
{
    g_autoptr(FsnDomainFacts) facts = NULL;

    if (!in->xml) {
        return set_bad(error, "there is no description of the guest");
    }
    if (!in->uuid || !fsn_uuid_is_canonical(in->uuid)) {
        return set_bad(error, "the domain's UUID is not valid");
    }
    if (!fsn_domain_facts_parse(in->xml, &facts, error)) {
        return false;
    }
    if (strcmp(facts->name, in->name) != 0 || strcmp(facts->uuid, in->uuid) != 0) {
        return set_bad(error, "the description is of another domain than '%s'", in->name);
    }
    return true;
}

static bool
append_cpu(GString *cookie, const char *cpu_xml, GError **error)
{
    g_autofree char *element = NULL;

    if (!cpu_xml) {
        return true;
    }
    if (!fsn_xml_one_element(cpu_xml, "cpu", &element, error)) {
        return false;
    }
    g_string_append(cookie, element);
    return true;
}

static bool
build_cookie(const FsnMigrateIn *in,
             const char *host_uuid,
             GString *cookie,
             GError **error)
{
    bool same = strcmp(host_uuid, PEER_UUID) == 0;
    g_autofree char *name = g_markup_escape_text(in->name, -1);
    g_autofree char *checked = NULL;

    g_string_append_printf(cookie,
                           "<qemu-migration><name>%s</name><uuid>%s</uuid>"
                           "<hostname>" PEER_NAME "</hostname><hostuuid>%s</hostuuid>",
                           name, in->uuid, same ? PEER_UUID_OTHER : PEER_UUID);
    if (!append_cpu(cookie, in->cpu_xml, error)) {
        return false;
    }
    g_string_append(cookie, "<capabilities>");
    for (size_t i = 0; i < G_N_ELEMENTS(peer_capabilities); i++) {
        g_string_append_printf(cookie, "<cap name='%s' auto='no'/>",
                               peer_capabilities[i]);
    }
    g_string_append(cookie, "</capabilities></qemu-migration>");
    /* libvirtd must be able to read what we send. */
    return fsn_xml_one_element(cookie->str, "qemu-migration", &checked, error);
}

static unsigned
build_flags(const FsnMigrateIn *in)
{
    /* UNSAFE: the disks are where they were; there is no other host. */
    unsigned flags = VIR_MIGRATE_LIVE | VIR_MIGRATE_UNSAFE;

    if (in->postcopy) {
        flags |= VIR_MIGRATE_POSTCOPY;
    }
    if (in->paused) {
        flags |= VIR_MIGRATE_PAUSED;
    }
    if (in->resume) {
        flags |= VIR_MIGRATE_POSTCOPY_RESUME;
    }
    return flags;
}

bool
fsn_migrate_args_build(const FsnMigrateIn *in,
                       const char *host_uuid,
                       FsnMigrateArgs **out_args,
                       GError **error)
{
    g_autoptr(GString) cookie = g_string_new("");
    g_autoptr(FsnMigrateArgs) args = NULL;

    if (!host_uuid || !fsn_uuid_is_canonical(host_uuid)) {
        return set_bad(error, "the host's UUID is not known");
    }
    if (!check_name(in->name, error) || !check_socket(in->socket_path, error) ||
        !check_modes(in, error) || !check_description(in, error) ||
        !build_cookie(in, host_uuid, cookie, error)) {
        return false;
    }
    args = g_new0(FsnMigrateArgs, 1);
    args->xml = g_strdup(in->xml);
    args->name = g_strdup(in->name);
    args->uri = g_strconcat("unix://", in->socket_path, NULL);
    args->flags = build_flags(in);
    args->cookie_len = cookie->len + 1;
    args->cookie = g_string_free(g_steal_pointer(&cookie), FALSE);
    *out_args = g_steal_pointer(&args);
    return true;
}

void
fsn_migrate_args_free(FsnMigrateArgs *args)
{
    if (args) {
        g_free(args->xml);
        g_free(args->name);
        g_free(args->uri);
        g_free(args->cookie);
        g_free(args);
    }
}
