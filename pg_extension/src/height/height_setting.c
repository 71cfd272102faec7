#include "height/height_setting.h"

#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "height/height_guard.h"

enum { SETTING_TEXT_MAX = MAXDATELEN };

/* What the server stores; `current` is it, understood. */
static char *height_text;
static struct height_setting current = {.kind = HEIGHT_LATEST};

struct height_setting height_setting_now(void)
{
    return current;
}

bool height_setting_equal(const struct height_setting *x, const struct height_setting *y)
{
    return x->kind == y->kind && x->value == y->value && x->moment == y->moment;
}

/* Words whose meaning moves with the clock are not moments. */
static bool is_clock_word(const char *text)
{
    static const char *const words[] = {"now", "today", "tomorrow", "yesterday", "allballs"};

    for (size_t i = 0; i < lengthof(words); i++)
        if (strstr(text, words[i]) != NULL)
            return true;
    return false;
}

/* As the server reads a recovery target: nothing here raises. */
static bool parse_moment(const char *text, TimestampTz *out)
{
    char work[MAXDATELEN + MAXDATEFIELDS];
    char *field[MAXDATEFIELDS];
    int type[MAXDATEFIELDS];
    struct pg_tm tm;
    fsec_t fsec;
    int fields, kind, zone;

    if (ParseDateTime(text, work, sizeof work, field, type, MAXDATEFIELDS, &fields) != 0)
        return false;
    for (int i = 0; i < fields; i++)
        if (is_clock_word(field[i]))
            return false;
    if (compat_decode_datetime(field, type, fields, &kind, &tm, &fsec, &zone) != 0)
        return false;
    return kind == DTK_DATE && tm2timestamp(&tm, fsec, &zone, out) == 0;
}

static bool parse_number(const char *text, int64 *out)
{
    char *end;
    long long n;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    n = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    *out = n;
    return true;
}

bool height_setting_parse(const char *text, struct height_setting *out)
{
    char trimmed[SETTING_TEXT_MAX + 1];
    size_t length;

    memset(out, 0, sizeof *out);
    while (isspace((unsigned char)*text))
        text++;
    length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    if (length > SETTING_TEXT_MAX)
        return false;
    memcpy(trimmed, text, length);
    trimmed[length] = '\0';
    if (length == 0 || pg_strcasecmp(trimmed, "latest") == 0)
        out->kind = HEIGHT_LATEST;
    else if (parse_number(trimmed, &out->value))
        out->kind = HEIGHT_ABSOLUTE;
    else if (trimmed[0] == '-' && parse_number(trimmed + 1, &out->value))
        out->kind = HEIGHT_FROM_TIP;
    else if (parse_moment(trimmed, &out->moment))
        out->kind = HEIGHT_MOMENT;
    else
        return false;
    return true;
}

/*
 * A moment without zone is read in the session's time zone, and a parallel worker restores its
 * settings in an order of its own: what is stored names its zone.
 */
static char *canonical_text(const char *given, const struct height_setting *setting)
{
    char text[MAXDATELEN + 1];
    struct pg_tm tm;
    fsec_t fsec;

    switch (setting->kind) {
    case HEIGHT_LATEST:
        return compat_guc_strdup(given[strspn(given, " \t\r\n")] == '\0' ? "" : "latest");
    case HEIGHT_ABSOLUTE:
        snprintf(text, sizeof text, INT64_FORMAT, setting->value);
        break;
    case HEIGHT_FROM_TIP:
        snprintf(text, sizeof text, "-" INT64_FORMAT, setting->value);
        break;
    case HEIGHT_MOMENT:
        if (timestamp2tm(setting->moment, NULL, &tm, &fsec, NULL, NULL) != 0)
            return NULL;
        tm.tm_isdst = 0; /* negative would leave the zone out */
        EncodeDateTime(&tm, fsec, true, 0, NULL, USE_ISO_DATES, text);
        break;
    }
    return compat_guc_strdup(text);
}

static bool check(char **text, void **extra, GucSource source)
{
    struct height_setting setting, *kept;
    char *canonical;

    if (!height_setting_parse(*text, &setting)) {
        GUC_check_errdetail("\"%.64s\" is no height.", *text);
        GUC_check_errhint("Use a height ('1200'), a distance below the tip ('-10'), a moment "
                          "('2024-03-01 12:00Z'), or 'latest'.");
        return false;
    }
    if (source != PGC_S_TEST && !height_guard_allows(&setting)) {
        GUC_check_errcode(ERRCODE_OBJECT_IN_USE);
        GUC_check_errmsg("%s", HEIGHT_GUARD_MESSAGE);
        GUC_check_errhint("%s", HEIGHT_GUARD_HINT);
        return false;
    }
    canonical = canonical_text(*text, &setting);
    kept = compat_guc_alloc(sizeof *kept);
    if (canonical == NULL || kept == NULL)
        return false;
    compat_guc_free(*text);
    *text = canonical;
    *kept = setting;
    *extra = kept;
    return true;
}

static void assign(const char *text, void *extra)
{
    (void)text;
    current = *(struct height_setting *)extra;
}

void height_setting_init(void)
{
    DefineCustomStringVariable(
        "tidemark.height", "Height that the views of schema state show.",
        "A height ('1200'), a distance below the tip ('-10'), a moment, or 'latest' (also when "
        "empty).",
        &height_text, "", PGC_USERSET, 0, check, assign, NULL);
    MarkGUCPrefixReserved("tidemark");
}
