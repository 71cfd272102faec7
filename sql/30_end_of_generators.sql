-- The makers have done their work.

DROP FUNCTION ledger.create_state, ledger.create_versioned_state, ledger.create_history,
    ledger.page_checks;
