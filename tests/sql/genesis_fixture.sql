-- The test genesis of the specification (state.md 5.5) as rows, and its leaves by tree number.
-- Keys: Ed25519 seeds LE4(43), LE4(44), … ; every actor has the same stake and its own output address.
CREATE SCHEMA genesis;
CREATE TABLE genesis.actor (tree smallint, public_key bytea, address bytea, service_url text);
INSERT INTO genesis.actor (tree, public_key, address, service_url) VALUES
    (0, '\x1ba66c6751506850ae0787244c69476b6d45fb857a914a5a0445a24253f7b810',
     '\x67f6e8c48c62dc62a3706e7a8ba2164ca345d762', ''),
    (1, '\xf868bcc508133899cc47b612e4f7d9d5dacc90ce1f28214a97b651baa00bf6e4',
     '\xb0cca84843f6f5a274150a98da66d78f0273f64e', 'node1.consensus:42069'),
    (1, '\xee37d8c8e9cf42a34cfa75ff1141e2bc0ff2f37483f064dce47cb4d5e69db1d4',
     '\x4cda991a51da75acf50e966c2716a7a2837d72eb', 'node2.consensus:42069'),
    (1, '\x264a0707979e0d6691f74b055429b5f318d39c2883bb509310b67424252e9ef2',
     '\x0157a1d82da437eb6b2d0a612ebf934c3a54fb19', 'node3.consensus:42069'),
    (1, '\x423f53a61e2a19302955ddc230ea82374133ed2c229de86733f57bb8481e6180',
     '\x7caea6c3093efbfdc5e8478023e975530c0b04ed', 'node4.consensus:42069'),
    (1, '\x0448bc58ab745fe9099a774f9a0ad8243a7519429d5e3103040e634d9cf25db7',
     '\x11b96904dab3e30fe557684123ee62774af915f5', 'node5.consensus:42069'),
    (3, '\xebe80b7cadea277ac05fb85c7164fe15ebd6873c4a74b3296a462a1026fd9b0f',
     '\xc7832263600476fd6ff4c5cb0a86080d0e5f48b2', 'node1.consensus:42069'),
    (2, '\x50c4a5871ad3379f2879d12cef750d1211633283a9c3730238e6ddf084db4c8a',
     '\xa6e7b6810df8120580f2a81710e228f454f99c97', 'node1.consensus:42069');

-- Under the reference a pool's key is the ASCII of its address (state.md 5.4).
CREATE TABLE genesis.pool (address bytea, balance numeric);
INSERT INTO genesis.pool VALUES
    (convert_to(rpad(encode('DAO', 'hex'), 40, '0'), 'UTF8'), 100000000000000),
    (convert_to(rpad(encode('FeeCollector', 'hex'), 40, '0'), 'UTF8'), 0),
    (convert_to(rpad(encode('AppStakePool', 'hex'), 40, '0'), 'UTF8'), 100000000000000),
    (convert_to(rpad(encode('ValidatorStakePool', 'hex'), 40, '0'), 'UTF8'), 100000000000000),
    (convert_to(rpad(encode('ServicerStakePool', 'hex'), 40, '0'), 'UTF8'), 100000000000000),
    (convert_to(rpad(encode('FishermanStakePool', 'hex'), 40, '0'), 'UTF8'), 100000000000000);

