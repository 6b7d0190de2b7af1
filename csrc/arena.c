/* Arena: small blocks by size class, large blocks by best fit with coalescing, both from regions that ask for huge pages.
   A steady training loop asks for the same sizes in every step, so after the first step no call reaches the system. */
#include "arena.h"
#include <string.h>
#ifdef _WIN32
#include <malloc.h>
#else
#include <sys/mman.h>
#endif
#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

enum { LINE = 64, GRAIN = 1 << 16, SMALL_MAX = 1 << 19, CHUNK = 1 << 21, NCLASSES = 64 };
static const size_t HUGE_PAGE = (size_t)1 << 21, REGION = (size_t)1 << 28;

/* One line before every block.  Large blocks of a region form a list in address order. */
typedef struct head {
  size_t       bytes;                                /* of the whole block, this head included */
  struct head *below, *above;                        /* neighbours in the region; small blocks: unused */
  struct head *next, *prev;                          /* in the free list */
  int32_t      size_class;                           /* of a small block, -1: large */
  int32_t      is_free;
  size_t       mapped;                               /* bytes of the region that this block begins; 0: begins none */
  size_t       pad;
} head;

static head *free_small[NCLASSES], *free_large;
static char *chunk, *chunk_end;
static fn_arena_stats stats;
static ptrdiff_t fail_in = -1;
static int poison;

/* 16 classes up to 1 KiB, then 4 per doubling: at most a quarter is wasted. */
static int class_of(size_t bytes)
{
  if (bytes <= 1024) return (int)((bytes + LINE - 1) / LINE) - 1;
  int log = 63 - __builtin_clzll(bytes - 1);
  return 16 + 4 * (log - 10) + (int)(((bytes - 1) >> (log - 2)) & 3);
}

static size_t class_bytes(int c)
{
  if (c < 16) return (size_t)(c + 1) * LINE;
  return (size_t)(4 + (c - 16) % 4 + 1) << (8 + (c - 16) / 4);
}

