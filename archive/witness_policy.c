#include "archive/witness_policy.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 2 * POLICY_EACH_MAX + 3 };

struct reading {
	struct policy *p;
	char *words[WORDS_MAX]; /* of the line, each ended */
	size_t n;
	uint64_t listed; /* names that are members of a group already */
	bool has_quorum;
	struct ark_error *err;
};

static int bad(struct reading *r, const char *why)
{
	return ark_fail(r->err, ARK_EINPUT, "%s", why);
}

/* The bit of a witness or a group; 0: there is none of this name. */
static uint64_t bit_of(const struct policy *p, const char *name)
{
	for (unsigned int i = 0; i < p->witnesses_len; i++)
		if (strcmp(p->witnesses[i].name, name) == 0)
			return UINT64_C(1) << i;
	for (unsigned int i = 0; i < p->groups_len; i++)
		if (strcmp(p->groups[i].name, name) == 0)
			return UINT64_C(1) << (POLICY_EACH_MAX + i);
	return 0;
}

static int name_free_to_use(struct reading *r, const char *name)
{
	if (strcmp(name, "none") == 0)
		return bad(r, "\"none\" names nothing but an empty quorum");
	return bit_of(r->p, name) ? bad(r, "a name is given twice") : ARK_OK;
}

static int add_party(struct reading *r, struct policy_party *all, unsigned int *len,
    const char *name, const char *vkey, const char *url)
{
	struct policy_party *to = &all[*len];
	int rc;

	if (*len == POLICY_EACH_MAX)
		return bad(r, "there are over 32 of a kind");
	rc = name ? note_cosigner_parse(vkey, &to->key, r->err)
		  : note_key_parse(vkey, &to->key, r->err);
	for (unsigned int i = 0; !rc && i < *len; i++)
		if (memcmp(all[i].key.public_key, to->key.public_key, 32) == 0)
			rc = bad(r, "a key is given twice");
	if (rc)
		return rc;
	++*len; /* from here on policy_free() sees it */
	to->name = name ? strdup(name) : NULL;
	to->url = url ? strdup(url) : NULL;
	return (name && !to->name) || (url && !to->url)
		   ? ark_fail(r->err, ARK_ENOMEM, "no memory for a policy")
		   : ARK_OK;
}

static int take_log(struct reading *r)
{
	if (r->n < 2 || r->n > 3)
		return bad(r, "a log is \"log VKEY [URL]\"");
	return add_party(
	    r, r->p->logs, &r->p->logs_len, NULL, r->words[1], r->n == 3 ? r->words[2] : NULL);
}

static int take_witness(struct reading *r)
{
	int rc;

	if (r->n < 3 || r->n > 4)
		return bad(r, "a witness is \"witness NAME VKEY [URL]\"");
	rc = name_free_to_use(r, r->words[1]);
	return rc ? rc
		  : add_party(r, r->p->witnesses, &r->p->witnesses_len, r->words[1], r->words[2],
			r->n == 4 ? r->words[3] : NULL);
}

static unsigned int least_of(const char *word, size_t members)
{
	uint64_t k;

	if (strcmp(word, "any") == 0)
		return 1;
	if (strcmp(word, "all") == 0)
		return (unsigned int)members;
	return note_decimal(word, strlen(word), &k) && k <= members ? (unsigned int)k : 0;
}

static int take_group(struct reading *r)
{
	struct policy_group *g = &r->p->groups[r->p->groups_len];
	uint64_t members = 0;
	int rc;

	if (r->n < 4)
		return bad(r, "a group is \"group NAME all|any|K NAME…\"");
	if (r->p->groups_len == POLICY_EACH_MAX)
		return bad(r, "there are over 32 groups");
	rc = name_free_to_use(r, r->words[1]);
	for (size_t i = 3; !rc && i < r->n; i++) {
		uint64_t bit = bit_of(r->p, r->words[i]);

		if (!bit)
			rc = bad(r, "a group has a member that no line before it names");
		else if (r->listed & bit)
			rc = bad(r, "a name is a member twice");
		members |= bit;
		r->listed |= bit;
	}
	if (rc)
		return rc;
	g->least = least_of(r->words[2], r->n - 3);
	if (!g->least)
		return bad(r, "a group's number must be \"all\", \"any\" or 1 to its members");
	g->members = members;
	g->name = strdup(r->words[1]);
	if (!g->name)
		return ark_fail(r->err, ARK_ENOMEM, "no memory for a policy");
	r->p->groups_len++;
	return ARK_OK;
}

