#include "arkki/policies/shipped.h"

/* The assembler copies the file in and ends it with a NUL. The Makefile makes
 * this object depend on the files. */
#define SHIP(name, file)                                                                           \
	__asm__(".section .rodata\n.global shipped_" #name "_text\nshipped_" #name                 \
		"_text:\n.incbin \"" file "\"\n.byte 0\n.previous\n");                             \
	extern const char shipped_##name##_text[] __attribute__((visibility("hidden")));           \
	const char *shipped_##name(void)                                                           \
	{                                                                                          \
		return shipped_##name##_text;                                                      \
	}

SHIP(types, "policies/types.json")
SHIP(retention, "policies/retention.json")
SHIP(policies, "policies/arkki.cedar")
SHIP(schema, "policies/arkki.cedarschema")
