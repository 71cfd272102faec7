/* The operator's and client's program `tidemark`: a table of commands. */
#include "node/cli/audit.h"
#include "node/cli/demo.h"
#include "node/cli/export.h"
#include "node/cli/keys.h"
#include "node/cli/proof.h"
#include "node/cli/prune.h"
#include "node/cli/query.h"
#include "node/cli/replay.h"
#include "node/cli/rollback.h"
#include "node/cli/tx.h"
#include "node/cli/verify.h"

static const struct cli_command *const commands[] = {&cli_init_command,
                                                     &cli_migrate_command,
                                                     &cli_up_command,
                                                     &cli_status_command,
                                                     &cli_psql_command,
                                                     &cli_query_command,
                                                     &cli_tx_command,
                                                     &cli_keys_command,
                                                     &cli_db_command,
                                                     &cli_replay_command,
                                                     &cli_export_command,
                                                     &cli_verify_command,
                                                     &cli_demo_command,
                                                     &cli_proof_command,
                                                     &cli_rollback_command,
                                                     &cli_prune_command,
                                                     &cli_audit_command,
                                                     &cli_replica_command,
                                                     NULL};

int main(int argc, char **argv)
{
    return cli_main(commands, argc, argv);
}
