-- What a reader asks again and again: a report of schema report, or of the state at a height of its
-- choice.
SELECT height AS tip, height - 1000 AS low FROM chain.block ORDER BY height DESC LIMIT 1 \gset
\set kind random(1, 10)
\set h random(:low, :tip)
\if :kind = 1
SELECT count(*), sum(balance_upokt) FROM state.account_at(:h);
\elif :kind = 2
SELECT address, balance_upokt FROM state.account_at(:h) ORDER BY balance_upokt DESC LIMIT 20;
\elif :kind = 3
SELECT chain, count(*), sum(stake_upokt) FROM state.servicer_at(:h), unnest(chains) chain
GROUP BY chain ORDER BY chain;
\elif :kind = 4
SELECT * FROM report.supply WHERE height > :low ORDER BY height;
\elif :kind = 5
SELECT * FROM report.richest_account_at(:h);
\elif :kind = 6
SELECT * FROM report.message WHERE height > :low;
\elif :kind = 7
SELECT * FROM report.staking WHERE height > :low;
\elif :kind = 8
SELECT * FROM report.servicer_churn WHERE height > :low;
\elif :kind = 9
SELECT * FROM report.session_load_at(:h, '0001');
\else
SELECT date_trunc('hour', block_time) AS hour, count(*), sum(transactions) FROM chain.block
GROUP BY hour ORDER BY hour DESC LIMIT 48;
\endif
