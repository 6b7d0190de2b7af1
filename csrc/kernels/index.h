/* Moves by an index along the axis n of (outer, n, inner).  Indices are int64 and in range: index_bounds tells before anything is moved.
   Moves go by size: 4 and 1 byte in the float32 table (bytes tells which), 8 bytes in the float64 table.

   index_bounds: bounds (chunks, 2) = minimum and maximum of each chunk of INDEX_CHUNK indices, without `ignore`.  Range: chunks.
   index_select: y (outer, k, inner) = x[outer, index[k], inner].  Range: outer * k.
   gather: y[o, i, j] = x[o, index[o, i, j], j] for i < k, j < inner; x has its own axes n and x_inner.  Range: outer * k.
   scatter, scatter_add, scatter_mul: y[o, index[o, i, j], j] = or += or *= x[o, i, j], in the order of i.  Index and x by strides
   (index_o, index_i, index_j; x_o, x_i, x_j).  Range: outer * n, the rows of y: each thread visits every index and writes its own rows only.
   fresh: y is set to 0 first. ignore: an index that is skipped (-1: none). */
#ifndef FN_INDEX_H
#define FN_INDEX_H
#include "fn.h"
enum { INDEX_CHUNK = 16384 };
enum { SCATTER_SET, SCATTER_ADD, SCATTER_MUL };

typedef struct {
  const void    *x;
  const int64_t *index;
  void          *y;
  ptrdiff_t      n, k, inner, bytes;
  ptrdiff_t      x_outer, x_inner;                   /* gather: strides of x over o and n */
} fn_index_args;

typedef struct {
  const int64_t *index;
  int64_t       *bounds;
  int64_t        ignore;
  ptrdiff_t      n;
} fn_index_bounds_args;

typedef struct {
  const void    *x;
  const int64_t *index;
  void          *y;
  ptrdiff_t      n, k, inner, bytes;                 /* inner: extent of j in the index */
  ptrdiff_t      y_inner;                            /* elements of one row of y */
  ptrdiff_t      index_o, index_i, index_j, x_o, x_i, x_j;
  int64_t        ignore;
  int            fresh;
  double         scale;                              /* of whole rows of x that are added */
} fn_scatter_args;
#endif
