#include "workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct workers {
    pthread_t threads[WORKERS_MAX];
    unsigned count; /* threads beside the caller's */
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    void (*job)(void *arg, size_t index);
    void *arg;
    size_t jobs;
    atomic_size_t next;
    unsigned long run; /* number of the current run */
    unsigned busy;     /* threads that have not finished it */
    bool stopping;
};

/* Takes job after job until none is left. */
static void work(struct workers *w)
{
    size_t i;

    while ((i = atomic_fetch_add(&w->next, 1)) < w->jobs)
        w->job(w->arg, i);
}

static void *thread_main(void *arg)
{
    struct workers *w = arg;
    unsigned long seen = 0;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (w->run == seen && !w->stopping)
            pthread_cond_wait(&w->start, &w->lock);
        if (w->stopping)
            break;
        seen = w->run;
        pthread_mutex_unlock(&w->lock);
        work(w);
        pthread_mutex_lock(&w->lock);
        if (--w->busy == 0)
            pthread_cond_signal(&w->done);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void run(void *ctx, void (*job)(void *arg, size_t index), void *arg, size_t count)
{
    struct workers *w = ctx;

    if (count <= 1 || w->count == 0) {
        for (size_t i = 0; i < count; i++)
            job(arg, i);
        return;
    }
    pthread_mutex_lock(&w->lock);
    w->job = job;
    w->arg = arg;
    w->jobs = count;
    atomic_store(&w->next, 0);
    w->busy = w->count;
    w->run++;
    pthread_cond_broadcast(&w->start);
    pthread_mutex_unlock(&w->lock);
    work(w);
    pthread_mutex_lock(&w->lock);
    while (w->busy > 0)
        pthread_cond_wait(&w->done, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

struct workers *workers_start(unsigned count)
{
    struct workers *w = calloc(1, sizeof *w);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = count > 0 ? count : (processors > 0 ? (unsigned)processors : 1);

    if (w == NULL) {
        fprintf(stderr, "out of memory\n");
        abort();
    }
    if (threads > WORKERS_MAX)
        threads = WORKERS_MAX;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->start, NULL);
    pthread_cond_init(&w->done, NULL);
    /* Fewer threads than asked for is slower, not wrong. */
    while (w->count + 1 < threads &&
           pthread_create(&w->threads[w->count], NULL, thread_main, w) == 0)
        w->count++;
    return w;
}

void workers_stop(struct workers *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_broadcast(&w->start);
    pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->count; i++)
        pthread_join(w->threads[i], NULL);
    pthread_cond_destroy(&w->start);
    pthread_cond_destroy(&w->done);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

struct executor_workers workers_of(struct workers *w)
{
    return (struct executor_workers){.ctx = w, .run = run};
}
