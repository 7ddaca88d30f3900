/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users and load of a guest, through its agent. A guest may answer anything, or never: answers
 * are bounded, and each question has its own time limit, after which libvirt gives it up.
 */
#include "config.h"

#include "virt/guest-load.h"

#include "base/json.h"
#include "virt/domain-private.h"
#include "virt/error-private.h"

#include <libvirt/libvirt-qemu.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ANSWER ((size_t)1 << 20)

static bool
parse(const char *answer, JsonObject **out_object)
{
    return fsn_json_parse_object(answer, strlen(answer), MAX_ANSWER, "the agent's answer",
                                 out_object, NULL);
}

double
fsn_guest_users_parse(const char *answer)
{
    g_autoptr(JsonObject) object = NULL;
    JsonArray *users;

    return parse(answer, &object) && fsn_json_get_array(object, "return", &users, NULL)
               ? (double)json_array_get_length(users)
               : -1;
}

double
fsn_guest_load_parse(const char *answer)
{
    g_autoptr(JsonObject) object = NULL;
    JsonObject *load;
    JsonNode *node;
    double value = -1;

    if (parse(answer, &object) && fsn_json_get_object(object, "return", &load, NULL)) {
        node = json_object_get_member(load, "load1m");
        if (node && JSON_NODE_HOLDS_VALUE(node)) {
            value = json_node_get_double(node);
        }
    }
    return isfinite(value) && value >= 0 ? value : -1;
}

/* NULL with @error set if there is no answer; libvirt's, to be freed with free(). */
static char *
ask(FsnVirtDomain *domain, const char *command, int timeout_s, GError **error)
{
    char *answer =
        virDomainQemuAgentCommand(fsn_virt_domain_handle(domain), command, timeout_s, 0);

    if (!answer) {
        fsn_virt_set_error(error, "cannot ask the agent of '%s'",
                           fsn_virt_domain_name(domain));
    }
    return answer;
}

bool
fsn_virt_guest_load(FsnVirtDomain *domain,
                    int timeout_s,
                    FsnGuestLoad *out_load,
                    GError **error)
{
    FsnGuestLoad load = { .users = -1, .load = -1 };
    char *answer = ask(domain, "{\"execute\":\"guest-get-users\"}", timeout_s, error);

    if (!answer) {
        return false;
    }
    load.users = fsn_guest_users_parse(answer);
    free(answer);
    /* Agents before QEMU 10.1 do not know this one. */
    answer = ask(domain, "{\"execute\":\"guest-get-load\"}", timeout_s, NULL);
    if (answer) {
        load.load = fsn_guest_load_parse(answer);
        free(answer);
    }
    *out_load = load;
    return true;
}
