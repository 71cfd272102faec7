#include "tx_message.h"

#include "protocol/base/hex.h"
#include "protocol/state/record.h"

/* Comma-separated chains that one command line takes. */
enum { CHAINS_MAX = 1024 };

/* One row for each word after `tidemark tx`. */
struct form {
    const char *name;
    const char *words; /* what follows, for the message */
    enum message_kind kind;
    size_t least, most; /* words that follow */
    enum tm_err (*fill)(struct arena *a, const char *const *words, size_t count,
                        const struct tx_choices *choices, struct tx_plan *plan, struct tm_error *e);
};

static struct bytes copy_address(struct arena *a, const struct address *address)
{
    return arena_copy(a, bytes_address(address));
}

static enum tm_err read_address(const char *word, const char *what, struct address *out,
                                struct tm_error *e)
{
    struct bytes text = bytes_of(word);

    if (text.size == 2 * sizeof out->b && hex_decode(text, out->b))
        return TM_OK;
    return tm_fail(e, TM_ERR_USAGE, "%s \"%.80s\" is not an address (40 hexadecimal characters)",
                   what, word);
}

static enum tm_err read_amount(const char *word, struct bytes *out, struct tm_error *e)
{
    struct bytes text = bytes_of(word);

    if (!amount_is_standard(text))
        return tm_fail(e, TM_ERR_USAGE,
                       "the amount \"%.80s\" is not a whole number of upokt (1 POKT is 1000000)",
                       word);
    *out = text;
    return TM_OK;
}

static enum tm_err read_kind(const char *word, enum actor_kind *out, struct tm_error *e)
{
    static const struct {
        const char *word;
        enum actor_kind kind;
    } KINDS[] = {{"app", ACTOR_APP},
                 {"application", ACTOR_APP},
                 {"servicer", ACTOR_SERVICER},
                 {"fisherman", ACTOR_FISH},
                 {"validator", ACTOR_VAL}};

    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
        if (strcmp(word, KINDS[i].word) == 0) {
            *out = KINDS[i].kind;
            return TM_OK;
        }
    return tm_fail(e, TM_ERR_USAGE,
                   "\"%.40s\" is no kind of actor: app, servicer, fisherman or validator", word);
}

/* "0001,0002": what an element may be is the rules' business. */
static enum tm_err read_chains(struct arena *a, const char *word, struct message *m,
                               struct tm_error *e)
{
    size_t count = 1, n = 0;

    for (const char *p = word; *p != '\0'; p++)
        count += *p == ',';
    if (count > CHAINS_MAX)
        return tm_fail(e, TM_ERR_USAGE, "more than %d relay chains", CHAINS_MAX);
    m->chains = arena_array(a, struct bytes, count);
    for (const char *p = word; n < count; n++) {
        size_t length = strcspn(p, ",");

        m->chains[n] = bytes_make(p, length);
        p += length + 1;
    }
    m->chain_count = count;
    return TM_OK;
}

/* Text as it is, or bytes as 0x… */
static enum tm_err read_bytes(struct arena *a, const char *word, const char *what,
                              struct bytes *out, struct tm_error *e)
{
    struct bytes text = bytes_of(word);
    uint8_t *data;

    if (strncmp(word, "0x", 2) != 0) {
        *out = text;
        return TM_OK;
    }
    text = bytes_of(word + 2);
    data = arena_alloc(a, text.size / 2);
    if (!hex_decode(text, data))
        return tm_fail(e, TM_ERR_USAGE, "the %s begins with 0x but is not hexadecimal", what);
    *out = bytes_make(data, text.size / 2);
    return TM_OK;
}

static enum tm_err refuse_choices(const struct tx_choices *choices, bool signer, bool output,
                                  struct tm_error *e)
{
    if (!signer && choices->signer != NULL)
        return tm_fail(e, TM_ERR_USAGE, "--signer is for stake, edit-stake, unstake and unpause");
    if (!output && choices->output != NULL)
        return tm_fail(e, TM_ERR_USAGE, "--output is for stake only");
    return TM_OK;
}

static enum tm_err fill_send(struct arena *a, const char *const *words, size_t count,
                             const struct tx_choices *choices, struct tx_plan *plan,
                             struct tm_error *e)
{
    struct address to;
    enum tm_err err = refuse_choices(choices, false, false, e);

    (void)count;
    if (err == TM_OK)
        err = read_address(words[0], "FROM", &plan->signer, e);
    if (err == TM_OK)
        err = read_address(words[1], "TO", &to, e);
    if (err == TM_OK)
        err = read_amount(words[2], &plan->message.amount, e);
    if (err != TM_OK)
        return err;
    plan->message.from = copy_address(a, &plan->signer);
    plan->message.to = copy_address(a, &to);
    return TM_OK;
}

/* KIND ADDRESS, and who signs: what the four staking messages have in common. */
static enum tm_err fill_actor(struct arena *a, const char *const *words,
                              const struct tx_choices *choices, struct tx_plan *plan,
                              struct tm_error *e)
{
    enum actor_kind kind = ACTOR_APP;
    enum tm_err err = read_kind(words[0], &kind, e);

    if (err == TM_OK)
        err = read_address(words[1], "ADDRESS", &plan->actor, e);
    plan->signer = plan->actor;
    if (err == TM_OK && choices->signer != NULL)
        err = read_address(choices->signer, "--signer", &plan->signer, e);
    if (err != TM_OK)
        return err;
    plan->message.actor_type = (int32_t)kind;
    plan->message.has_signer = true;
    plan->message.signer = copy_address(a, &plan->signer);
    return TM_OK;
}

