/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds a QMP transaction and runs it. The actions are kept as JSON in the order given; QEMU
 * judges them. Nothing is waited for here but QEMU's answer: when it comes, the instant has
 * been.
 */
#include "config.h"

#include "qmp/transaction.h"

#include "qmp/words.h"

struct FsnQmpTransaction {
    JsonArray *actions;
};

FsnQmpTransaction *
fsn_qmp_transaction_new(void)
{
    FsnQmpTransaction *transaction = g_new0(FsnQmpTransaction, 1);

    transaction->actions = json_array_new();
    return transaction;
}

void
fsn_qmp_transaction_free(FsnQmpTransaction *transaction)
{
    if (!transaction) {
        return;
    }
    json_array_unref(transaction->actions);
    g_free(transaction);
}

unsigned
fsn_qmp_transaction_length(const FsnQmpTransaction *transaction)
{
    return json_array_get_length(transaction->actions);
}

/* The arguments of a new action, to be filled; they belong to @transaction. */
static JsonObject *
add_action(FsnQmpTransaction *transaction, const char *type)
{
    JsonObject *action = json_object_new();
    JsonObject *data = json_object_new();

    json_object_set_string_member(action, "type", type);
    json_object_set_object_member(action, "data", data);
    json_array_add_object_element(transaction->actions, action);
    return data;
}

static JsonObject *
add_bitmap_action(FsnQmpTransaction *transaction,
                  const char *type,
                  const char *node,
                  const char *name)
{
    JsonObject *data = add_action(transaction, type);

    json_object_set_string_member(data, "node", node);
    json_object_set_string_member(data, "name", name);
    return data;
}

void
fsn_qmp_transaction_add_bitmap(FsnQmpTransaction *transaction,
                               const char *node,
                               const char *name,
                               uint32_t granularity,
                               bool persistent)
{
    JsonObject *data =
        add_bitmap_action(transaction, "block-dirty-bitmap-add", node, name);

    json_object_set_int_member(data, "granularity", granularity);
    json_object_set_boolean_member(data, "persistent", persistent);
}

void
fsn_qmp_transaction_disable_bitmap(FsnQmpTransaction *transaction,
                                   const char *node,
                                   const char *name)
{
    add_bitmap_action(transaction, "block-dirty-bitmap-disable", node, name);
}

void
fsn_qmp_transaction_enable_bitmap(FsnQmpTransaction *transaction,
                                  const char *node,
                                  const char *name)
{
    add_bitmap_action(transaction, "block-dirty-bitmap-enable", node, name);
}

void
fsn_qmp_transaction_clear_bitmap(FsnQmpTransaction *transaction,
                                 const char *node,
                                 const char *name)
{
    add_bitmap_action(transaction, "block-dirty-bitmap-clear", node, name);
}

void
fsn_qmp_transaction_remove_bitmap(FsnQmpTransaction *transaction,
                                  const char *node,
                                  const char *name)
{
    add_bitmap_action(transaction, "block-dirty-bitmap-remove", node, name);
}

void
fsn_qmp_transaction_merge_bitmap(FsnQmpTransaction *transaction,
                                 const char *node,
                                 const char *target,
                                 const char *source)
{
    JsonObject *data = add_action(transaction, "block-dirty-bitmap-merge");
    JsonArray *sources = json_array_new();

    json_array_add_string_element(sources, source);
    json_object_set_string_member(data, "node", node);
    json_object_set_string_member(data, "target", target);
    json_object_set_array_member(data, "bitmaps", sources);
}

void
fsn_qmp_transaction_backup_none(FsnQmpTransaction *transaction,
                                const char *job_id,
                                const char *node,
                                const char *target,
                                const char *filter)
{
    JsonObject *data = add_action(transaction, "blockdev-backup");

    json_object_set_string_member(data, "job-id", job_id);
    json_object_set_string_member(data, "device", node);
    json_object_set_string_member(data, "target", target);
    json_object_set_string_member(data, "sync", "none");
    if (filter) {
        json_object_set_string_member(data, "filter-node-name", filter);
    }
    /* Its nodes are free as soon as it ends, while the reason for the end is kept. */
    json_object_set_boolean_member(data, "auto-finalize", true);
    json_object_set_boolean_member(data, "auto-dismiss", false);
}

bool
fsn_qmp_transaction_run(FsnQmp *qmp, const FsnQmpTransaction *transaction, GError **error)
{
    g_autoptr(JsonObject) arguments = json_object_new();

    json_object_set_array_member(arguments, "actions",
                                 json_array_ref(transaction->actions));
    return fsn_qmp_execute_judged(qmp, "transaction", arguments, error);
}
