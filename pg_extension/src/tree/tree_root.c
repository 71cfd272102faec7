/*
 * tree_root(tree, height): the root over the rows as of a height, on all processors the server
 * gives a query.
 *
 * Two phases. First each process takes pieces of the tables until there are none and puts the
 * leaves into buckets of its own; when all have, each takes buckets until there are none and makes
 * a subtree of a bucket's leaves. A plan of the server could do the first only: its workers hand
 * rows to one process, which alone would sort and hash what is left.
 */
#include "height/height.h"
#include "tree/leaf_buckets.h"
#include "value/result.h"
#include "tree/tree_scan.h"

#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/xact.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "optimizer/cost.h"
#include "optimizer/paths.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/barrier.h"
#include "storage/lwlock.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(tidemark_tree_root);
PGDLLEXPORT void tidemark_tree_root_worker(dsm_segment *segment, shm_toc *toc);

enum { COLUMNS = 2 };
enum { KEY_JOB = 1, KEY_AREA };
enum { PHASE_SCAN, PHASE_HASH };

/* What the processes share. */
struct job {
    enum tree_id tree;
    height_t height;
    Barrier barrier;
    pg_atomic_uint32 next_set, next_piece, next_bucket;
    uint32 sets, pieces;
    bool there[LEAF_BUCKETS];
    struct smt_subtree subtree[LEAF_BUCKETS];
    /* Then: struct leaf_buckets[sets], one for each process, and struct tree_piece[pieces]. */
};

static struct leaf_buckets *job_sets(struct job *job)
{
    return (struct leaf_buckets *)((char *)job + MAXALIGN(sizeof *job));
}

static struct tree_piece *job_pieces(struct job *job)
{
    return (struct tree_piece *)((char *)job_sets(job) +
                                 MAXALIGN(job->sets * sizeof(struct leaf_buckets)));
}

static size_t job_size(uint32 sets, uint32 pieces)
{
    return MAXALIGN(sizeof(struct job)) + MAXALIGN(sets * sizeof(struct leaf_buckets)) +
           pieces * sizeof(struct tree_piece);
}

static void job_init(struct job *job, enum tree_id tree, height_t height, uint32 sets,
                     const struct tree_piece *pieces, uint32 count)
{
    memset(job, 0, job_size(sets, count));
    job->tree = tree;
    job->height = height;
    job->sets = sets;
    job->pieces = count;
    if (count > 0)
        memcpy(job_pieces(job), pieces, count * sizeof *pieces);
    BarrierInit(&job->barrier, 0);
    pg_atomic_init_u32(&job->next_set, 0);
    pg_atomic_init_u32(&job->next_piece, 0);
    pg_atomic_init_u32(&job->next_bucket, 0);
}

static void scan(struct job *job, struct leaf_memory memory)
{
    uint32 set = pg_atomic_fetch_add_u32(&job->next_set, 1), piece;
    struct leaf_writer *writer = leaf_writer_new(memory, &job_sets(job)[set]);

    while ((piece = pg_atomic_fetch_add_u32(&job->next_piece, 1)) < job->pieces)
        tree_scan_read(job->tree, job->height, &job_pieces(job)[piece], writer);
    leaf_writer_flush(writer);
    pfree(writer);
}

/* A worker may come when the others are hashing already, or have gone. */
static void take_part(struct job *job, struct leaf_memory memory)
{
    int phase = BarrierAttach(&job->barrier);
    uint32 bucket;

    if (phase == PHASE_SCAN) {
        scan(job, memory);
        BarrierArriveAndWait(&job->barrier, PG_WAIT_EXTENSION);
    }
    while ((bucket = pg_atomic_fetch_add_u32(&job->next_bucket, 1)) < LEAF_BUCKETS)
        job->there[bucket] =
            leaf_buckets_subtree(memory, job_sets(job), job->sets, bucket, &job->subtree[bucket]);
    BarrierArriveAndDetach(&job->barrier);
}

void tidemark_tree_root_worker(dsm_segment *segment, shm_toc *toc)
{
    struct leaf_memory memory = {
        .context = CurrentMemoryContext,
        .area = dsa_attach_in_place(shm_toc_lookup(toc, KEY_AREA, false), segment),
    };

    query_begin();
    take_part(shm_toc_lookup(toc, KEY_JOB, false), memory);
    query_end();
    dsa_detach(memory.area);
}

