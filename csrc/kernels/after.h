/* What follows a product while its result is in the cache, such as an activation: kernels call `run` for each rectangle that is finished.
   The result is a matrix, pixels by channels; each of its elements is in one rectangle.  after == NULL: nothing follows. */
#ifndef FN_AFTER_H
#define FN_AFTER_H
#include "fn.h"
typedef struct fn_after fn_after;
struct fn_after { void (*run)(const fn_after *after, ptrdiff_t row, ptrdiff_t rows, ptrdiff_t column, ptrdiff_t columns); };
#endif
