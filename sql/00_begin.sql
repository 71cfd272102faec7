-- The public surface: views, functions, comments and privileges over the base tables.
--
-- All files of this directory run in one transaction, in the order of their names, by a superuser of
-- the private cluster: after the migrations, and again after every later one. Nothing here holds
-- data, so everything is dropped and made anew; tables are never touched.

SET LOCAL lock_timeout = '2s';
SET LOCAL client_min_messages = warning;
SET LOCAL search_path = pg_catalog, pg_temp;

SELECT ledger.drop_surface();

SET LOCAL ROLE tidemark_owner;
