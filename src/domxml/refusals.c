/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What cannot be suspended, by name. Devices are allowed by list: an element of <devices>
 * that is not in the table below is refused, so that a device of a newer libvirt is never
 * saved without its state. The reasons are of three kinds: memory written from outside QEMU
 * (VFIO, vDPA, vhost-user, ivshmem), which bypasses write protection and tears the image;
 * state kept outside QEMU (virtiofs, 9p, pmem, TPM hardware); and memory that QEMU streams
 * in another way (virtio-mem, encrypted guests).
 */
#include "config.h"

#include "domxml/refusals-private.h"

#include "domxml/document-private.h"

#include <string.h>

/* Checks one element and appends at most one sentence. */
typedef void (*CheckDevice)(const xmlNode *device, GPtrArray *refusals);

typedef struct {
    const char *name;
    CheckDevice check; /* NULL: always allowed */
} DeviceRule;

G_GNUC_PRINTF(2, 3)

static void
refuse(GPtrArray *refusals, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(refusals, g_strdup_vprintf(format, args));
    va_end(args);
}

static void
check_disk(const xmlNode *device, GPtrArray *refusals)
{
    g_autofree char *target = fsn_node_attribute(fsn_node_child(device, "target"), "dev");
    g_autofree char *kind = fsn_node_attribute(device, "type");
    const char *name = target ? target : "without a target";
    static const char *const outside[] = { "vhostuser", "vhostvdpa", "nvme", NULL };

    if (kind && g_strv_contains(outside, kind)) {
        refuse(refusals, "disk '%s' of type '%s' writes to memory from outside QEMU",
               name, kind);
    } else if (fsn_node_attribute_is(device, "device", "lun")) {
        refuse(refusals, "disk '%s' is a passed-through SCSI device", name);
    } else if (fsn_node_child(device, "transient")) {
        refuse(refusals, "disk '%s' is transient: its contents end with QEMU", name);
    }
}

static void
check_interface(const xmlNode *device, GPtrArray *refusals)
{
    static const char *const allowed[] = { "network", "bridge", "user",     "ethernet",
                                           "direct",  "mcast",  "server",   "client",
                                           "udp",     "null",   "internal", NULL };
    g_autofree char *kind = fsn_node_attribute(device, "type");
    g_autofree char *mac = fsn_node_attribute(fsn_node_child(device, "mac"), "address");

    if (!kind || !g_strv_contains(allowed, kind)) {
        refuse(refusals, "network interface '%s' of type '%s' is not known to be safe",
               mac ? mac : "without a MAC", kind ? kind : "none");
    } else if (fsn_node_child(device, "teaming")) {
        refuse(refusals, "network interface '%s' is teamed with a host device",
               mac ? mac : "without a MAC");
    }
}

static void
check_memory(const xmlNode *device, GPtrArray *refusals)
{
    g_autofree char *model = fsn_node_attribute(device, "model");

    /* A dimm is plain RAM. The others keep their contents in a host file or tell QEMU's
     * stream which parts exist by records of their own. */
    if (g_strcmp0(model, "dimm") != 0) {
        refuse(refusals, "memory device of model '%s' cannot be saved",
               model ? model : "none");
    }
}

static void
check_tpm(const xmlNode *device, GPtrArray *refusals)
{
    const xmlNode *backend = fsn_node_child(device, "backend");

    if (!fsn_node_attribute_is(backend, "type", "emulator")) {
        refuse(refusals, "TPM of the host cannot be saved; use an emulated one");
    }
}

static void
check_video(const xmlNode *device, GPtrArray *refusals)
{
    const xmlNode *model = fsn_node_child(device, "model");
    const xmlNode *acceleration = fsn_node_child(model, "acceleration");

    if (fsn_node_attribute_is(fsn_node_child(device, "driver"), "name", "vhostuser")) {
        refuse(refusals, "video device with vhost-user runs outside QEMU");
    } else if (fsn_node_attribute_is(acceleration, "accel3d", "yes")) {
        refuse(refusals,
               "video device with 3D acceleration keeps state in the host's GPU");
    }
}