static int take_quorum(struct reading *r)
{
	if (r->n != 2 || r->has_quorum)
		return bad(r, "there must be one line \"quorum NAME\"");
	r->has_quorum = true;
	if (strcmp(r->words[1], "none") == 0)
		return ARK_OK;
	r->p->quorum = bit_of(r->p, r->words[1]);
	return r->p->quorum ? ARK_OK : bad(r, "the quorum names what no line before it does");
}

static int take_line(struct reading *r, char *line)
{
	static const struct {
		const char *word;
		int (*take)(struct reading *r);
	} kinds[] = {{"log", take_log}, {"witness", take_witness}, {"group", take_group},
	    {"quorum", take_quorum}};
	char *save = NULL;

	r->n = 0;
	for (char *w = strtok_r(line, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		if (r->n == WORDS_MAX || strlen(w) > POLICY_WORD_MAX)
			return bad(r, "the line is too long");
		r->words[r->n++] = w;
	}
	if (r->n == 0 || r->words[0][0] == '#')
		return ARK_OK;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(r->words[0], kinds[i].word) == 0)
			return kinds[i].take(r);
	return bad(r, "it begins with another word than log, witness, group or quorum");
}

static bool characters_allowed(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)text[i] < ' ' && text[i] != '\t' && text[i] != '\n') ||
		    text[i] == 0x7f)
			return false;
	return true;
}

int policy_parse(const char *text, size_t len, struct policy **ret, struct ark_error *err)
{
	struct reading r = {.p = calloc(1, sizeof(*r.p)), .err = err};
	const char *line;
	size_t n, number = 0;
	int rc = r.p ? ARK_OK : ark_fail(err, ARK_ENOMEM, "no memory for a policy");

	if (!rc && (len > POLICY_TEXT_MAX || !characters_allowed(text, len)))
		rc = bad(&r, "a policy is too long or holds a control character");
	while (!rc && note_line(&text, &len, &line, &n)) {
		char *copy = strndup(line, n);

		number++;
		rc = copy ? take_line(&r, copy)
			  : ark_fail(err, ARK_ENOMEM, "no memory for a policy");
		if (rc)
			ark_fail_within(err, rc, "line %zu of the policy", number);
		free(copy);
	}
	if (!rc && len)
		rc = bad(&r, "the last line of a policy is not ended");
	if (!rc && !r.has_quorum)
		rc = bad(&r, "a policy has no quorum line");
	if (rc) {
		policy_free(r.p);
		return rc;
	}
	*ret = r.p;
	return ARK_OK;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	for (unsigned int i = 0; i < POLICY_EACH_MAX; i++) {
		free(p->logs[i].url);
		free(p->witnesses[i].name);
		free(p->witnesses[i].url);
		free(p->groups[i].name);
	}
	free(p);
}

bool policy_met(const struct policy *p, uint64_t cosigned)
{
	uint64_t met = cosigned & UINT32_MAX;

	/* a group is made of what stands before it */
	for (unsigned int i = 0; i < p->groups_len; i++)
		if ((unsigned int)__builtin_popcountll(p->groups[i].members & met) >=
		    p->groups[i].least)
			met |= UINT64_C(1) << (POLICY_EACH_MAX + i);
	return !p->quorum || (met & p->quorum);
}

uint64_t policy_cosigners(const struct policy *p, const struct note *note)
{
	uint64_t met = 0;

	for (unsigned int i = 0; i < p->witnesses_len; i++)
		if (note_verify_cosignature(note, &p->witnesses[i].key, NULL, NULL) == ARK_OK)
			met |= UINT64_C(1) << i;
	return met;
}
