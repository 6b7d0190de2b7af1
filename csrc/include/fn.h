/* What every stratum shares: dtypes, a tensor as plain data, the one kernel ABI, the table of an ISA.
   Read by C and by Cython; knows nothing about SIMD, threads or Python. */
#ifndef FN_H
#define FN_H
#include <stddef.h>
#include <stdint.h>

/* The floating types come first: kernels are compiled for those two. */
typedef enum { FN_F32, FN_F64, FN_NFLOAT, FN_I64 = FN_NFLOAT, FN_I32, FN_U8, FN_BOOL, FN_NDTYPES } fn_dtype;

enum { FN_MAXDIM = 8 };

/* A block of memory, counted under the GIL.  `version` counts in-place writes. */
typedef struct fn_storage {
  ptrdiff_t refs;
  uint64_t  version;
  size_t    bytes;                                   /* usable bytes at data */
  char     *data;
  void     *owner;                                   /* Python object that owns foreign memory, or NULL */
} fn_storage;

/* Shape and strides (in elements) over a storage.  st == NULL: no value. */
typedef struct fn_tensor {
  fn_storage *st;
  char       *p;                                     /* first element, inside st */
  ptrdiff_t   size;                                  /* number of elements */
  int32_t     ndim, dtype;
  ptrdiff_t   dims[FN_MAXDIM], strides[FN_MAXDIM];
} fn_tensor;

/* args: the op's plain struct.  [begin, end) counts the unit named in <op>.h.  Pure: any split gives the same bits.
   thread: index of the caller, 0 <= thread < the team, to choose scratch. */
typedef void fn_kernel(const void *args, ptrdiff_t begin, ptrdiff_t end, int thread);

#define FN_GROUP(name) FN_GROUP_##name,
enum {
#include "groups/all.h"
  FN_NGROUPS };
#undef FN_GROUP
enum { FN_GROUP_SIZE = 256, FN_NKERNELS = FN_NGROUPS * FN_GROUP_SIZE };   /* a kernel's number: its group's, times the size, and a count */

typedef struct {
  int         id;                                    /* -1 ends a table */
  const char *name;
  fn_kernel  *kernel[FN_NFLOAT];
} fn_entry;

typedef struct {
  const char *name;
  uint32_t    needs;                                 /* FN_CPU_* bits of dispatch.c */
  const fn_entry *const *groups;
} fn_isa;

const fn_isa *fn_isa_at(int i);                      /* best first; NULL past the end */
int           fn_isa_supported(const fn_isa *isa);
void          fn_isa_use(const fn_isa *isa);         /* fills fn_active */
extern fn_kernel *fn_active[FN_NKERNELS][FN_NFLOAT]; /* the kernels in use */
#endif
