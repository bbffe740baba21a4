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
SHIP(matters, "policies/matters.json")
SHIP(retention, "policies/retention.json")
SHIP(policies, "policies/arkki.cedar")
SHIP(schema, "policies/arkki.cedarschema")

/* The files of policies/cases in one object. A test sees that none is missing here. */
#define SET(before, name)                                                                          \
	".ascii \"" before "\\\"" name "\\\":\"\n.incbin \"policies/cases/" name ".json\"\n"
__asm__(".section .rodata\n.global shipped_cases_text\nshipped_cases_text:\n"
	".ascii \"{\\\"entities\\\":\"\n.incbin \"policies/cases/entities/arkki.json\"\n"
	".ascii \",\\\"sets\\\":{\"\n" SET("", "archive") SET(",", "authorities")
	    SET(",", "break-glass") SET(",", "drafts") SET(",", "filing") SET(",", "merger")
		SET(",", "ombudsman") SET(",", "providers") SET(",", "public") SET(",", "secrets")
		    SET(",", "sign-in") SET(",", "validity")
			SET(",", "visits") ".ascii \"}}\"\n.byte 0\n.previous\n");
extern const char shipped_cases_text[] __attribute__((visibility("hidden")));

const char *shipped_cases(void)
{
	return shipped_cases_text;
}
