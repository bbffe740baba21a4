#include "index/formats/format.h"
static bool ole_reads(const char *t){(void)t;return false;}
static enum format_outcome ole_read(const struct format_input *in, struct textsink *out){(void)in;return format_none(out,"x");}
const struct format format_ole = {.name="OLE",.reads=ole_reads,.read=ole_read};
