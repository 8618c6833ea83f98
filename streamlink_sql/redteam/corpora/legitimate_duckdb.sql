-- # Legitimate queries that look like attacks, or are merely large, in the SQL of DuckDB, on the tables of fixture.sql. Below each line `-- allow` stands one query, up to the next such line.

-- class: quoted names

-- allow
SELECT "select", "from", "union all" FROM "drop"

-- allow
SELECT "delete; --" FROM "drop" WHERE "from" = 'here'

-- allow
SELECT d."select" AS "insert into", count(*) AS "drop table" FROM "drop" AS d GROUP BY d."select"

-- allow
SELECT sum("delete; --") AS "1; DROP TABLE orders" FROM main."drop"

-- allow
SELECT "name" AS "Robert'); DROP TABLE students;--" FROM customers

-- allow
SELECT count(*) AS "hr.salaries" FROM orders

-- allow
WITH "delete from" AS (SELECT 1 AS "where") SELECT "where" FROM "delete from"

-- allow
SELECT o."status" FROM "orders" "o" WHERE "o"."order_id" = 1

-- allow
SELECT 1 AS "é", 2 AS "名前", 3 AS "a""b"

-- allow
FROM "drop" SELECT "union all"


-- class: DuckDB's own forms

-- allow
FROM orders

-- allow
FROM orders WHERE status = 'open' LIMIT 3

-- allow
FROM customers SELECT name, country

-- allow
SELECT * EXCLUDE (remark) FROM orders

-- allow
SELECT * REPLACE (upper(status) AS status) FROM orders

-- allow
SELECT * RENAME (name AS customer_name) FROM customers

-- allow
SELECT COLUMNS('.*_id') FROM orders

-- allow
SELECT min(COLUMNS(*)) FROM stock

-- allow
SELECT COLUMNS(lambda c: c LIKE '%date%' OR c = 'status') FROM orders

-- allow
SELECT status, count(*) FROM orders GROUP BY ALL ORDER BY ALL

-- allow
SELECT DISTINCT ON (customer_id) customer_id, order_id FROM orders ORDER BY customer_id, ordered DESC

-- allow
SELECT name, row_number() OVER (PARTITION BY brand ORDER BY unit_price) AS rn FROM products QUALIFY rn = 1

-- allow
SELECT * FROM orders USING SAMPLE 10 ROWS

-- allow
SELECT * FROM orders TABLESAMPLE 10%

-- allow
SELECT * FROM stock TABLESAMPLE reservoir(20 ROWS) REPEATABLE (42)

-- allow
SELECT customer_id, list(order_id ORDER BY ordered) AS order_ids FROM orders GROUP BY customer_id

-- allow
SELECT string_agg(name, ', ' ORDER BY name) FROM suppliers

-- allow
SELECT list_transform([1, 2, 3], lambda x: x * 2)

-- allow
SELECT list_transform([1, 2, 3], lambda x: x + 1)

-- allow
SELECT list_filter([1, 2, 3, 4], lambda x: x % 2 = 0)

-- allow
SELECT [x * 2 FOR x IN [1, 2, 3] IF x > 1]

-- allow
SELECT list_reduce([1, 2, 3], lambda a, b: a + b)

-- allow
SELECT list_aggregate([1, 2, 3], 'sum'), list_aggregate(['a', 'b'], 'string_agg', '; ')

-- allow
SELECT {'a': 1, 'drop table': 'x'} AS s

-- allow
SELECT struct_pack(a := 1, b := 'x').b

-- allow
SELECT MAP {'union': 1, 'select': 2}['union']

-- allow
SELECT [1, 2, 3][1:2] AS slice, [1, 2, 3][-1] AS last

-- allow
SELECT unnest([1, 2, 3]) AS n

-- allow
SELECT * FROM unnest(['drop', 'table']) AS t(word)

-- allow
SELECT * FROM range(10)

-- allow
SELECT d::DATE AS day FROM generate_series(DATE '2022-01-01', DATE '2022-12-31', INTERVAL 1 DAY) AS t(d)

-- allow
SELECT i, h FROM range(31) a(i), range(24) b(h)

-- allow
SELECT count(*) FROM range(0, 365) days(d) LEFT JOIN orders ON ordered = DATE '2022-01-01' + d::INTEGER

-- allow
SELECT date_trunc('month', ordered) AS month, count(*) FROM orders GROUP BY month ORDER BY month

-- allow
SELECT year(ordered), quarter(ordered), month(ordered), dayname(ordered) FROM orders

-- allow
SELECT extract(year FROM ordered) AS y, extract('dow' FROM ordered) AS d FROM orders

-- allow
SELECT ordered + INTERVAL 30 DAY AS due, ordered - INTERVAL '1 month' AS before FROM orders

-- allow
SELECT date_diff('day', shipped, received) AS days FROM order_lines

-- allow
SELECT strftime(ordered, '%Y-%m') AS ym FROM orders

-- allow
SELECT strptime('31/12/2022', '%d/%m/%Y')

-- allow
SELECT age(TIMESTAMP '2022-01-01', TIMESTAMP '2021-01-01')

-- allow
SELECT time_bucket(INTERVAL '1 week', ordered) AS w, count(*) FROM orders GROUP BY w

-- allow
SELECT now() - INTERVAL 7 DAY < now() AS sure, today() AS today