static void
check_input(const xmlNode *device, GPtrArray *refusals)
{
    if (fsn_node_attribute_is(device, "type", "passthrough")) {
        refuse(refusals, "input device of the host is passed through");
    }
}

static void
check_filesystem(const xmlNode *device, GPtrArray *refusals)
{
    g_autofree char *target = fsn_node_attribute(fsn_node_child(device, "target"), "dir");
    bool virtiofs =
        fsn_node_attribute_is(fsn_node_child(device, "driver"), "type", "virtiofs");

    refuse(refusals, "shared folder '%s' (%s) keeps its open files outside QEMU",
           target ? target : "unnamed", virtiofs ? "virtiofs" : "9p");
}

static void
check_hostdev(const xmlNode *device, GPtrArray *refusals)
{
    g_autofree char *mode = fsn_node_attribute(device, "mode");
    g_autofree char *kind = fsn_node_attribute(device, "type");

    refuse(refusals, "host device (%s, %s) is passed through", mode ? mode : "subsystem",
           kind ? kind : "unknown type");
}

static void
check_shmem(const xmlNode *device, GPtrArray *refusals)
{
    g_autofree char *name = fsn_node_attribute(device, "name");

    refuse(refusals, "shared memory device '%s' (ivshmem) is written from outside QEMU",
           name ? name : "unnamed");
}

static const DeviceRule device_rules[] = {
    { "emulator", NULL },
    { "controller", NULL },
    { "lease", NULL },
    { "serial", NULL },
    { "parallel", NULL },
    { "console", NULL },
    { "channel", NULL },
    { "graphics", NULL },
    { "sound", NULL },
    { "audio", NULL },
    { "watchdog", NULL },
    { "memballoon", NULL },
    { "rng", NULL },
    { "panic", NULL },
    { "hub", NULL },
    { "redirdev", NULL },
    { "redirfilter", NULL },
    { "disk", check_disk },
    { "interface", check_interface },
    { "memory", check_memory },
    { "tpm", check_tpm },
    { "video", check_video },
    { "input", check_input },
    { "filesystem", check_filesystem },
    { "hostdev", check_hostdev },
    { "shmem", check_shmem },
};

static void
check_device(const xmlNode *device, GPtrArray *refusals)
{
    const char *name = (const char *)device->name;

    for (size_t i = 0; i < G_N_ELEMENTS(device_rules); i++) {
        if (strcmp(device_rules[i].name, name) == 0) {
            if (device_rules[i].check) {
                device_rules[i].check(device, refusals);
            }
            return;
        }
    }
    refuse(refusals, "device '%s' is not known to be safe", name);
}

/* Arguments behind libvirt's back: only what is known to be harmful is refused, since the
 * operator who wrote them asked for more than libvirt offers. */
static void
check_argument(const char *argument, GPtrArray *refusals)
{
    static const char *const harmful[] = { "vfio",   "vhost-user", "vhost-vdpa",
                                           "pvrdma", "ivshmem",    "virtio-mem",
                                           "nvdimm", "virtio-pmem" };

    for (size_t i = 0; i < G_N_ELEMENTS(harmful); i++) {
        if (strstr(argument, harmful[i])) {
            refuse(refusals, "QEMU argument '%s' adds a device that cannot be saved",
                   argument);
            return;
        }
    }
}

void
fsn_refusals_collect(const xmlNode *domain, GPtrArray *refusals)
{
    const xmlNode *devices = fsn_node_child(domain, "devices");
    const xmlNode *security = fsn_node_child(domain, "launchSecurity");
    const xmlNode *commandline = fsn_node_child(domain, "commandline");

    if (security) {
        g_autofree char *kind = fsn_node_attribute(security, "type");

        refuse(refusals, "memory is encrypted for the guest alone (%s)",
               kind ? kind : "unknown type");
    }
    for (const xmlNode *device = fsn_node_child(devices, NULL); device;
         device = fsn_node_next(device, NULL)) {
        check_device(device, refusals);
    }
    for (const xmlNode *arg = fsn_node_child(commandline, "arg"); arg;
         arg = fsn_node_next(arg, "arg")) {
        g_autofree char *value = fsn_node_attribute(arg, "value");

        if (value) {
            check_argument(value, refusals);
        }
    }
}
