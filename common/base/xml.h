/* XML written into a struct buf. Names come from our own code, text is untrusted. */
#ifndef TOQUE_XML_H
#define TOQUE_XML_H

#include "common/base/buf.h"
#include "common/base/str.h"

void xml_open(struct buf *out, const char *name);  /* <name> */
void xml_close(struct buf *out, const char *name); /* </name> */
/* Escapes & < > as entities, " as &quot; and CR as &#xD;, as the service does; newlines and tabs
 * stay. What XML 1.0 cannot carry at all (other control characters, U+FFFE, U+FFFF, bytes that are
 * no UTF-8) becomes U+FFFD, so that the answer can always be parsed. */
void xml_text(struct buf *out, str text);
/* <name>text</name> */
void xml_element(struct buf *out, const char *name, str text);
void xml_element_i64(struct buf *out, const char *name, i64 v);

#endif