-- allow
SELECT closed - opened AS took FROM tickets WHERE closed IS NOT NULL

-- allow
SELECT (opened AT TIME ZONE 'UTC')::VARCHAR FROM tickets

-- allow
SELECT name ILIKE '%drop%' FROM customers

-- allow
SELECT name FROM customers WHERE regexp_matches(name, '^(Drop|Union)')

-- allow
SELECT regexp_replace(body, 'https?://\S+', '[link]', 'g') FROM tickets

-- allow
SELECT regexp_extract(name, '(\d+)$', 1) AS number FROM customers

-- allow
SELECT name FROM customers WHERE name SIMILAR TO '(Ada|Zoë) [0-9]+'

-- allow
SELECT name.upper().replace('DROP', 'drop') FROM customers

-- allow
SELECT format('{} ({})', name, country) FROM customers

-- allow
SELECT printf('%05d', order_id) FROM orders

-- allow
SELECT lpad(order_id::VARCHAR, 8, '0'), rpad(status, 10, '.') FROM orders

-- allow
SELECT repeat('*', rating) FROM suppliers

-- allow
SELECT repeat('*', least(rating, 5)) FROM suppliers

-- allow
SELECT repeat('-', 20) AS line

-- allow
SELECT bar(unit_price, 0, 60, 20) FROM products

-- allow
SELECT md5(name), sha256(name), hash(name) FROM customers

-- allow
SELECT to_base64(encode(name)), hex(name) FROM customers

-- allow
SELECT url_encode(name), url_decode('a%20b') FROM customers

-- allow
SELECT chr(59) AS semicolon, ascii(';') AS code, unicode('é') AS u

-- allow
SELECT '{"a": {"drop": 1}}'::JSON ->> '$.a.drop'

-- allow
SELECT json_extract_string('{"q": "SELECT 1; DROP TABLE x"}', '$.q')

-- allow
SELECT to_json({'a': 1}), json_object('delete', 1)

-- allow
SELECT median(unit_price), mode(brand), quantile_cont(unit_price, 0.9), approx_count_distinct(name) FROM products

-- allow
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY unit_price) FROM products

-- allow
SELECT arg_max(name, unit_price), arg_min(name, unit_price), max_by(name, unit_price) FROM products

-- allow
SELECT stddev(price), var_samp(price), corr(price, quantity), regr_slope(price, quantity) FROM order_lines

-- allow
SELECT country, segment, count(*) FROM customers GROUP BY ROLLUP (country, segment)

-- allow
SELECT country, segment, count(*), grouping(country) FROM customers GROUP BY CUBE (country, segment)

-- allow
SELECT country, segment, count(*) FROM customers GROUP BY GROUPING SETS ((country), (segment), ())

-- allow
SELECT name FROM customers UNION ALL BY NAME SELECT name, country FROM suppliers

-- allow
SELECT country FROM customers EXCEPT ALL SELECT country FROM suppliers

-- allow
SELECT c.name FROM customers c SEMI JOIN orders o USING (customer_id) WHERE c.country = 'DE'

-- allow
SELECT name FROM customers ANTI JOIN orders USING (customer_id)

-- allow
SELECT o.order_id, k.on_hand FROM orders o ASOF JOIN stock k ON o.store_id = k.store_id AND o.ordered >= k.week

-- allow
SELECT c.name, last_order.ordered FROM customers c, LATERAL (SELECT ordered FROM orders o WHERE o.customer_id = c.customer_id ORDER BY ordered DESC LIMIT 1) last_order

-- allow
SELECT * FROM (VALUES (1, 'drop'), (2, 'table')) AS t(n, word)

-- allow
VALUES ('DELETE'), ('UPDATE')

-- allow
SELECT try_cast('x' AS INTEGER), '5'::INTEGER, 5::VARCHAR

-- allow
SELECT if(quantity > 3, 'many', 'few'), ifnull(NULL, 0) FROM order_lines

-- allow
SELECT price // 10 AS tens, 2 ** 3 AS eight, 7 % 3 AS one FROM order_lines

-- allow
SELECT $$it's; -- a "dollar" string$$ AS s

-- allow
SELECT E'line\nbreak' AS s

-- allow
SELECT 1_000_000 AS million

-- allow
SELECT orders FROM orders LIMIT 1

-- allow
SELECT #1 FROM customers

-- allow
WITH x AS MATERIALIZED (SELECT * FROM orders) SELECT count(*) FROM x

-- allow
SELECT uuid() IS NOT NULL, random() < 1

-- allow
SELECT DATE '2022-02-28' + 1, TIMESTAMP '2022-01-01 00:00:00', INTERVAL 5 MINUTE

-- allow
SELECT histogram(status) FROM orders

-- allow
SELECT typeof(unit_price) FROM products LIMIT 1

-- allow
SELECT sum(quantity) FILTER (ship_mode = 'AIR') FROM order_lines

-- allow
SELECT status, count() FROM orders GROUP BY status

-- allow
SELECT string_split('a;b;c', ';') AS parts, array_to_string(['x', 'y'], '; ')

-- allow
SELECT replace(lpad('7', 3, '0'), '0', 'o')

-- allow
SELECT regexp_split_to_array('SELECT;DROP', ';')

-- allow
WITH orders AS (SELECT order_id FROM orders WHERE status = 'open') SELECT count(*) FROM orders
