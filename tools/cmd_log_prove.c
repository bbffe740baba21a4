/* log prove: what somebody was shown of a log, checked offline. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/disclosure.h"
#include "arkki/base/fs.h"
#include "arkki/base/json.h"
#include "tools/cli.h"
#include "tools/disclosed.h"

enum { ANSWER_MAX = 64 << 20 };

/* The disclosures in what was saved: one itself, or an answer of arkki that carries some. NULL: none. */
static json_t *disclosures_in(json_t *root)
{
	json_t *some = json_object_get(root, "disclosures"), *list = json_array();
	const char *const members[] = {"disclosure", "last", "ownLast"};

	if (json_object_get(root, "parts")) {
		json_array_append(list, root);
	} else if (json_is_array(some)) {
		json_array_extend(list, some);
	} else {
		for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
			if (json_is_object(json_object_get(root, members[i])))
				json_array_append(list, json_object_get(root, members[i]));
	}
	if (json_array_size(list) > 0)
		return list;
	json_decref(list);
	return NULL;
}

static int read_json(const char *path, json_t **ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc = fs_read_file(path, ANSWER_MAX, &text, err);

	if (!rc)
		rc = json_read(text.data ? text.data : "", text.len, ret, err);
	buf_free(&text);
	return rc;
}

/* A proof that came apart from the parts takes the place of theirs. */
static int join(const struct cli *c, const struct buf *proof, json_t **ret, struct ark_error *err)
{
	int rc;

	if (!c->disclosure)
		return ark_fail(err, ARK_EINPUT,
		    "%s is a proof of an entry that it does not show: say what it is about by "
		    "--disclosure FILE",
		    c->words[1]);
	rc = read_json(c->disclosure, ret, err);
	if (rc)
		return rc;
	if (!json_object_get(*ret, "parts") ||
	    json_object_set_new(*ret, "proof", json_stringn(proof->data, proof->len)))
		return ark_fail(err, ARK_EINPUT, "%s is not a disclosure", c->disclosure);
	return ARK_OK;
}

static int read_shown(const struct cli *c, json_t **ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	int rc = fs_read_file(c->words[1], ANSWER_MAX, &text, err);

	if (!rc && text.len && text.data[0] != '{')
		rc = join(c, &text, ret, err);
	else if (!rc && c->disclosure)
		rc = ark_fail(err, ARK_EINPUT, "%s is not a tlog-proof", c->words[1]);
	else if (!rc)
		rc = json_read(text.data ? text.data : "", text.len, ret, err);
	buf_free(&text);
	return rc;
}

static int prove_one(const struct cli *c, const json_t *shown, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	struct disclosed d;
	int rc = json_write(&text, shown, err);

	if (!rc)
		rc = disclosed_check(c, text.data, text.len, &d, err);
	buf_free(&text);
	if (rc)
		return rc;
	disclosed_print(&d);
	disclosed_free(&d);
	return ARK_OK;
}

int log_prove(const struct cli *c)
{
	json_t *root = NULL, *list = NULL;
	struct ark_error err;
	int rc;

	if (c->words_len != 2 || !c->vkey)
		return cli_usage(c->command);
	rc = read_shown(c, &root, &err);
	if (!rc && !(list = disclosures_in(root)))
		rc = ark_fail(&err, ARK_EINPUT, "%s holds no disclosure", c->words[1]);
	for (size_t i = 0; !rc && i < json_array_size(list); i++)
		rc = prove_one(c, json_array_get(list, i), &err);
	json_decref(list);
	json_decref(root);
	return rc ? cli_failed(&err) : CLI_OK;
}
