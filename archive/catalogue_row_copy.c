#include <stdlib.h>
#include <string.h>

#include "arkki/archive/catalogue.h"

static int copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? ARK_ENOMEM : ARK_OK;
}

int catalogue_row_copy(struct catalogue_row *to, const struct catalogue_row *from)
{
	const struct catalogue_rendition *rendition = &from->rendition;
	struct catalogue_rendition *copy = &to->rendition;

	*to = *from;
	to->sealed_metadata = (struct buf)BUF_INIT;
	to->sealed_version = (struct buf)BUF_INIT;
	to->type = to->date = to->language = to->publicity = to->state = to->media_type = NULL;
	to->text_state = to->text_reason = NULL;
	copy->sealed = (struct buf)BUF_INIT;
	copy->media_type = copy->text_state = copy->text_reason = NULL;
	buf_add(&to->sealed_metadata, from->sealed_metadata.data, from->sealed_metadata.len);
	buf_add(&to->sealed_version, from->sealed_version.data, from->sealed_version.len);
	buf_add(&copy->sealed, rendition->sealed.data, rendition->sealed.len);
	if (buf_failed(&to->sealed_metadata) || buf_failed(&copy->sealed) ||
	    buf_failed(&to->sealed_version) || copy_text(&to->type, from->type) ||
	    copy_text(&to->date, from->date) || copy_text(&to->language, from->language) ||
	    copy_text(&to->publicity, from->publicity) || copy_text(&to->state, from->state) ||
	    copy_text(&to->media_type, from->media_type) ||
	    copy_text(&to->text_state, from->text_state) ||
	    copy_text(&to->text_reason, from->text_reason) ||
	    copy_text(&copy->media_type, rendition->media_type) ||
	    copy_text(&copy->text_state, rendition->text_state) ||
	    copy_text(&copy->text_reason, rendition->text_reason)) {
		catalogue_row_free(to);
		return ARK_ENOMEM;
	}
	return ARK_OK;
}
