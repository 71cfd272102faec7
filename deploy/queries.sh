#!/bin/bash
# deploy/queries.sh HEIGHT: five queries for a chain that has this height, one a line.
h=$1
cat <<TEXT
SELECT height, block_time, encode(state_hash, 'hex') AS state_hash, transactions FROM chain.block ORDER BY height DESC LIMIT 5
SELECT count(*) AS accounts, sum(balance_pokt) AS pokt FROM state.account_at($h)
SELECT name, value, changed_height FROM state.param ORDER BY changed_height DESC, name LIMIT 5
SELECT kind, address, draw FROM state.session_at($h, address('00101f2ff54811e84df2d767c661f57a06349b7e'), '0001', '')
SELECT * FROM tidemark.verify_state($h)
TEXT
