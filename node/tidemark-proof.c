/* tidemark-proof: `tidemark proof` as a program of its own, which needs neither the database's nor
 * the network's libraries. */
#include "node/cli/proof.h"

#include <stdlib.h>

static const struct cli_command *const commands[] = {&cli_proof_command, NULL};

int main(int argc, char **argv)
{
    char **words = calloc((size_t)argc + 2, sizeof *words);
    int status;

    if (words == NULL)
        return CLI_REFUSED;
    words[0] = argv[0];
    words[1] = (char *)cli_proof_command.name;
    for (int i = 1; i < argc; i++)
        words[i + 1] = argv[i];
    status = cli_main(commands, argc + 1, words);
    free(words);
    return status;
}
