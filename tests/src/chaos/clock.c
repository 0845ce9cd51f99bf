/* Preloaded into a hub: its wall clock is off by as many milliseconds as the file that LAMON_CLOCK names says, which may change at
 * any time. The monotonic clock stays. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *step_ms;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("LAMON_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        void *map = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
        if (map != MAP_FAILED)
            step_ms = map;
        close(file);
    }
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_REALTIME && step_ms) {
        int64_t ns = now->tv_nsec + (*step_ms % 1000) * 1000000;
        now->tv_sec += *step_ms / 1000 + ns / 1000000000 - (ns % 1000000000 < 0);
        now->tv_nsec = (ns % 1000000000 + 1000000000) % 1000000000;
    }
    return result;
}
