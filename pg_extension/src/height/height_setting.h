/*
 * The setting tidemark.height: 'latest' or nothing, a height, '-n' for n below the tip, or a
 * moment. Relative and time values are resolved where they are read, at the query's own snapshot.
 */
#ifndef PG_EXTENSION_HEIGHT_SETTING_H
#define PG_EXTENSION_HEIGHT_SETTING_H

#include "value/compat.h"

#include "datatype/timestamp.h"

enum height_kind { HEIGHT_LATEST, HEIGHT_ABSOLUTE, HEIGHT_FROM_TIP, HEIGHT_MOMENT };

struct height_setting {
    enum height_kind kind;
    int64 value; /* the height, or how far below the tip */
    TimestampTz moment;
};

/* Defines the setting; once, when the library is loaded. */
void height_setting_init(void);

/* What it is now. */
struct height_setting height_setting_now(void);

/* False for text that is no height. Raises nothing. */
bool height_setting_parse(const char *text, struct height_setting *out);
bool height_setting_equal(const struct height_setting *x, const struct height_setting *y);

#endif
