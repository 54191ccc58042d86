/* What can happen to one process, turned on and off from outside: its clock is wrong, its disk is slow or full.
 *
 * Loaded by LD_PRELOAD. CHAOS names a file of slots; a slot counts for the process whose id it holds. `trouble.py`
 * writes them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 16 };

struct slot {
	int64_t pid, clock_ns, sync_ns, full;
};

static struct slot *slots;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("CHAOS");
	int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (file < 0)
		return;
	void *found = mmap(NULL, SLOTS * sizeof(struct slot), PROT_READ, MAP_SHARED, file, 0);
	close(file);
	if (found != MAP_FAILED)
		slots = found;
}

static const struct slot *mine(void)
{
	if (slots)
		for (int i = 0; i < SLOTS; i++)
			if (slots[i].pid && slots[i].pid == getpid())
				return &slots[i];
	return NULL;
}

/* Whether a write to this file fails for want of space: pipes and sockets take none, and what is said goes elsewhere. */
static int full(int file)
{
	const struct slot *now = mine();
	struct stat kind;
	if (!now || !now->full || file <= STDERR_FILENO || fstat(file, &kind) || !S_ISREG(kind.st_mode))
		return 0;
	errno = ENOSPC;
	return 1;
}

static void dawdle(void)
{
	const struct slot *now = mine();
	if (now && now->sync_ns) {
		struct timespec wait = {now->sync_ns / 1000000000, now->sync_ns % 1000000000};
		nanosleep(&wait, NULL);
	}
}

#define REAL(type, name, ...) \
	static type (*real)(__VA_ARGS__); \
	if (!real) \
		real = dlsym(RTLD_NEXT, #name)

int clock_gettime(clockid_t which, struct timespec *out)
{
	REAL(int, clock_gettime, clockid_t, struct timespec *);
	int result = real(which, out);
	const struct slot *now = mine();
	if (now && now->clock_ns && !result && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
		int64_t at = out->tv_sec * 1000000000LL + out->tv_nsec + now->clock_ns;
		out->tv_sec = at / 1000000000;
		out->tv_nsec = at % 1000000000;
	}
	return result;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec at;
	(void)zone;
	int result = clock_gettime(CLOCK_REALTIME, &at);
	out->tv_sec = at.tv_sec;
	out->tv_usec = at.tv_nsec / 1000;
	return result;
}

time_t time(time_t *out)
{
	struct timespec at;
	clock_gettime(CLOCK_REALTIME, &at);
	if (out)
		*out = at.tv_sec;
	return at.tv_sec;
}

int fsync(int file)
{
	REAL(int, fsync, int);
	dawdle();
	return real(file);
}

int fdatasync(int file)
{
	REAL(int, fdatasync, int);
	dawdle();
	return real(file);
}

ssize_t write(int file, const void *bytes, size_t count)
{
	REAL(ssize_t, write, int, const void *, size_t);
	return full(file) ? -1 : real(file, bytes, count);
}

ssize_t writev(int file, const struct iovec *parts, int count)
{
	REAL(ssize_t, writev, int, const struct iovec *, int);
	return full(file) ? -1 : real(file, parts, count);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at)
{
	REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
	return full(file) ? -1 : real(file, bytes, count, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at)
{
	REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
	return full(file) ? -1 : real(file, bytes, count, at);
}
