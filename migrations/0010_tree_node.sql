-- Tree nodes as of a height out of the index alone: the 64 of one page stand in it side by side, their
-- rows in as many places of the table.

SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL ROLE tidemark_owner;

DROP INDEX ledger.tree_node_history_tree_depth_expr_valid_to_class_prefix_idx;
CREATE UNIQUE INDEX tree_node_history_page_idx ON ledger.tree_node_history
    (tree, depth, (prefix >> 6), valid_to, class, prefix) INCLUDE (valid_from, digest);

RESET ROLE;
