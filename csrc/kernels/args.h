/* The argument structs of every kernel. */
#include "kernels/copy.h"
