/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The init process, and the only one, of the guests that the tests suspend and resume.
 *
 * It fills memory with pages that can be checked, prints a heartbeat on the serial
 * console and obeys commands from it. A page holds its generation and a pseudo-random
 * sequence of (page number, generation), so that a wrong, a misplaced and an outdated
 * page are all found. The guest is the judge of every resume: nothing on the host knows
 * what its memory should be.
 *
 * Options on the kernel's command line:
 *     memguest.fill=MIB     memory to fill (default 64)
 *     memguest.ws=PAGES     pages that each heartbeat looks at, spread over all (4096)
 *     memguest.tick=MS      time between heartbeats (20)
 *     memguest.plain=PCT    part of each page that compresses to nothing (0)
 *     memguest.mount=N      mount the N-th disk, which has ext4, instead of writing to it
 *     memguest.agent=1      run the QEMU guest agent, which the initramfs has then
 * Lines it prints, each a word and name=value pairs:
 *     READY pages= ms= disks=       filled; the heartbeat begins
 *     H seq= t= bad=                t: CLOCK_MONOTONIC in s; bad: wrong pages it has met
 *     VERIFY pages= bad= stale= ms= answer to "verify": wrong content, old generation
 *     CLOCK us=                     answer to "clock": CLOCK_REALTIME
 * Commands: verify | clock | dirty PAGES_PER_TICK | beat on|off | ping TOKEN | reboot | poweroff
 *           agent silent (connects the guest agent's channel and says nothing there)
 *           litter MIB (fills as much more and gives it back to the kernel)
 *           corrupt PAGE (flips a bit) | outdate PAGE (puts its previous content back)
 *           log BLOCKS (appends as many to a file on the mounted disk, and syncs it)
 *           disk-every TICKS | fill DISK FIRST_MIB MIB SEED | scatter DISK BLOCKS SEED
 * The power button powers off as well. A counter is written to the first block of each of
 * /dev/vda to /dev/vdd, one after the other, twice a second or at every so many heartbeats.
 * What was written is in memory too, and compared before the next is: "DISK stale" says that
 * memory and disk are not of one instant.
 */

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/input.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PAGE_SIZE      4096
#define PAGE_WORDS     (PAGE_SIZE / 8)
#define QUICK_WORDS    8  /* words of a page that a heartbeat compares */
#define DISK_EVERY     25 /* heartbeats between two writes to a disk */
#define MAX_DISKS      4
#define DISK_CHUNK     (64 * PAGE_SIZE)
#define VERIFY_AT_ONCE 64 /* pages verified before the clock is looked at */
#define MAX_INPUTS     8

typedef struct {
    uint64_t *pages;
    uint32_t *generations; /* what each page should hold */
    uint64_t n_pages;
    uint64_t working_set;
    unsigned tick_ms;
    unsigned random_words; /* of each page; the rest repeats the last one */
    uint64_t dirty_per_tick;
    uint64_t random_state;
    uint64_t sequence;
    uint64_t bad;
    bool beating;
    bool verifying;
    uint64_t verify_next, verify_bad, verify_stale, verify_began_us;
    int disks[MAX_DISKS];
    uint64_t written[MAX_DISKS]; /* counter on each, 0: none since this boot */
    size_t n_disks;
    unsigned disk_every;
    int inputs[MAX_INPUTS];
    size_t n_inputs;
} MemGuest;

static uint64_t
now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t
next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* Word 0 is the generation; the others a linear congruential sequence, which software
 * emulation computes at a reasonable speed, with the good high bits mixed down. */
typedef struct {
    uint64_t x, step;
} PageSequence;

static PageSequence
page_sequence(uint64_t page, uint32_t generation)
{
    uint64_t seed = page << 24 ^ generation;
    PageSequence s = { .x = next_random(&seed), .step = next_random(&seed) | 1 };

    return s;
}

static uint64_t
page_word(PageSequence *s)
{
    s->x = s->x * 6364136223846793005 + s->step;
    return s->x ^ (s->x >> 29);
}

static void
fill_page(MemGuest *g, uint64_t page, uint32_t generation)
{
    uint64_t *p = g->pages + page * PAGE_WORDS;
    PageSequence s = page_sequence(page, generation);
    uint64_t last = 0;

    p[0] = generation;
    for (unsigned i = 1; i < g->random_words; i++) {
        p[i] = last = page_word(&s);
    }
    for (unsigned i = g->random_words; i < PAGE_WORDS; i++) {
        p[i] = last;
    }
    g->generations[page] = generation;
}

/* Are the first n words of the page what its own generation says? */
static bool
page_is_intact(MemGuest *g, uint64_t page, unsigned n)
{
    const uint64_t *p = g->pages + page * PAGE_WORDS;
    PageSequence s = page_sequence(page, (uint32_t)p[0]);
    uint64_t want = 0;

    for (unsigned i = 1; i < n; i++) {
        if (i < g->random_words) {
            want = page_word(&s);
        }
        if (p[i] != want) {
            return false;
        }
    }
    return p[0] >> 32 == 0;
}

static bool
page_is_current(MemGuest *g, uint64_t page)
{
    return g->pages[page * PAGE_WORDS] == g->generations[page];
}

/* A fixed set of pages spread over all the memory, in a fixed order. */
static void
touch_working_set(MemGuest *g)
{
    for (uint64_t i = 0; i < g->working_set; i++) {
        uint64_t page = i * 7919 % g->n_pages;

        if (!page_is_current(g, page) || !page_is_intact(g, page, QUICK_WORDS)) {
            g->bad++;
        }
    }
}

static void
dirty_some(MemGuest *g)
{
    for (uint64_t i = 0; i < g->dirty_per_tick; i++) {
        uint64_t page = next_random(&g->random_state) % g->n_pages;

        fill_page(g, page, g->generations[page] + 1);
    }
}

/* Part of a verification, until the next heartbeat is due. */
static void
verify_until(MemGuest *g, uint64_t until_us)
{
    while (g->verify_next < g->n_pages) {
        if (g->verify_next % VERIFY_AT_ONCE == 0 && now_us() >= until_us) {
            return;
        }
        g->verify_bad += !page_is_intact(g, g->verify_next, PAGE_WORDS);
        g->verify_stale += !page_is_current(g, g->verify_next);
        g->verify_next++;
    }
    g->verifying = false;
    printf("VERIFY pages=%" PRIu64 " bad=%" PRIu64 " stale=%" PRIu64 " ms=%" PRIu64 "\n",
           g->n_pages, g->verify_bad, g->verify_stale,
           (now_us() - g->verify_began_us) / 1000);
}

static void
describe(char *block, uint64_t counter)
{
    memset(block, 0, PAGE_SIZE);
    snprintf(block, PAGE_SIZE, "memguest seq=%" PRIu64 "\n", counter);
}

static void
write_disk(MemGuest *g, size_t i)
{
    static _Alignas(PAGE_SIZE) char block[PAGE_SIZE], wanted[PAGE_SIZE];

    describe(wanted, g->written[i]);
    if (pread(g->disks[i], block, PAGE_SIZE, 0) != PAGE_SIZE) {
        printf("DISK error\n");
    } else if (g->written[i] != 0 && memcmp(block, wanted, PAGE_SIZE) != 0) {
        printf("DISK stale %zu\n", i);
    }
    g->written[i] = g->sequence;
    describe(block, g->sequence);
    if (pwrite(g->disks[i], block, PAGE_SIZE, 0) != PAGE_SIZE) {
        printf("DISK error\n");
    }
}

static void
write_disks(MemGuest *g)
{
    for (size_t i = 0; g->sequence % g->disk_every == 0 && i < g->n_disks; i++) {
        write_disk(g, i);
    }
}

/* Bytes that do not compress, of @seed and the place. */
static void
write_random(int disk, uint64_t offset, size_t length, uint64_t seed)
{
    static _Alignas(PAGE_SIZE) uint64_t words[DISK_CHUNK / sizeof(uint64_t)];
    uint64_t state = seed ^ offset;

    for (size_t i = 0; i < length / sizeof(uint64_t); i++) {
        words[i] = next_random(&state);
    }
    if (pwrite(disk, words, length, (off_t)offset) != (ssize_t)length) {
        printf("DISK error\n");
    }
}

static void
fill_disk(MemGuest *g, size_t disk, uint64_t first_mib, uint64_t mib, uint64_t seed)
{
    uint64_t began_us = now_us();

    for (uint64_t at = 0; at < mib << 20; at += DISK_CHUNK) {
        write_random(g->disks[disk], (first_mib << 20) + at, DISK_CHUNK, seed);
    }
    fsync(g->disks[disk]);
    printf("FILLED disk=%zu mib=%" PRIu64 " ms=%" PRIu64 "\n", disk, mib,
           (now_us() - began_us) / 1000);
}

/* Single blocks all over the disk, but for the first one. */
static void
scatter(MemGuest *g, size_t disk, uint64_t blocks, uint64_t seed)
{
    off_t size = lseek(g->disks[disk], 0, SEEK_END);
    uint64_t state = seed, began_us = now_us();

    for (uint64_t i = 0; i < blocks; i++) {
        uint64_t block = 1 + next_random(&state) % ((uint64_t)size / PAGE_SIZE - 1);

        write_random(g->disks[disk], block * PAGE_SIZE, PAGE_SIZE, seed);
    }
    fsync(g->disks[disk]);
    printf("SCATTERED disk=%zu blocks=%" PRIu64 " ms=%" PRIu64 "\n", disk, blocks,
           (now_us() - began_us) / 1000);
}

static void
beat(MemGuest *g)
{
    uint64_t t;

    touch_working_set(g);
    dirty_some(g);
    write_disks(g);
    g->sequence++;
    t = now_us();
    printf("H seq=%" PRIu64 " t=%" PRIu64 ".%06" PRIu64 " bad=%" PRIu64 "\n", g->sequence,
           t / 1000000, t % 1000000, g->bad);
}

static void
leave(int how)
{
    printf("BYE\n");
    tcdrain(STDOUT_FILENO);
    sync();
    reboot(how);
}

/* Hangs as long as the file system is frozen. */
static void
write_log(unsigned long blocks)
{
    static const char block[PAGE_SIZE] = "logged";
    int fd = open("/mnt/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    for (unsigned long i = 0; fd >= 0 && i < blocks; i++) {
        if (write(fd, block, sizeof block) != (ssize_t)sizeof block) {
            printf("DISK error\n");
        }
    }
    if (fd < 0 || fsync(fd) != 0) {
        printf("DISK error\n");
    }
    close(fd);
    printf("LOGGED %lu\n", blocks);
}

/* True if the line was about disks. */
static bool
obey_disk(MemGuest *g, const char *line)
{
    unsigned long disk, first, count, seed;

    if (sscanf(line, "disk-every %lu", &count) == 1 && count > 0) {
        g->disk_every = (unsigned)count;
        printf("DISK-EVERY %lu\n", count);
    } else if (sscanf(line, "log %lu", &count) == 1) {
        write_log(count);
    } else if (sscanf(line, "fill %lu %lu %lu %lu", &disk, &first, &count, &seed) == 4 &&
               disk < g->n_disks) {
        fill_disk(g, disk, first, count, seed);
    } else if (sscanf(line, "scatter %lu %lu %lu", &disk, &count, &seed) == 3 &&
               disk < g->n_disks) {
        scatter(g, disk, count, seed);
    } else {
        return false;
    }
    return true;
}

/* Leaves free memory behind that is not zero. */
static void
litter(uint64_t mib)
{
    size_t bytes = mib << 20;
    uint64_t *p =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t state = mib;

    if (p == MAP_FAILED) {
        printf("WHAT no memory for litter\n");
        return;
    }
    for (size_t i = 0; i < bytes / 8; i++) {
        p[i] = next_random(&state);
    }
    munmap(p, bytes);
    printf("LITTERED %" PRIu64 "\n", mib);
}

static void
obey(MemGuest *g, const char *line)
{
    unsigned long rate, page;

    if (obey_disk(g, line)) {
        return;
    }
    if (strcmp(line, "verify") == 0) {
        g->verifying = true;
        g->verify_next = g->verify_bad = g->verify_stale = 0;
        g->verify_began_us = now_us();
    } else if (sscanf(line, "dirty %lu", &rate) == 1) {
        g->dirty_per_tick = rate;
        printf("DIRTY rate=%lu\n", rate);
    } else if (strcmp(line, "beat off") == 0 || strcmp(line, "beat on") == 0) {
        g->beating = line[6] == 'n';
        printf("BEAT %s\n", line + 5);
    } else if (strcmp(line, "clock") == 0) {
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        printf("CLOCK us=%" PRIu64 "\n",
               (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000);
    } else if (strncmp(line, "ping ", 5) == 0) {
        printf("PONG %s\n", line + 5);
    } else if (sscanf(line, "litter %lu", &rate) == 1) {
        litter(rate);
    } else if (sscanf(line, "corrupt %lu", &page) == 1 && page < g->n_pages) {
        g->pages[page * PAGE_WORDS + PAGE_WORDS / 2] ^= 1;
        printf("CORRUPTED %lu\n", page);
    } else if (sscanf(line, "outdate %lu", &page) == 1 && page < g->n_pages) {
        uint32_t now = g->generations[page];

        fill_page(g, page, now - 1);
        g->generations[page] = now;
        printf("OUTDATED %lu\n", page);
    } else if (strcmp(line, "agent silent") == 0) {
        printf("AGENT %s\n", open("/dev/vport0p1", O_RDWR) < 0 ? "missing" : "silent");
    } else if (strcmp(line, "reboot") == 0) {
        leave(RB_AUTOBOOT);
    } else if (strcmp(line, "poweroff") == 0) {
        leave(RB_POWER_OFF);
    } else if (line[0] != '\0') {
        printf("WHAT %s\n", line);
    }
}

/* Assembles lines from whatever the console has; too long ones are cut. */
static void
read_commands(MemGuest *g)
{
    static char line[128];
    static size_t length;
    char c;

    while (read(STDIN_FILENO, &c, 1) == 1) {
        if (c != '\n' && c != '\r') {
            line[length] = c;
            length += length < sizeof line - 1;
            continue;
        }
        line[length] = '\0';
        length = 0;
        obey(g, line);
    }
}

static void
read_power_button(MemGuest *g)
{
    struct input_event event;

    for (size_t i = 0; i < g->n_inputs; i++) {
        while (read(g->inputs[i], &event, sizeof event) == sizeof event) {
            if (event.type == EV_KEY && event.code == KEY_POWER && event.value == 1) {
                leave(RB_POWER_OFF);
            }
        }
    }
}

static void
run(MemGuest *g)
{
    uint64_t due = now_us();

    for (;;) {
        struct pollfd console = { .fd = STDIN_FILENO, .events = POLLIN };
        uint64_t now;

        read_commands(g);
        read_power_button(g);
        if (g->beating) {
            beat(g);
        }
        now = now_us();
        due += g->tick_ms * 1000;
        if (due < now) { /* late, e.g. after a long pause: do not catch up */
            due = now + g->tick_ms * 1000;
        }
        if (g->verifying) {
            verify_until(g, due);
        }
        while ((now = now_us()) < due) {
            if (poll(&console, 1, (int)((due - now + 999) / 1000)) > 0) {
                read_commands(g);
            }
        }
    }
}

/* memguest.NAME=VALUE on the kernel's command line. */
static unsigned long
option(const char *cmdline, const char *name, unsigned long otherwise)
{
    char key[64];
    const char *found;

    snprintf(key, sizeof key, "memguest.%s=", name);
    found = strstr(cmdline, key);
    return found != NULL ? strtoul(found + strlen(key), NULL, 10) : otherwise;
}

/* The kernel's drivers that are modules, in the order of the list. */
static void
load_modules(void)
{
    FILE *list = fopen("/modules/order", "re");
    char name[64], path[80];

    while (list != NULL && fscanf(list, "%63s", name) == 1) {
        int fd;

        snprintf(path, sizeof path, "/modules/%s", name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0) {
            printf("MODULE %s: %m\n", name);
        }
        close(fd);
    }
    if (list != NULL) {
        fclose(list);
    }
}

static void
open_console(void)
{
    int fd = open("/dev/ttyS0", O_RDWR | O_NOCTTY);
    struct termios t;

    for (int i = 0; i < 3; i++) {
        dup2(fd, i);
    }
    if (fd > 2) {
        close(fd);
    }
    tcgetattr(STDIN_FILENO, &t);
    cfmakeraw(&t);
    t.c_cc[VMIN] = 0; /* reads return at once, writes block */
    t.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &t);
    setvbuf(stdout, NULL, _IOLBF, 0);
}

static void
mount_disk(const char *path)
{
    mkdir("/mnt", 0755);
    printf("MOUNT %s: %s\n", path,
           mount(path, "/mnt", "ext4", 0, NULL) == 0 ? "done" : "failed");
}

/* @mounted: number of the disk that is mounted; 0: none. */
static void
open_devices(MemGuest *g, unsigned long mounted)
{
    g->disk_every = DISK_EVERY;
    for (int i = 0; i < MAX_DISKS; i++) {
        char path[] = "/dev/vda";
        int fd;

        path[7] = (char)('a' + i);
        if ((unsigned long)i + 1 == mounted) {
            mount_disk(path);
            continue;
        }
        fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
        if (fd < 0) {
            break;
        }
        g->disks[g->n_disks++] = fd;
    }
    for (int i = 0; i < MAX_INPUTS; i++) {
        char path[32];
        int fd;

        snprintf(path, sizeof path, "/dev/input/event%d", i);
        fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0) {
            g->inputs[g->n_inputs++] = fd;
        }
    }
}

