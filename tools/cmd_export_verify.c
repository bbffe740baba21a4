/* export verify: needs no archive and no network. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/package.h"
#include "tools/cli.h"

static void told(void *arg, const char *fault)
{
	(void)arg;
	fprintf(stderr, "arkki: %s\n", fault);
}

int export_verify(const struct cli *c)
{
	const char **vkeys = calloc((size_t)c->said_len + 1, sizeof(*vkeys));
	struct package_verdict v;
	struct ark_error err;
	size_t n = 0;
	int rc;

	if (!vkeys) {
		ark_fail(&err, ARK_ENOMEM, "no memory");
		return cli_failed(&err);
	}
	for (int i = 0; i < c->said_len; i++)
		if (strcmp(c->said[i].name, "--vkey") == 0)
			vkeys[n++] = c->said[i].value;
	if (c->words_len != 2 || !n) {
		free(vkeys);
		return cli_usage(c->command);
	}
	rc = package_verify(c->words[1], vkeys, n, told, NULL, &v, &err);
	free(vkeys);
	if (rc)
		return cli_failed(&err);
	printf("%s: %llu documents, %llu versions, %llu files, %llu proofs and signatures, %llu "
	       "withheld; %u faults\n",
	    c->words[1], (unsigned long long)v.documents, (unsigned long long)v.versions,
	    (unsigned long long)v.files, (unsigned long long)v.proofs,
	    (unsigned long long)v.withheld, v.faults);
	return v.faults ? CLI_FAILED : CLI_OK;
}
