-- The background audit: who may write what it found, and what the columns mean.

RESET ROLE;

ALTER ROLE tidemark_audit NOLOGIN;
GRANT tidemark_reader TO tidemark_audit;
GRANT INSERT, DELETE ON ops.audit TO tidemark_audit;
GRANT UPDATE ON ops.audit_progress TO tidemark_audit;

COMMENT ON TABLE ops.audit IS
    'What tidemark audit checked and found: one row per task. Rows that held go again when there are many; findings stay. Local.';
COMMENT ON COLUMN ops.audit.id IS 'Number of the row, ascending in time.';
COMMENT ON COLUMN ops.audit.at IS 'When it was written; of a finding, when it was seen first.';
COMMENT ON COLUMN ops.audit.kind IS
    'block = verify_block: rows and tree nodes the block touched; execution = the block executed again on the state before it; state = all ten trees of the height before, and the block.';
COMMENT ON COLUMN ops.audit.first_height IS 'First height of the task.';
COMMENT ON COLUMN ops.audit.height IS
    'Last height of the task; of a finding the height that does not hold.';
COMMENT ON COLUMN ops.audit.state_hash IS
    'State hash of block height as it was stored then; NULL = there was no such block, or the height is pruned.';
COMMENT ON COLUMN ops.audit.ok IS
    'true = everything held; false = something did not; NULL = skipped, the state is pruned.';
COMMENT ON COLUMN ops.audit.findings IS
    'What does not hold, a line each, or why heights were skipped; NULL = everything held.';
COMMENT ON COLUMN ops.audit.msec IS 'Milliseconds it took.';

COMMENT ON TABLE ops.audit_progress IS
    'How far tidemark audit has come, one row per kind; from here it goes on. Local.';
COMMENT ON COLUMN ops.audit_progress.kind IS 'Kind of check, as in ops.audit.';
COMMENT ON COLUMN ops.audit_progress.height IS
    'block, execution: every height up to this one was checked or skipped; state: the height that was drawn last; NULL = none yet.';
COMMENT ON COLUMN ops.audit_progress.state_hash IS
    'State hash of that height as it was stored then; where the block has another one now, the audit begins again.';
COMMENT ON COLUMN ops.audit_progress.heights IS 'Heights checked in all, repeats counted.';
COMMENT ON COLUMN ops.audit_progress.rollbacks IS
    'Rollbacks so far; a check that a rollback overtook does not count.';
COMMENT ON COLUMN ops.audit_progress.updated_at IS 'When it last came further; NULL = never.';