/* AMOUNT, then CHAINS (not validators), then SERVICE_URL (not applications). */
static enum tm_err fill_staker(struct arena *a, const char *const *words, size_t count,
                               const struct tx_choices *choices, struct tx_plan *plan,
                               struct tm_error *e)
{
    struct message *m = &plan->message;
    enum tm_err err = fill_actor(a, words, choices, plan, e);
    bool chains = m->actor_type != ACTOR_VAL, url = m->actor_type != ACTOR_APP;

    if (err == TM_OK && count != 3 + (size_t)chains + (size_t)url)
        return tm_fail(e, TM_ERR_USAGE, "%.40s takes ADDRESS AMOUNT%s%s", words[0],
                       chains ? " CHAINS" : "", url ? " SERVICE_URL" : "");
    if (err == TM_OK)
        err = read_amount(words[2], &m->amount, e);
    if (err == TM_OK && chains)
        err = read_chains(a, words[3], m, e);
    if (err == TM_OK && url)
        m->service_url = bytes_of(words[3 + (size_t)chains]);
    return err;
}

static enum tm_err fill_stake(struct arena *a, const char *const *words, size_t count,
                              const struct tx_choices *choices, struct tx_plan *plan,
                              struct tm_error *e)
{
    struct address output;
    enum tm_err err = fill_staker(a, words, count, choices, plan, e);

    output = plan->actor;
    if (err == TM_OK && choices->output != NULL)
        err = read_address(choices->output, "--output", &output, e);
    plan->message.output = copy_address(a, &output);
    plan->needs_public_key = true;
    return err;
}

static enum tm_err fill_edit_stake(struct arena *a, const char *const *words, size_t count,
                                   const struct tx_choices *choices, struct tx_plan *plan,
                                   struct tm_error *e)
{
    enum tm_err err = refuse_choices(choices, true, false, e);

    if (err == TM_OK)
        err = fill_staker(a, words, count, choices, plan, e);
    plan->message.address = copy_address(a, &plan->actor);
    return err;
}

static enum tm_err fill_unstake(struct arena *a, const char *const *words, size_t count,
                                const struct tx_choices *choices, struct tx_plan *plan,
                                struct tm_error *e)
{
    enum tm_err err = refuse_choices(choices, true, false, e);

    (void)count;
    if (err == TM_OK)
        err = fill_actor(a, words, choices, plan, e);
    plan->message.address = copy_address(a, &plan->actor);
    return err;
}

/* Text for every kind of parameter, as readers expect (utility.md 2.7). */
static enum tm_err fill_change_parameter(struct arena *a, const char *const *words, size_t count,
                                         const struct tx_choices *choices, struct tx_plan *plan,
                                         struct tm_error *e)
{
    struct message *m = &plan->message;
    enum tm_err err = refuse_choices(choices, false, false, e);

    (void)count;
    if (err == TM_OK)
        err = read_address(words[0], "OWNER", &plan->signer, e);
    if (err != TM_OK)
        return err;
    m->signer = copy_address(a, &plan->signer);
    m->owner = m->signer;
    m->parameter_key = bytes_of(words[1]);
    m->has_parameter_value = true;
    m->wrapper = WRAPPER_STRING;
    m->wrapper_decodes = true;
    m->text_value = bytes_of(words[2]);
    return TM_OK;
}

static enum tm_err fill_ibc(struct arena *a, const char *const *words, size_t count,
                            const struct tx_choices *choices, struct tx_plan *plan,
                            struct tm_error *e)
{
    enum tm_err err = refuse_choices(choices, false, false, e);

    if (err == TM_OK)
        err = read_address(words[0], "SIGNER", &plan->signer, e);
    plan->message.signer = copy_address(a, &plan->signer);
    if (err == TM_OK)
        err = read_bytes(a, words[1], "key", &plan->message.key, e);
    if (err == TM_OK && count > 2)
        err = read_bytes(a, words[2], "value", &plan->message.value, e);
    return err;
}

static const struct form FORMS[] = {
    {"send", "FROM TO AMOUNT", MESSAGE_SEND, 3, 3, fill_send},
    {"stake", "KIND ADDRESS AMOUNT [CHAINS] [SERVICE_URL]", MESSAGE_STAKE, 3, 5, fill_stake},
    {"edit-stake", "KIND ADDRESS AMOUNT [CHAINS] [SERVICE_URL]", MESSAGE_EDIT_STAKE, 3, 5,
     fill_edit_stake},
    {"unstake", "KIND ADDRESS", MESSAGE_UNSTAKE, 2, 2, fill_unstake},
    {"unpause", "KIND ADDRESS", MESSAGE_UNPAUSE, 2, 2, fill_unstake},
    {"change-parameter", "OWNER NAME VALUE", MESSAGE_CHANGE_PARAMETER, 3, 3, fill_change_parameter},
    {"ibc-update", "SIGNER KEY VALUE", MESSAGE_UPDATE_IBC_STORE, 3, 3, fill_ibc},
    {"ibc-prune", "SIGNER KEY", MESSAGE_PRUNE_IBC_STORE, 2, 2, fill_ibc},
};

enum tm_err tx_plan(struct arena *a, const char *const *words, size_t count,
                    const struct tx_choices *choices, struct tx_plan *out, struct tm_error *e)
{
    if (count == 0)
        return tm_fail(e, TM_ERR_USAGE, "what to do is missing");
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
        const struct form *form = &FORMS[i];

        if (strcmp(words[0], form->name) != 0)
            continue;
        if (count - 1 < form->least || count - 1 > form->most)
            return tm_fail(e, TM_ERR_USAGE, "%s takes %s", form->name, form->words);
        *out = (struct tx_plan){.message = {.kind = form->kind}};
        return form->fill(a, words + 1, count - 1, choices, out, e);
    }
    return tm_fail(e, TM_ERR_USAGE, "cannot \"%.40s\"", words[0]);
}
