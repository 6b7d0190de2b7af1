/* Augmentation: pictures on their way into a network, and the random numbers of each. */
#if defined FN_KERNEL
FN_KERNEL(image_pass)
FN_KERNEL(image_uniform)
#elif defined FN_BODIES
#include "kernels/tail.inc.c"
#include "kernels/image_source.inc.c"
#include "kernels/image_filter.inc.c"
#include "kernels/image_color.inc.c"
#include "kernels/image.inc.c"
#elif !defined FN_IMAGE_GROUP
#define FN_IMAGE_GROUP
#include "kernels/image.h"
#define FN_KERNEL(name) FN_##name,
enum { FN_BEFORE_image = FN_GROUP_image * FN_GROUP_SIZE - 1,
#include "groups/image.h"
};
#undef FN_KERNEL
#endif
