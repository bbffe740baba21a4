/* The zygote's main with formats of the caller's own before arkki's: for
 * tests, whose decoders misbehave on purpose and are in no product binary. */
#ifndef ARKKI_INDEX_EXTRACT_CHILD_H
#define ARKKI_INDEX_EXTRACT_CHILD_H

#include "index/formats/format.h"

int extract_child_run(int argc, char **argv, const struct format *extra);

#endif
