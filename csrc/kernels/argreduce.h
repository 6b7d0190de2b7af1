/* argmax and argmin of x (outer, n, inner) over n: the first index of the extreme value, or of the first NaN.
   argmax_rows: inner == 1.  With chunks > 1, part (outer, chunks) holds the extremes of the chunks of n, as reduce_max leaves them, so that
   only one chunk is searched; part may be NULL if chunks == 1.  Range: outer.
   argmax_columns: Range: outer * blocks, a block being `width` neighbours of inner.  value may be NULL. */
#ifndef FN_ARGREDUCE_H
#define FN_ARGREDUCE_H
#include "fn.h"
typedef struct {
  const void *x, *part;
  void       *value;                                 /* (outer, inner) */
  int64_t    *index;                                 /* (outer, inner) */
  ptrdiff_t   n, inner, chunk, chunks, width, blocks;
} fn_argreduce_args;
#endif
