/* Every kernel of the library, once.  Two readings:
     FN_KERNEL defined    -> the names  (enum, tables, tests)
     FN_KERNEL undefined  -> the bodies (compiled once per ISA and dtype) */
#ifdef FN_KERNEL

FN_KERNEL(copy)
FN_KERNEL(copy_bytes)
FN_KERNEL(accumulate)

#else

#include "kernels/copy.inc.c"

#endif