static void *map_region(size_t bytes)
{
  stats.system_calls++;
#ifdef _WIN32
  return _aligned_malloc(bytes, HUGE_PAGE);
#else
  char *p = mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return NULL;
  char *aligned = (char *)(((uintptr_t)p + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
  if (aligned > p) munmap(p, (size_t)(aligned - p));
  munmap(aligned + bytes, (size_t)(p + HUGE_PAGE - aligned));
#ifdef MADV_HUGEPAGE
  madvise(aligned, bytes, MADV_HUGEPAGE);
#endif
  return aligned;
#endif
}

static void unmap_region(void *p, size_t bytes)
{
#ifdef _WIN32
  (void)bytes;
  _aligned_free(p);
#else
  munmap(p, bytes);
#endif
}

static void list_push(head **list, head *h)
{
  h->prev = NULL;
  h->next = *list;
  if (*list) (*list)->prev = h;
  *list = h;
}

static void list_remove(head **list, head *h)
{
  if (h->prev) h->prev->next = h->next; else *list = h->next;
  if (h->next) h->next->prev = h->prev;
}

static int grow(size_t need)
{
  size_t tries[2] = { need > REGION ? need : REGION, need };
  for (int i = 0; i < 2; i++) {
    size_t bytes = (tries[i] + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    head *h = bytes < need ? NULL : map_region(bytes);
    if (!h) continue;
    *h = (head){ .bytes = bytes, .size_class = -1, .is_free = 1, .mapped = bytes };
    list_push(&free_large, h);
    stats.reserved += bytes;
    return 1;
  }
  return 0;
}

static head *best_fit(size_t need)
{
  head *best = NULL;
  for (head *h = free_large; h; h = h->next)
    if (h->bytes >= need && (!best || h->bytes < best->bytes || (h->bytes == best->bytes && h < best))) best = h;
  return best;
}

static head *large_new(size_t bytes)
{
  size_t need = (bytes + GRAIN - 1) & ~(size_t)(GRAIN - 1);
  if (need < bytes) return NULL;
  head *h = best_fit(need);
  if (!h) {
    if (!grow(need)) {
      fn_arena_trim();
      if (!grow(need)) return NULL;
    }
    h = best_fit(need);
  }
  list_remove(&free_large, h);
  if (h->bytes > need) {
    head *rest = (head *)((char *)h + need);
    *rest = (head){ .bytes = h->bytes - need, .below = h, .above = h->above, .size_class = -1, .is_free = 1 };
    if (h->above) h->above->below = rest;
    h->above = rest;
    h->bytes = need;
    list_push(&free_large, rest);
  }
  h->is_free = 0;
  return h;
}

static void large_free(head *h)
{
  head *up = h->above, *down = h->below;
  h->is_free = 1;
  if (up && up->is_free) {
    list_remove(&free_large, up);
    h->bytes += up->bytes;
    h->above = up->above;
    if (h->above) h->above->below = h;
  }
  if (down && down->is_free) {
    down->bytes += h->bytes;
    down->above = h->above;
    if (h->above) h->above->below = down;
    return;                                          /* already in the free list */
  }
  list_push(&free_large, h);
}

void fn_arena_trim(void)
{
  for (head *h = free_large, *next; h; h = next) {
    next = h->next;
    if (!h->mapped || h->bytes != h->mapped) continue;
    list_remove(&free_large, h);
    stats.reserved -= h->mapped;
    unmap_region(h, h->mapped);
  }
}

static head *small_new(int c)
{
  head *h = free_small[c];
  if (h) { free_small[c] = h->next; return h; }
  size_t bytes = class_bytes(c);
  if ((size_t)(chunk_end - chunk) < bytes) {
    head *source = large_new(CHUNK);                 /* what is left of the last chunk stays unused: at most one block */
    if (!source) return NULL;
    chunk = (char *)source + LINE;
    chunk_end = (char *)source + source->bytes;
  }
  h = (head *)chunk;
  chunk += bytes;
  h->bytes = bytes;
  h->size_class = c;
  return h;
}

void *fn_block_new(size_t bytes)
{
  if (fail_in >= 0 && fail_in-- == 0) return NULL;
  size_t whole = bytes + sizeof(head);
  if (whole < bytes) return NULL;
  head *h = whole <= SMALL_MAX ? small_new(class_of(whole)) : large_new(whole);
  if (!h) return NULL;
  stats.allocations++;
  stats.live += h->bytes;
  if (stats.live > stats.peak) stats.peak = stats.live;
  if (poison) memset((char *)h + sizeof(head), 0xff, bytes);
  return (char *)h + sizeof(head);
}

void fn_block_free(void *block)
{
  head *h = (head *)((char *)block - sizeof(head));
  if (poison) memset(block, 0xff, h->bytes - sizeof(head));
  stats.live -= h->bytes;
  if (h->size_class < 0) { large_free(h); return; }
  h->next = free_small[h->size_class];
  free_small[h->size_class] = h;
}

/* Big blocks begin at the same offset of a page; shifting their data by a few lines keeps streams out of each other's cache sets. */
fn_storage *fn_storage_new(size_t bytes)
{
  static unsigned colour;
  size_t shift = bytes >= GRAIN ? (size_t)(colour++ % 8) * 5 * LINE : 0;
  if (bytes + LINE + shift < bytes) return NULL;
  fn_storage *st = fn_block_new(bytes + LINE + shift);
  if (!st) return NULL;
  *st = (fn_storage){ .refs = 1, .bytes = bytes, .data = (char *)st + LINE + shift };
  return st;
}

fn_storage *fn_storage_wrap(void *data, size_t bytes, void *owner)
{
  fn_storage *st = fn_block_new(sizeof *st);
  if (st) *st = (fn_storage){ .refs = 1, .bytes = bytes, .data = data, .owner = owner };
  return st;
}

void fn_storage_free(fn_storage *st) { fn_block_free(st); }

const fn_arena_stats *fn_arena_get_stats(void) { return &stats; }
void fn_arena_reset_peak(void) { stats.peak = stats.live; }
void fn_arena_fail_after(ptrdiff_t n) { fail_in = n; }
void fn_arena_poison(int on) { poison = on; }

_Static_assert(sizeof(head) == LINE, "what follows a head is aligned to a line");
_Static_assert(sizeof(fn_storage) <= LINE, "a storage header fits in one line");
