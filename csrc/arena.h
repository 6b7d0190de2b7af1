/* The only allocator of the library: 64-byte aligned blocks from huge-page regions, cached for reuse.  Call with the GIL held. */
#ifndef FN_ARENA_H
#define FN_ARENA_H
#include "fn.h"

void *fn_block_new(size_t bytes);                    /* NULL: out of memory.  Not initialised. */
void  fn_block_free(void *block);

fn_storage *fn_storage_new(size_t bytes);            /* refs = 1, data 64-byte aligned.  NULL: out of memory. */
fn_storage *fn_storage_wrap(void *data, size_t bytes, void *owner);   /* foreign memory; releasing `owner` is the caller's business */
void        fn_storage_free(fn_storage *st);         /* when refs is 0 and owner has been released */

typedef struct {
  size_t   live, peak, reserved;                     /* bytes handed out, their maximum, bytes taken from the system */
  uint64_t allocations, system_calls;
} fn_arena_stats;

const fn_arena_stats *fn_arena_get_stats(void);
void fn_arena_reset_peak(void);
void fn_arena_trim(void);                            /* give whole unused regions back to the system */
void fn_arena_fail_after(ptrdiff_t n);               /* for tests: the n-th allocation from now fails, n < 0: none */
void fn_arena_poison(int on);                        /* for tests: fresh and freed blocks hold NaN, so that reading them shows */
#endif
