/* x[..., i, ...] with tensors among the indices.  The axes of the table are (outer, looked up, inner): outer and inner by any strides, the looked
   up ones by position: index[b] * scale elements.  The rows (outer, k, inner) are contiguous.  Positions are in range.  Moves go by size:
   4 and 1 byte in the float32 table of kernels (bytes tells which), 8 bytes in the float64 one.

   index_get: rows = table at the positions.  Range: outer * k.
   index_put: table at the positions = rows, in the order of b.  Range: outer * inner.
   index_put_add: table at the positions += rows, in the order of b.  Range: outer * inner. */
#ifndef FN_INDEX_PUT_H
#define FN_INDEX_PUT_H
#include "fn.h"
typedef struct {
  void          *table, *rows;
  const int64_t *index;
  ptrdiff_t      scale, k, inner, bytes;
  ptrdiff_t      step;                               /* index_put: 1; 0: rows is one element */
  ptrdiff_t      integer;                            /* index_put_add: elements are integers of T's size, or bytes */
  ptrdiff_t      outer_ndim, outer_dims[FN_MAXDIM], outer_strides[FN_MAXDIM];   /* at least 1 axis each */
  ptrdiff_t      inner_ndim, inner_dims[FN_MAXDIM], inner_strides[FN_MAXDIM];
} fn_index_put_args;
#endif