/* As many as the server would give a scan of so many pages. */
static int workers_for(uint64 blocks)
{
    uint64 enough = (uint64)Max(min_parallel_table_scan_size, 1);
    int workers = 0;

    if (IsParallelWorker())
        return 0;
    for (; blocks >= enough && workers < max_parallel_workers_per_gather; enough *= 3)
        workers++;
    return workers;
}

struct result {
    uint64 leaves;
    struct hash32 root;
};

static struct result result_of(struct job *job)
{
    struct result out = {.root = leaf_buckets_root(job->subtree, job->there)};

    for (uint32 i = 0; i < job->sets; i++)
        out.leaves += job_sets(job)[i].count;
    return out;
}

static struct result run_alone(enum tree_id tree, height_t height, const struct tree_piece *pieces,
                               uint32 count)
{
    struct leaf_memory memory = {.context = AllocSetContextCreate(CurrentMemoryContext, "tree_root",
                                                                  ALLOCSET_DEFAULT_SIZES)};
    struct job *job = MemoryContextAllocHuge(memory.context, job_size(1, count));
    struct result out;

    job_init(job, tree, height, 1, pieces, count);
    take_part(job, memory);
    out = result_of(job);
    MemoryContextDelete(memory.context);
    return out;
}

/* An error leaves the parallel context to the end of the (sub)transaction, as in the server. */
static struct result run_parallel(enum tree_id tree, height_t height,
                                  const struct tree_piece *pieces, uint32 count, int workers)
{
    struct leaf_memory memory = {.context = CurrentMemoryContext};
    ParallelContext *parallel;
    struct result out;
    struct job *job;
    size_t size;
    void *place;

    EnterParallelMode();
    parallel = CreateParallelContext("$libdir/tidemark", "tidemark_tree_root_worker", workers);
    size = job_size((uint32)parallel->nworkers + 1, count);
    shm_toc_estimate_chunk(&parallel->estimator, size);
    shm_toc_estimate_chunk(&parallel->estimator, dsa_minimum_size());
    shm_toc_estimate_keys(&parallel->estimator, 2);
    InitializeParallelDSM(parallel);
    job = shm_toc_allocate(parallel->toc, size);
    job_init(job, tree, height, (uint32)parallel->nworkers + 1, pieces, count);
    shm_toc_insert(parallel->toc, KEY_JOB, job);
    /* Without workers there may be no segment. */
    if (parallel->seg != NULL) {
        place = shm_toc_allocate(parallel->toc, dsa_minimum_size());
        memory.area = dsa_create_in_place(place, dsa_minimum_size(), LWTRANCHE_PARALLEL_QUERY_DSA,
                                          parallel->seg);
        shm_toc_insert(parallel->toc, KEY_AREA, place);
    }
    LaunchParallelWorkers(parallel);
    take_part(job, memory);
    WaitForParallelWorkersToFinish(parallel);
    out = result_of(job);
    if (memory.area != NULL)
        dsa_detach(memory.area);
    DestroyParallelContext(parallel);
    ExitParallelMode();
    return out;
}

Datum tidemark_tree_root(PG_FUNCTION_ARGS)
{
    int16 tree = PG_GETARG_INT16(0);
    height_t height = PG_GETARG_INT64(1);
    struct tree_piece *pieces;
    Datum values[COLUMNS];
    bool nulls[COLUMNS] = {false, false};
    struct result result;
    uint64 blocks;
    struct tip tip;
    size_t count;
    TupleDesc row;
    int workers;

    if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "tree_root returns no row type");
    if (tree < 0 || tree >= TREES)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("there is no tree number %d", tree),
                        errhint("Trees are numbered 0 to %d.", TREES - 1)));
    query_begin();
    tip = height_tip();
    height_require(&tip, height);
    pieces = tree_scan_pieces((enum tree_id)tree, height, &tip, &count, &blocks);
    workers = workers_for(blocks);
    result = workers > 0 ? run_parallel((enum tree_id)tree, height, pieces, (uint32)count, workers)
                         : run_alone((enum tree_id)tree, height, pieces, (uint32)count);
    query_end();
    values[0] = Int64GetDatum((int64)result.leaves);
    values[1] = result_hash(&result.root);
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row), values, nulls));
}
