/* Everything about a transaction that needs no state: decoding here, the rest on the workers. */
#include "executor_state.h"

/* Transactions checked by one call of a worker. A signature takes about 50 microseconds, handing
 * out a job less than one; and small blocks have a handful of transactions. */
enum { CHECKS_PER_JOB = 2 };

/* In the order of rules.md, "Includable". */
static enum tm_err check(const struct transaction *tx, const struct rules *rules,
                         struct tm_error *e)
{
    enum tm_err err = transaction_check(tx, rules, e);

    if (err == TM_OK)
        err = transaction_verify(tx, rules, e);
    if (err == TM_OK && rules->message_checks)
        err = message_check(&tx->message, e);
    return err;
}

struct check_job {
    const struct rules *rules;
    const struct transaction *const *transactions;
    struct tm_error **errors;
    size_t count;
    const struct side_job *beside; /* job 0, if there is one: it may take longest */
};

static void run_checks(void *arg, size_t index)
{
    const struct check_job *job = arg;
    size_t end;

    if (job->beside != NULL && index-- == 0) {
        job->beside->run(job->beside->arg);
        return;
    }
    end = (index + 1) * CHECKS_PER_JOB;
    if (end > job->count)
        end = job->count;
    for (size_t i = index * CHECKS_PER_JOB; i < end; i++)
        job->errors[i]->err = check(job->transactions[i], job->rules, job->errors[i]);
}

static void run_all(struct executor *x, struct check_job *job)
{
    x->workers.run(x->workers.ctx, run_checks, job,
                   (job->count + CHECKS_PER_JOB - 1) / CHECKS_PER_JOB + (job->beside != NULL));
}

struct transaction_checks check_transactions(struct executor *x, struct arena *a,
                                             const struct bytes *raw, size_t count,
                                             const struct side_job *beside)
{
    struct tm_error *errors = arena_array(a, struct tm_error, count);
    struct transaction *transactions = arena_array(a, struct transaction, count);
    const struct transaction **to_check = arena_array(a, const struct transaction *, count);
    struct tm_error **answers = arena_array(a, struct tm_error *, count);
    struct check_job job = {.rules = x->chain.rules,
                            .transactions = to_check,
                            .errors = answers,
                            .count = 0,
                            .beside = beside};

    for (size_t i = 0; i < count; i++) {
        errors[i].err = transaction_decode(a, raw[i], &transactions[i], &errors[i]);
        if (errors[i].err != TM_OK)
            continue;
        to_check[job.count] = &transactions[i];
        answers[job.count++] = &errors[i];
    }
    run_all(x, &job);
    return (struct transaction_checks){
        .transactions = transactions, .errors = errors, .count = count};
}

void check_candidates(struct executor *x, struct arena *a, struct executor_candidate *candidates,
                      size_t count)
{
    struct tm_error *errors = arena_array(a, struct tm_error, count);
    const struct transaction **to_check = arena_array(a, const struct transaction *, count);
    struct tm_error **answers = arena_array(a, struct tm_error *, count);
    struct check_job job = {
        .rules = x->chain.rules, .transactions = to_check, .errors = answers, .count = 0};

    for (size_t i = 0; i < count; i++)
        if (!candidates[i].verified) {
            to_check[job.count] = candidates[i].tx;
            answers[job.count++] = &errors[i];
        }
    run_all(x, &job);
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].verified)
            continue;
        candidates[i].verified = errors[i].err == TM_OK;
        candidates[i].code = errors[i].code;
        candidates[i].error = arena_text(a, bytes_of(errors[i].text));
    }
}
