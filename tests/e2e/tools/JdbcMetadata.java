import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;

/**
 * Prints what programs over JDBC (DBeaver, DataGrip) ask a database for before they show it: schemas,
 * tables, columns, keys and functions, with their remarks; then reads rows. One fact a line, words
 * separated by '|'.
 */
public class JdbcMetadata {
    public static void main(String[] arguments) throws SQLException {
        try (Connection connection = DriverManager.getConnection(arguments[0], arguments[1],
                                                                 System.getenv("PGPASSWORD"))) {
            DatabaseMetaData metadata = connection.getMetaData();
            System.out.println("readonly|" + value(connection, "SHOW default_transaction_read_only"));
            try (ResultSet r = metadata.getSchemas()) {
                while (r.next())
                    System.out.println("schema|" + r.getString("TABLE_SCHEM"));
            }
            try (ResultSet r = metadata.getTables(null, null, "%", new String[] {"VIEW", "TABLE",
                                                  "PARTITIONED TABLE"})) {
                while (r.next())
                    System.out.println("relation|" + r.getString("TABLE_SCHEM") + "."
                                       + r.getString("TABLE_NAME") + "|"
                                       + r.getString("TABLE_TYPE") + "|" + r.getString("REMARKS"));
            }
            try (ResultSet r = metadata.getColumns(null, null, "%", "%")) {
                while (r.next())
                    System.out.println("column|" + r.getString("TABLE_SCHEM") + "."
                                       + r.getString("TABLE_NAME") + "."
                                       + r.getString("COLUMN_NAME") + "|" + r.getInt("DATA_TYPE")
                                       + "|" + r.getString("TYPE_NAME") + "|"
                                       + r.getString("REMARKS"));
            }
            try (ResultSet r = metadata.getFunctions(null, "tidemark", "%")) {
                while (r.next())
                    System.out.println("function|" + r.getString("FUNCTION_NAME") + "|"
                                       + r.getString("REMARKS"));
            }
            try (ResultSet r = metadata.getPrimaryKeys(null, "ledger", "account")) {
                while (r.next())
                    System.out.println("key|" + r.getString("COLUMN_NAME"));
            }
            rows(connection);
            try (ResultSet r = connection.createStatement().executeQuery(
                     "SELECT * FROM state.account_at(60)")) {
                System.out.println("future|" + r);
            } catch (SQLException e) {
                System.out.println("future|" + e.getSQLState() + "|"
                                   + e.getMessage().replace('\n', ' '));
            }
        }
    }

    private static String value(Connection connection, String query) throws SQLException {
        try (ResultSet r = connection.createStatement().executeQuery(query)) {
            r.next();
            return r.getString(1);
        }
    }

    /** A prepared query with parameters of SQL's types, read by Java's. */
    private static void rows(Connection connection) throws SQLException {
        byte[] address = new byte[20];
        String hex = "00201fa516d71eeff5c930d5b8ff99c23a948d25";

        for (int i = 0; i < address.length; i++)
            address[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        try (PreparedStatement query = connection.prepareStatement(
                 "SELECT address, balance_upokt, balance_pokt, height FROM state.account_at(?)"
                 + " WHERE address = ?")) {
            query.setLong(1, 20);
            query.setBytes(2, address);
            try (ResultSet r = query.executeQuery()) {
                ResultSetMetaData types = r.getMetaData();
                for (int i = 1; i <= types.getColumnCount(); i++)
                    System.out.println("type|" + types.getColumnName(i) + "|"
                                       + types.getColumnTypeName(i) + "|"
                                       + types.getColumnClassName(i));
                while (r.next())
                    System.out.println("row|" + r.getBytes(1).length + "|" + r.getBigDecimal(2)
                                       + "|" + r.getBigDecimal(3) + "|" + r.getLong(4));
            }
        }
        try (ResultSet r = connection.createStatement().executeQuery(
                 "SELECT height, block_time, transactions FROM chain.block ORDER BY height DESC LIMIT 1")) {
            r.next();
            System.out.println("block|" + r.getLong(1) + "|"
                               + r.getObject(2, java.time.OffsetDateTime.class) + "|" + r.getInt(3));
        }
    }
}
