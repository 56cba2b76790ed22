// Puts every tensor of libtorch at the end of pages of its own, before one that cannot be touched. Kernels that read or write beyond
// a tensor, or use one that was freed, then crash, and what nobody has written holds the bytes GUARD_FILL. Preloaded by fuzz.mjs --guard.
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void* __libc_memalign(size_t alignment, size_t size);
void __libc_free(void* pointer);

// The alignment of tensors on the CPU. Few others ask for it.
#define ALIGNMENT 64
#define PAGE 4096
#define LARGEST (1 << 20)
#define PAGES (1UL << 26)
#define BEFORE 0xCB

static uint8_t* _Atomic arena;
static uint32_t* bytes_of;  // by page: the size of the tensor that begins there
static atomic_size_t next_page;
static int fill;

__attribute__((constructor)) static void reserve(void) {
  const char* given = getenv("GUARD_FILL");
  fill = given ? atoi(given) : 0x5A;
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  bytes_of = mmap(NULL, PAGES * sizeof(uint32_t), PROT_READ | PROT_WRITE, flags, -1, 0);
  void* pages = mmap(NULL, PAGES * PAGE, PROT_NONE, flags, -1, 0);
  if (bytes_of != MAP_FAILED && pages != MAP_FAILED) arena = pages;
}

static size_t pages_for(size_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT / PAGE + 1; }

static uint8_t* start_of(uint8_t* first, size_t bytes) {
  return first + pages_for(bytes) * PAGE - (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

int posix_memalign(void** result, size_t alignment, size_t size) {
  const size_t pages = pages_for(size) + 1;
  if (arena && alignment == ALIGNMENT && size > 0 && size <= LARGEST) {
    const size_t page = atomic_fetch_add(&next_page, pages);
    uint8_t* first = arena + page * PAGE;
    const size_t usable = (pages - 1) * PAGE;
    if (page + pages <= PAGES && mprotect(first, usable, PROT_READ | PROT_WRITE) == 0) {
      memset(first, BEFORE, usable);
      bytes_of[page] = (uint32_t)size;
      *result = memset(start_of(first, size), fill, size);
      return 0;
    }
  }
  *result = __libc_memalign(alignment, size);
  return *result ? 0 : ENOMEM;
}

static void check_untouched(const uint8_t* from, const uint8_t* to) {
  for (; from < to; ++from) {
    if (*from == BEFORE) continue;
    static const char kMessage[] = "guard: bytes beside a tensor were written\n";
    if (write(STDERR_FILENO, kMessage, sizeof kMessage - 1) > 0) abort();
  }
}

void free(void* pointer) {
  uint8_t* given = pointer;
  if (!arena || given < arena || given >= arena + PAGES * PAGE) {
    __libc_free(pointer);
    return;
  }
  size_t page = (size_t)(given - arena) / PAGE;
  while (bytes_of[page] == 0) --page;
  const size_t size = bytes_of[page], usable = pages_for(size) * PAGE;
  uint8_t* first = arena + page * PAGE;
  check_untouched(first, given);
  check_untouched(given + size, first + usable);
  mmap(first, usable, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}
