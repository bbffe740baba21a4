/* PresentationML: slides in the order of the show, each a page: its text, then what it points to (notes,
 * diagrams, charts, comments). What is on all slides comes once, behind the last. */
#include <string.h>

#include "index/formats/ooxml.h"

struct show {
	struct ooxml *x;
	const struct ooxml_relations *relations;
};

static void read_slide(struct ooxml *x, const struct ooxml_part *slide)
{
	struct ooxml_relations r;

	textsink_page(x->o->out);
	ooxml_text(x, slide);
	if (!ooxml_relations(x, slide->name, &r))
		return;
	for (size_t i = 0; i < r.len; i++) {
		const struct ooxml_part *part =
		    r.list[i].external ? NULL : ooxml_part_of(x, r.list[i].target);

		if (part && (part->kind == PART_SLIDE_NOTES || part->kind == PART_DIAGRAM ||
				part->kind == PART_CHART || part->kind == PART_COMMENTS))
			ooxml_text(x, part);
	}
	ooxml_relations_free(&r);
}

static void show_start(void *arg, const char *name, const struct office_atts *atts)
{
	struct show *s = arg;
	const struct ooxml_part *part;
	const char *target;
	char id[64];

	if (strcmp(name, "sldId") != 0)
		return;
	target = ooxml_relation(s->relations, office_att_prefixed(atts, "r", "id", id, sizeof(id)));
	part = target ? ooxml_part_of(s->x, target) : NULL;
	if (part && part->kind == PART_SLIDE)
		read_slide(s->x, part);
}

void ooxml_slides(struct ooxml *x, const struct ooxml_part *show)
{
	static const struct office_events events = {.start = show_start};
	struct ooxml_relations relations;

	if (!ooxml_relations(x, show->name, &relations))
		return;
	office_part(x->o, show->entry, &events, &(struct show){.x = x, .relations = &relations});
	ooxml_text_of(x, PART_MASTER);
	ooxml_relations_free(&relations);
}
