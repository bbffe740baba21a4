/* What is done with an archive while something fails, and what must hold of it afterwards.
 *
 * A process of its own does each: the first may die of it, and the second must find everything that
 * the first was told is done. Between them is only the archive and struct told.
 */
#ifndef ARKKI_TESTS_FAULT_SCENARIO_H
#define ARKKI_TESTS_FAULT_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/fault/fault.h"

enum step {
	STEP_OPEN, /* of an archive that was not closed: recovery */
	STEP_FILE,
	STEP_VERSION, /* over the size that stays in memory */
	STEP_AMEND,
	STEP_RENDITION,
	STEP_RECORD,
	STEP_READ,
	STEP_CLOSE,
	STEP_INIT, /* alone: making an archive */
	STEPS,
};

const char *step_name(enum step step);

/* What the first process was told, in memory that both share. */
struct told {
	struct fault_report fault;
	int status[STEPS];     /* as answered; 1: not come to it */
	char text[STEPS][300]; /* of the error */
	uint32_t version;      /* of the kept document, where acknowledged; 0: none */
	uint32_t metadata;     /* the same */
	uint32_t rendition;    /* the same */
	uint64_t read;         /* access entries that a read waited for: first + 1; 0: none */
	bool ended;            /* it came to its end */
	char wrong[700];       /* what does not hold; "": all does */
};

/* Makes the archive top/a with the key top/root.key that each run begins with a copy of; leaves it unclosed. */
void scenario_base(const char *top, struct told *told);
/* All steps, with the at-th call of the kind failing in one of them. */
void scenario_run(
    const char *top, enum step armed, enum fault_kind kind, unsigned long at, struct told *told);
/* Writes told->wrong. */
void scenario_check(const char *top, enum step armed, struct told *told);

#endif