/* The agent of the distribution, on the only port there is. */
static void
start_agent(void)
{
    DIR *dev = opendir("/dev");
    struct dirent *entry;
    char path[300] = "";

    while (dev != NULL && (entry = readdir(dev)) != NULL) {
        if (strncmp(entry->d_name, "vport", 5) == 0) {
            snprintf(path, sizeof path, "/dev/%s", entry->d_name);
        }
    }
    if (dev != NULL) {
        closedir(dev);
    }
    if (path[0] == '\0') {
        printf("AGENT no port\n");
        return;
    }
    mkdir("/run", 0755);
    if (fork() == 0) {
        int null = open("/dev/null", O_RDWR);

        for (int i = 0; i < 3; i++) {
            dup2(null, i);
        }
        execl("/usr/sbin/qemu-ga", "qemu-ga", "-m", "virtio-serial", "-p", path, "-t",
              "/run", (char *)NULL);
        _exit(127);
    }
    printf("AGENT %s\n", path);
}

static void *
allocate(uint64_t bytes)
{
    void *p =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        printf("FAILED to allocate %" PRIu64 " bytes: %m\n", bytes);
        leave(RB_POWER_OFF);
    }
    return p;
}

int
main(int argc, char **argv)
{
    static MemGuest g = { .beating = true, .random_state = 1 };
    char cmdline[2048] = "";
    uint64_t began_us;
    int fd;

    /* The agent calls it after it has set the clock; the RTC is the host's matter here. */
    if (argc > 0 && strstr(argv[0], "hwclock") != NULL) {
        return 0;
    }
    mkdir("/dev", 0755);
    mkdir("/proc", 0755);
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    mount("proc", "/proc", "proc", 0, NULL);
    /* the agent counts vCPUs there */
    mkdir("/sys", 0755);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    open_console();
    fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, cmdline, sizeof cmdline - 1) < 0) {
        printf("no command line: %m\n");
    }
    load_modules();
    open_devices(&g, option(cmdline, "mount", 0));
    if (option(cmdline, "agent", 0) != 0) {
        start_agent();
    }

    g.n_pages = option(cmdline, "fill", 64) * (1024 * 1024 / PAGE_SIZE);
    g.working_set = option(cmdline, "ws", 4096);
    g.tick_ms = (unsigned)option(cmdline, "tick", 20);
    g.random_words =
        PAGE_WORDS - PAGE_WORDS * (unsigned)option(cmdline, "plain", 0) / 100;
    if (g.working_set > g.n_pages) {
        g.working_set = g.n_pages;
    }
    began_us = now_us();
    g.pages = allocate(g.n_pages * PAGE_SIZE);
    g.generations = allocate(g.n_pages * sizeof *g.generations);
    for (uint64_t i = 0; i < g.n_pages; i++) {
        fill_page(&g, i, 1);
    }
    printf("READY pages=%" PRIu64 " ms=%" PRIu64 " disks=%zu\n", g.n_pages,
           (now_us() - began_us) / 1000, g.n_disks);
    run(&g);
}