CREATE TABLE genesis.param (name text, value text);
INSERT INTO genesis.param VALUES
    ('blocks_per_session', '1'),
    ('app_minimum_stake', '15000000000'),
    ('app_max_chains', '15'),
    ('app_session_tokens_multiplier', '100'),
    ('app_unstaking_blocks', '2016'),
    ('app_minimum_pause_blocks', '4'),
    ('app_max_pause_blocks', '672'),
    ('servicer_minimum_stake', '15000000000'),
    ('servicer_max_chains', '15'),
    ('servicer_unstaking_blocks', '2016'),
    ('servicer_minimum_pause_blocks', '4'),
    ('servicer_max_pause_blocks', '672'),
    ('servicers_per_session', '24'),
    ('fisherman_minimum_stake', '15000000000'),
    ('fisherman_max_chains', '15'),
    ('fisherman_unstaking_blocks', '2016'),
    ('fisherman_minimum_pause_blocks', '4'),
    ('fisherman_max_pause_blocks', '672'),
    ('fisherman_per_session', '1'),
    ('validator_minimum_stake', '15000000000'),
    ('validator_unstaking_blocks', '2016'),
    ('validator_minimum_pause_blocks', '4'),
    ('validator_max_pause_blocks', '672'),
    ('validator_maximum_missed_blocks', '5'),
    ('validator_max_evidence_age_in_blocks', '8'),
    ('proposer_percentage_of_fees', '10'),
    ('missed_blocks_burn_percentage', '1'),
    ('double_sign_burn_percentage', '5'),
    ('message_double_sign_fee', '10000'),
    ('message_send_fee', '10000'),
    ('message_stake_fisherman_fee', '10000'),
    ('message_edit_stake_fisherman_fee', '10000'),
    ('message_unstake_fisherman_fee', '10000'),
    ('message_pause_fisherman_fee', '10000'),
    ('message_unpause_fisherman_fee', '10000'),
    ('message_fisherman_pause_servicer_fee', '10000'),
    ('message_test_score_fee', '10000'),
    ('message_prove_test_score_fee', '10000'),
    ('message_stake_app_fee', '10000'),
    ('message_edit_stake_app_fee', '10000'),
    ('message_unstake_app_fee', '10000'),
    ('message_pause_app_fee', '10000'),
    ('message_unpause_app_fee', '10000'),
    ('message_stake_validator_fee', '10000'),
    ('message_edit_stake_validator_fee', '10000'),
    ('message_unstake_validator_fee', '10000'),
    ('message_pause_validator_fee', '10000'),
    ('message_unpause_validator_fee', '10000'),
    ('message_stake_servicer_fee', '10000'),
    ('message_edit_stake_servicer_fee', '10000'),
    ('message_unstake_servicer_fee', '10000'),
    ('message_pause_servicer_fee', '10000'),
    ('message_unpause_servicer_fee', '10000'),
    ('message_change_parameter_fee', '10000');

-- All owners are one address; four of their names are irregular (state.md 5.3).
INSERT INTO genesis.param
SELECT replace(name, '_max_pause_blocks', '_max_paused_blocks') || '_owner',
    'da034209758b78eaea06dd99c07909ab54c99b45'
FROM (SELECT name FROM genesis.param UNION ALL SELECT 'acl') owned;

CREATE VIEW genesis.leaf AS
SELECT a.tree, a.address AS key,
    CASE a.tree
        WHEN 0 THEN tidemark.encode_application(a.address, a.public_key, a.address, stake, NULL,
                                                a.service_url, '{0001}', -1, -1)
        WHEN 1 THEN tidemark.encode_validator(a.address, a.public_key, a.address, stake, NULL,
                                              a.service_url, '{}', -1, -1)
        WHEN 2 THEN tidemark.encode_fisherman(a.address, a.public_key, a.address, stake, NULL,
                                              a.service_url, '{0001}', -1, -1)
        ELSE tidemark.encode_servicer(a.address, a.public_key, a.address, stake, NULL,
                                      a.service_url, '{0001}', -1, -1)
    END AS value
FROM genesis.actor a, (VALUES (1000000000000)) s(stake)
UNION ALL SELECT 4, address, tidemark.encode_account(address, 100000000000000) FROM genesis.actor
UNION ALL SELECT 5, address, tidemark.encode_account(address, balance) FROM genesis.pool
UNION ALL SELECT 7, tidemark.param_key(name), tidemark.encode_param(name, value, 0) FROM genesis.param;

-- The ten roots over any set of (tree, key, value), in the order of the trees.
CREATE FUNCTION genesis.roots(leaves text) RETURNS bytea[] LANGUAGE plpgsql AS $$
DECLARE
    roots bytea[];
BEGIN
    EXECUTE format('SELECT array_agg(coalesce(r.root, decode(repeat(''00'', 32), ''hex'')) ORDER BY t) '
                   'FROM generate_series(0, 9) t LEFT JOIN (SELECT tree, tidemark.smt_root(key, value) '
                   'AS root FROM (%s) l GROUP BY tree) r ON r.tree = t', leaves) INTO roots;
    RETURN roots;
END $$;
