/* Fuzzes the reading of Cedar schemas and the validation of policies against them. The input is a
 * schema, and after a line of `---` policies. What a schema says must hold together. */
#include <stdlib.h>
#include <string.h>

#include "policies/cedar_schema_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void tell(void *arg, const struct cedar_fault *fault)
{
	unsigned int *faults = arg;

	if (!fault->text[0] || !memchr(fault->mend, '\0', sizeof(fault->mend)))
		abort();
	*faults += !fault->warning;
}

static void check_type(const struct cedar_schema *s, const struct cedar_type *t, unsigned int depth)
{
	if (depth > CEDAR_DEPTH_MAX)
		abort();
	if (t->kind == TYPE_ENTITY && !cedar_schema_type(s, t->entity) &&
	    !memmem(t->entity.bytes, t->entity.len, "Action", 6))
		abort();
	if (t->kind == TYPE_SET)
		check_type(s, t->element, depth + 1);
	for (size_t i = 0; t->kind == TYPE_RECORD && i < t->attributes_len; i++) {
		if (i && cedar_text_order(t->attributes[i - 1].name, t->attributes[i].name) >= 0)
			abort();
		check_type(s, &t->attributes[i].type, depth + 1);
	}
}

static void check_schema(const struct cedar_schema *s)
{
	for (size_t i = 0; i < s->types_len; i++) {
		const struct cedar_entity_type *t = &s->types[i];

		if (cedar_schema_type(s, t->name) != t || t->attributes.kind != TYPE_RECORD)
			abort();
		check_type(s, &t->attributes, 0);
		if (t->tags)
			check_type(s, t->tags, 0);
		for (size_t k = 0; k < t->parents_len; k++)
			if (!cedar_schema_type(s, t->parents[k]))
				abort();
	}
	for (size_t i = 0; i < s->actions_len; i++) {
		const struct cedar_action *a = &s->actions[i];

		if (cedar_schema_action(s, &a->uid) != a || a->context.kind != TYPE_RECORD)
			abort();
		if (a->applies != (a->principals_len && a->resources_len))
			abort();
		for (size_t k = 0; k < a->ancestors_len; k++)
			if (!cedar_schema_action(s, &a->ancestors[k]) ||
			    cedar_uid_equal(&a->ancestors[k], &a->uid))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes, *cut = memmem(text, len, "\n---\n", 5);
	size_t schema_len = cut ? (size_t)(cut - text) : len;
	struct cedar_policies *policies = NULL;
	struct cedar_schema *schema = NULL;
	struct ark_error err = {0};
	unsigned int faults = 0;
	int status;

	status = cedar_schema_parse(text, schema_len, tell, &faults, &schema, &err);
	if (!status != !faults || !status != (schema != NULL))
		abort();
	if (schema)
		check_schema(schema);
	if (schema && cut &&
	    !cedar_policies_parse(cut + 5, len - schema_len - 5, NULL, NULL, &policies, &err)) {
		faults = 0;
		status = cedar_validate(schema, policies, tell, &faults, &err);
		if (!status != !faults)
			abort();
	}
	cedar_policies_free(policies);
	cedar_schema_free(schema);
	return 0;
}
