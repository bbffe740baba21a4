/* Who keeps the registers. The policies speak of documents; a record of the registers is kept by those who may file
 * documents about what it is of, so that one sentence of law decides both:
 *
 *   a unit      inspectors and registrars of a state agency, wherever the unit stands, and of the county (or the municipality with
 *               a county's duties) in whose counties it stands, before the change and after it
 *   a case      who may file a document in it: for the organisation whose case it is, about its units
 *   vacancies   the contact person of the unit's provider, for the own units; and who keeps the unit's record
 *   all         administrators
 *
 * Nobody whose account or organisation is not valid today, and no token that may not file. */
#include <string.h>

#include "api/registers.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"

/* A document about the unit or case, as one would be filed: what is asked of the policies. */
static bool files(const struct caller *c, const struct access_resource *about)
{
	struct access_resource r = *about;
	struct access_decision d;

	r.publicity = "public";
	r.state = "final";
	r.type = "memo";
	return (c->scopes & TOKEN_FILE) &&
	       !access_decide(
		   c->who->rules, &c->who->access, ACCESS_FILE, &r, &c->context, &d, NULL) &&
	       d.outcome == ACCESS_PERMIT;
}

static bool administers(const struct caller *c)
{
	return (c->scopes & TOKEN_FILE) && caller_may(c, ACCESS_ADMINISTER);
}

bool caller_is_authority(const struct caller *c)
{
	return c->who->access.org_kind != ACCESS_ORG_PROVIDER;
}

bool unit_may_keep(const struct caller *c, const json_t *unit)
{
	const struct access_principal *p = &c->who->access;
	const char *id = json_text(unit, "id"), *county = json_text(unit, "county");
	struct access_resource about = {.author = p->org};

	if (administers(c))
		return true;
	if (!(p->roles & (ACCESS_INSPECTOR | ACCESS_REGISTRAR)))
		return false;
	if (p->org_kind == ACCESS_ORG_STATE_AGENCY)
		return files(c, &about); /* of no unit in particular: the country's */
	if (p->org_kind != ACCESS_ORG_COUNTY && p->org_kind != ACCESS_ORG_MUNICIPALITY)
		return false;
	about.units = (struct access_ids){&id, 1};
	about.counties = (struct access_ids){&county, county ? 1 : 0};
	return files(c, &about);
}

bool case_may_keep(const struct exchange *x, const json_t *record)
{
	const struct caller *c = caller_of(x);
	struct resource r;
	bool may;

	if (administers(c))
		return true;
	if (resource_of(app_of(x), record, &r, NULL))
		return false;
	r.r.author = json_text(record, "org");
	may = files(c, &r.r);
	resource_free(&r);
	return may;
}

static bool valid_today(const struct caller *c)
{
	const struct access_principal *p = &c->who->access;
	char today[11];

	clock_day(today, clock_now_us());
	return (!p->valid_from || strcmp(p->valid_from, today) <= 0) &&
	       (!p->valid_until || strcmp(today, p->valid_until) <= 0);
}

bool unit_may_tell(const struct caller *c, const json_t *unit)
{
	const struct access_principal *p = &c->who->access;
	const char *id = json_text(unit, "id");

	if ((p->roles & ACCESS_CONTACT) && (c->scopes & TOKEN_FILE) && valid_today(c))
		for (size_t i = 0; i < p->own_units.len; i++)
			if (strcmp(p->own_units.id[i], id) == 0)
				return true;
	return unit_may_keep(c, unit);
}
