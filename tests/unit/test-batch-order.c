/* SPDX-License-Identifier: GPL-2.0-or-later */
/* batch/order.c: who waits for whom, and what a failure costs. */
#include "config.h"

#include "base/error.h"
#include "batch/order.h"

#include <string.h>

#define MOST 8

typedef struct {
    const char *name;
    int order;
    const char *after[3];
} Domain;

static GPtrArray *
make(const Domain *domains)
{
    GPtrArray *all =
        g_ptr_array_new_with_free_func((GDestroyNotify)fsn_batch_domain_free);

    for (; domains->name; domains++) {
        FsnBatchDomain *domain = g_new0(FsnBatchDomain, 1);

        domain->name = g_strdup(domains->name);
        domain->order = domains->order;
        domain->after = g_strdupv((char **)domains->after);
        g_ptr_array_add(all, domain);
    }
    return all;
}

/* Works it off one by one; those in @failing fail, "!" stands before them. */
static char *
work(FsnBatchVerb verb, const Domain *domains, const char *failing)
{
    g_autoptr(GPtrArray) all = make(domains);
    g_autoptr(FsnBatchOrder) order = fsn_batch_order_new(verb, all, NULL);
    GString *text = g_string_new(NULL);
    int i;

    g_assert_nonnull(order);
    while ((i = fsn_batch_order_next(order)) >= 0) {
        const FsnBatchDomain *domain = all->pdata[i];
        bool done = !strstr(failing, domain->name);

        g_string_append_printf(text, "%s%s ", done ? "" : "!", domain->name);
        fsn_batch_order_end(order, (guint)i, done);
    }
    for (guint k = 0; k < all->len; k++) {
        const char *blamed = fsn_batch_order_blamed(order, k);

        if (fsn_batch_order_state(order, k) == FSN_BATCH_SKIPPED) {
            g_string_append_printf(text, "%s<%s ",
                                   ((FsnBatchDomain *)all->pdata[k])->name, blamed);
        }
    }
    return g_string_free(text, FALSE);
}

static const Domain plain[] = { { "a" }, { "b" }, { "c" }, { NULL } };
static const Domain chain[] = { { "app", 0, { "db", "cache" } },
                                { "cache", 0, { "net" } },
                                { "db", 0, { "elsewhere" } },
                                { "net" },
                                { NULL } };
static const Domain numbers[] = {
    { "late", 9 }, { "soon", 1 }, { "first", -1 }, { NULL }
};

static void
test_order(void)
{
    const struct {
        FsnBatchVerb verb;
        const Domain *domains;
        const char *failing;
        const char *wanted;
    } cases[] = {
        { FSN_BATCH_RESUME, plain, "", "a b c " },
        { FSN_BATCH_SUSPEND, plain, "", "a b c " },
        { FSN_BATCH_RESUME, chain, "", "db net cache app " },
        { FSN_BATCH_SUSPEND, chain, "", "app cache db net " },
        { FSN_BATCH_RESUME, numbers, "", "first soon late " },
        { FSN_BATCH_SUSPEND, numbers, "", "late soon first " },
        { FSN_BATCH_SNAPSHOT, numbers, "", "first soon late " },
        /* what needs a failed one is left alone, the others are not */
        { FSN_BATCH_RESUME, chain, "net", "db !net app<cache cache<net " },
        { FSN_BATCH_SUSPEND, chain, "app", "!app cache<app db<app net<cache " },
        { FSN_BATCH_RESUME, numbers, "first", "!first soon late " },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = work(cases[i].verb, cases[i].domains, cases[i].failing);

        g_assert_cmpstr(text, ==, cases[i].wanted);
    }
}

/* Several at a time: nobody begins before what he waits for has ended. */
static void
test_at_a_time(void)
{
    g_autoptr(GPtrArray) all = make(chain);
    g_autoptr(FsnBatchOrder) order = fsn_batch_order_new(FSN_BATCH_RESUME, all, NULL);

    g_assert_cmpint(fsn_batch_order_next(order), ==, 2); /* db */
    g_assert_cmpint(fsn_batch_order_next(order), ==, 3); /* net */
    g_assert_cmpint(fsn_batch_order_next(order), ==, -1);
    fsn_batch_order_end(order, 2, true);
    g_assert_cmpint(fsn_batch_order_next(order), ==, -1);
    fsn_batch_order_end(order, 3, true);
    g_assert_cmpint(fsn_batch_order_next(order), ==, 1); /* cache */
    g_assert_cmpint(fsn_batch_order_next(order), ==, -1);
    fsn_batch_order_end(order, 1, true);
    g_assert_cmpint(fsn_batch_order_next(order), ==, 0);
    fsn_batch_order_end(order, 0, true);
    g_assert_cmpint(fsn_batch_order_next(order), ==, -1);
    g_assert_cmpint(fsn_batch_order_state(order, 0), ==, FSN_BATCH_DONE);
}

static void
test_circle(void)
{
    static const Domain circles[][MOST] = {
        { { "a", 0, { "b" } }, { "b", 0, { "a" } }, { "c" }, { NULL } },
        { { "a", 0, { "b" } }, { "b", 5 }, { "c" }, { NULL } },
        { { "a", 0, { "c" } }, { "b", 0, { "a" } }, { "c", 0, { "b" } }, { NULL } },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(circles); i++) {
        g_autoptr(GPtrArray) all = make(circles[i]);
        g_autoptr(GError) error = NULL;

        g_assert_null(fsn_batch_order_new(FSN_BATCH_SUSPEND, all, &error));
        g_assert_error(error, FSN_ERROR, FSN_ERROR_USAGE);
        g_assert_nonnull(strstr(error->message, "'a', 'b'"));
    }
}

static void
test_self(void)
{
    static const Domain alone[] = { { "a", 0, { "a" } }, { NULL } };
    g_autofree char *text = work(FSN_BATCH_RESUME, alone, "");

    g_assert_cmpstr(text, ==, "a ");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/batch-order/order", test_order);
    g_test_add_func("/batch-order/at-a-time", test_at_a_time);
    g_test_add_func("/batch-order/circle", test_circle);
    g_test_add_func("/batch-order/self", test_self);
    return g_test_run();
}
