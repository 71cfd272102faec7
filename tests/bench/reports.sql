-- What a reader asks again and again: one report of a few, at a height of its choice.
SELECT height AS tip, height - 1000 AS low FROM chain.block ORDER BY height DESC LIMIT 1 \gset
\set kind random(1, 5)
\set h random(:low, :tip)
\if :kind = 1
SELECT count(*), sum(balance_upokt) FROM state.account_at(:h);
\elif :kind = 2
SELECT address, balance_upokt FROM state.account_at(:h) ORDER BY balance_upokt DESC LIMIT 20;
\elif :kind = 3
SELECT message_type, count(*), count(DISTINCT signer) FROM chain.transaction
WHERE height > :low GROUP BY message_type;
\elif :kind = 4
SELECT chain, count(*), sum(stake_upokt) FROM state.servicer_at(:h), unnest(chains) chain
GROUP BY chain ORDER BY chain;
\else
SELECT date_trunc('hour', block_time) AS hour, count(*), sum(transactions) FROM chain.block
GROUP BY hour ORDER BY hour DESC LIMIT 48;
\endif
