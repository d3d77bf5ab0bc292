/* A library for LD_PRELOAD that makes one call of the system fail: ATTNLAW_FAULT="KIND:N" lets call N (from 1) of a
   kind fail, and all later ones of that kind as well with "KIND:N+". The file that ATTNLAW_FAULT_MARK names is made
   when that happens. Kinds: write (ENOSPC; not to standard error), sync (EIO), rename (EIO), memory (allocations of 1
   MB and more), thread (EAGAIN). Calls are counted over all threads. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { none, writing, syncing, renaming, memory, threads };

static enum kind failing = none;
static long first = 0;
static bool all_later = false;
static atomic_long calls = 0;

__attribute__((constructor)) static void read_plan(void) {
  static const char* const names[] = {"", "write", "sync", "rename", "memory", "thread"};
  const char* plan = getenv("ATTNLAW_FAULT");
  const char* colon = plan ? strchr(plan, ':') : NULL;
  if (!colon) return;
  enum kind found = none;
  for (int kind = writing; kind <= threads; ++kind)
    if (strncmp(plan, names[kind], (size_t)(colon - plan)) == 0) found = (enum kind)kind;
  char* end = NULL;
  first = strtol(colon + 1, &end, 10);
  all_later = end && *end == '+';
  failing = found;
}

static bool fails(enum kind kind) {
  if (kind != failing) return false;
  const long call = atomic_fetch_add(&calls, 1) + 1;
  if (call != first && !(all_later && call > first)) return false;
  const char* mark = getenv("ATTNLAW_FAULT_MARK");
  if (mark) {
    const int file = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file >= 0) close(file);
  }
  return true;
}

#define REAL(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))
#define REFUSE(code, result) \
  do {                       \
    errno = code;            \
    return result;           \
  } while (0)

ssize_t write(int descriptor, const void* data, size_t size) {
  if (descriptor != STDERR_FILENO && fails(writing)) REFUSE(ENOSPC, -1);
  return REAL(write)(descriptor, data, size);
}
ssize_t writev(int descriptor, const struct iovec* parts, int count) {
  if (descriptor != STDERR_FILENO && fails(writing)) REFUSE(ENOSPC, -1);
  return REAL(writev)(descriptor, parts, count);
}
ssize_t pwrite(int descriptor, const void* data, size_t size, off_t at) {
  if (fails(writing)) REFUSE(ENOSPC, -1);
  return REAL(pwrite)(descriptor, data, size, at);
}
ssize_t pwrite64(int descriptor, const void* data, size_t size, off64_t at) {
  if (fails(writing)) REFUSE(ENOSPC, -1);
  return REAL(pwrite64)(descriptor, data, size, at);
}
/* SQLite itself leaves a flush of a directory that fails without consequences. */
static bool is_directory(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
}

int fsync(int descriptor) {
  if (!is_directory(descriptor) && fails(syncing)) REFUSE(EIO, -1);
  return REAL(fsync)(descriptor);
}
int fdatasync(int descriptor) {
  if (!is_directory(descriptor) && fails(syncing)) REFUSE(EIO, -1);
  return REAL(fdatasync)(descriptor);
}
int rename(const char* from, const char* to) {
  if (fails(renaming)) REFUSE(EIO, -1);
  return REAL(rename)(from, to);
}
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*), void* argument) {
  if (fails(threads)) return EAGAIN;
  return REAL(pthread_create)(thread, attributes, body, argument);
}

/* dlsym allocates: the real functions have names of their own in glibc. */
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

static bool is_large(size_t size) { return size >= 1000000; }

void* malloc(size_t size) {
  if (is_large(size) && fails(memory)) REFUSE(ENOMEM, NULL);
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  if (is_large(count * size) && fails(memory)) REFUSE(ENOMEM, NULL);
  return __libc_calloc(count, size);
}
void* realloc(void* old, size_t size) {
  if (is_large(size) && fails(memory)) REFUSE(ENOMEM, NULL);
  return __libc_realloc(old, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  if (is_large(size) && fails(memory)) REFUSE(ENOMEM, NULL);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** result, size_t alignment, size_t size) {
  if (is_large(size) && fails(memory)) return ENOMEM;
  *result = __libc_memalign(alignment, size);
  return *result ? 0 : ENOMEM;
}
