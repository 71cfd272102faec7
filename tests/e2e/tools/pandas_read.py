"""Reads a chain with pandas, SQLAlchemy and psycopg2, as docs/tools.md says. Argument: a libpq URL.

Prints one fact a line; tests/e2e/tools_test.sh compares them.
"""
import sys
from decimal import Decimal

import pandas
import psycopg2
import sqlalchemy

url = sys.argv[1]
engine = sqlalchemy.create_engine("postgresql+psycopg2://", creator=lambda: psycopg2.connect(url))

with engine.connect() as connection:
    accounts = pandas.read_sql(
        sqlalchemy.text("SELECT address, balance_upokt, balance_pokt, height FROM state.account_at(:h)"
                        " ORDER BY address"),
        connection, params={"h": 20}, coerce_float=False)
    print("rows", len(accounts))
    print("types", " ".join(type(v).__name__ for v in accounts.iloc[0]))
    print("address", bytes(accounts.address[1]).hex())
    print("sum", accounts.balance_upokt.sum(), accounts.balance_pokt.sum())
    print("exact", isinstance(accounts.balance_upokt.sum(), Decimal))

    # What pandas does unless told: floats, which lose what numeric keeps.
    floats = pandas.read_sql("SELECT balance_pokt FROM state.account_at(20)", connection)
    print("coerced", floats.balance_pokt.dtype)

    blocks = pandas.read_sql("SELECT height, block_time, transactions FROM chain.block ORDER BY height",
                             connection, index_col="height", parse_dates={"block_time": {"utc": True}})
    print("blocks", len(blocks), blocks.block_time.dtype, blocks.transactions.sum())
    minutes = blocks[1:].resample("1min", on="block_time").transactions.sum()
    print("minutes", " ".join(str(n) for n in minutes))

    both = pandas.read_sql("SELECT encode(address, 'hex') AS address, a.balance_pokt AS before,"
                           " b.balance_pokt AS after FROM state.account_at(10) a"
                           " JOIN state.account_at(50) b USING (address)", connection,
                           index_col="address")
    print("changed", int((both.before != both.after).sum()))

    servicers = pandas.read_sql("SELECT chains, paused_height FROM state.servicer"
                                " WHERE status = 'staked' ORDER BY address", connection)
    print("array", type(servicers.chains[0]).__name__, servicers.chains[0])
    print("not applicable", servicers.paused_height.isna().all())

# The inspector: what SQLAlchemy's reflection sees of the views.
inspector = sqlalchemy.inspect(engine)
print("schemas", " ".join(s for s in inspector.get_schema_names() if s != "information_schema"))
print("views", " ".join(sorted(inspector.get_view_names(schema="state"))))
for column in inspector.get_columns("account", schema="state"):
    print("column", column["name"], column["type"], "|", column["comment"])
print("comment", inspector.get_table_comment("account", schema="state")["text"])
table = sqlalchemy.Table("account", sqlalchemy.MetaData(), schema="state", autoload_with=engine)
with engine.connect() as connection:
    query = sqlalchemy.select(table.c.balance_upokt).where(
        table.c.address == bytes.fromhex("00201fa516d71eeff5c930d5b8ff99c23a948d25"))
    print("reflected", connection.execute(query).scalar())

# The height of a session, set once.
with psycopg2.connect(url, options="-c tidemark.height=20") as plain, plain.cursor() as cursor:
    cursor.execute("SELECT count(*) FROM state.account")
    print("height by option", cursor.fetchone()[0])
    try:
        cursor.execute("SELECT * FROM state.account_at(%s)", (60,))
    except psycopg2.Error as error:
        print("error", error.pgcode, error.diag.message_hint)
