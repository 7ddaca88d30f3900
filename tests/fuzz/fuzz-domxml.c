/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as domain XML: facts or an error; what was edited can be read again. */
#include "config.h"

#include "domxml/domain-facts.h"
#include "domxml/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_same_machine(const FsnDomainFacts *a, const FsnDomainFacts *b)
{
    return g_strcmp0(a->type, b->type) == 0 && g_strcmp0(a->arch, b->arch) == 0 &&
           g_strcmp0(a->machine, b->machine) == 0 && a->memory_bytes == b->memory_bytes &&
           a->vcpus == b->vcpus && a->disks->len == b->disks->len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const args[] = { "-incoming", "defer", NULL };
    g_autofree char *xml = g_strndup((const char *)data, size);
    g_autofree char *edited = NULL;
    g_autoptr(FsnDomainFacts) facts = NULL;
    g_autoptr(FsnDomainFacts) again = NULL;

    if (!fsn_domain_facts_parse(xml, &facts, NULL)) {
        return 0;
    }
    if (!fsn_domain_xml_add_arguments(xml, args, &edited, NULL) ||
        !fsn_domain_facts_parse(edited, &again, NULL) || !is_same_machine(facts, again)) {
        g_error("an edit changed the facts of '%s'", xml);
    }
    return 0;
}
