/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of a batch as a graph: node i waits for others. Snapshots have no order among
 * domains but the one that is asked for by number, like a start.
 */
#include "config.h"

#include "batch/order.h"

#include "base/error.h"

typedef struct {
    FsnBatchState state;
    GArray *waits_for;  /* guint */
    const char *blamed; /* name of a domain */
} Node;

struct FsnBatchOrder {
    GPtrArray *domains;
    Node *nodes;
};

static const FsnBatchDomain *
domain_at(const FsnBatchOrder *order, guint i)
{
    return order->domains->pdata[i];
}

static bool
needs(const FsnBatchDomain *domain, const FsnBatchDomain *other)
{
    return domain->after &&
           g_strv_contains((const char *const *)domain->after, other->name);
}

/* Whether @a starts after @b. */
static bool
starts_after(const FsnBatchDomain *a, const FsnBatchDomain *b)
{
    return a->order > b->order || needs(a, b);
}

static void
connect_nodes(FsnBatchOrder *order, FsnBatchVerb verb)
{
    for (guint i = 0; i < order->domains->len; i++) {
        for (guint k = 0; k < order->domains->len; k++) {
            const FsnBatchDomain *first = domain_at(order, i);
            const FsnBatchDomain *second = domain_at(order, k);
            bool waits = verb == FSN_BATCH_SUSPEND ? starts_after(second, first)
                                                   : starts_after(first, second);

            if (i != k && waits) {
                g_array_append_val(order->nodes[i].waits_for, k);
            }
        }
    }
}

/* Kahn: what can never be taken away is in a circle, or behind one. */
static bool
check_circles(const FsnBatchOrder *order, GError **error)
{
    guint n = order->domains->len;
    g_autofree bool *gone = g_new0(bool, MAX(n, 1));
    g_autoptr(GString) names = g_string_new(NULL);
    bool moved = true;

    while (moved) {
        moved = false;
        for (guint i = 0; i < n; i++) {
            const GArray *waits = order->nodes[i].waits_for;
            bool free_now = !gone[i];

            for (guint k = 0; k < waits->len; k++) {
                free_now = free_now && gone[g_array_index(waits, guint, k)];
            }
            if (free_now) {
                gone[i] = moved = true;
            }
        }
    }
    for (guint i = 0; i < n; i++) {
        if (!gone[i]) {
            g_string_append_printf(names, "%s'%s'", names->len > 0 ? ", " : "",
                                   domain_at(order, i)->name);
        }
    }
    if (names->len > 0) {
        g_set_error(error, FSN_ERROR, FSN_ERROR_USAGE,
                    "domains wait for each other in a circle: %s", names->str);
        return false;
    }
    return true;
}

FsnBatchOrder *
fsn_batch_order_new(FsnBatchVerb verb, GPtrArray *domains, GError **error)
{
    g_autoptr(FsnBatchOrder) order = g_new0(FsnBatchOrder, 1);

    order->domains = domains;
    order->nodes = g_new0(Node, MAX(domains->len, 1));
    for (guint i = 0; i < domains->len; i++) {
        order->nodes[i].waits_for = g_array_new(FALSE, FALSE, sizeof(guint));
    }
    connect_nodes(order, verb);
    if (!check_circles(order, error)) {
        return NULL;
    }
    return g_steal_pointer(&order);
}

void
fsn_batch_order_free(FsnBatchOrder *order)
{
    if (!order) {
        return;
    }
    for (guint i = 0; i < order->domains->len; i++) {
        g_array_unref(order->nodes[i].waits_for);
    }
    g_free(order->nodes);
    g_free(order);
}

/* False while it has to wait. One that waits in vain is marked as skipped; order by number
 * alone is no reason for that. */
static bool
is_ready(FsnBatchOrder *order, guint i)
{
    Node *node = &order->nodes[i];

    for (guint k = 0; k < node->waits_for->len; k++) {
        guint other = g_array_index(node->waits_for, guint, k);
        const Node *before = &order->nodes[other];
        bool tied = needs(domain_at(order, i), domain_at(order, other)) ||
                    needs(domain_at(order, other), domain_at(order, i));

        switch (before->state) {
        case FSN_BATCH_WAITING:
        case FSN_BATCH_RUNNING:
            return false;
        case FSN_BATCH_FAILED:
        case FSN_BATCH_SKIPPED:
            if (tied) {
                node->state = FSN_BATCH_SKIPPED;
                node->blamed = domain_at(order, other)->name;
                return false;
            }
            break;
        case FSN_BATCH_DONE:
            break;
        }
    }
    return true;
}

int
fsn_batch_order_next(FsnBatchOrder *order)
{
    bool skipped = true;

    /* One that is skipped may be what an earlier one of the list waits for. */
    while (skipped) {
        skipped = false;
        for (guint i = 0; i < order->domains->len; i++) {
            Node *node = &order->nodes[i];

            if (node->state != FSN_BATCH_WAITING) {
                continue;
            }
            if (is_ready(order, i)) {
                node->state = FSN_BATCH_RUNNING;
                return (int)i;
            }
            skipped = skipped || node->state == FSN_BATCH_SKIPPED;
        }
    }
    return -1;
}

void
fsn_batch_order_end(FsnBatchOrder *order, guint i, bool done)
{
    g_return_if_fail(order->nodes[i].state == FSN_BATCH_RUNNING);
    order->nodes[i].state = done ? FSN_BATCH_DONE : FSN_BATCH_FAILED;
}

FsnBatchState
fsn_batch_order_state(const FsnBatchOrder *order, guint i)
{
    return order->nodes[i].state;
}

const char *
fsn_batch_order_blamed(const FsnBatchOrder *order, guint i)
{
    return order->nodes[i].blamed;
}
