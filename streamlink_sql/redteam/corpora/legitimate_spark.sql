-- # Legitimate queries that look like attacks, or are merely large, in the SQL of Spark, on the tables of fixture.sql. Below each line `-- allow` stands one query, up to the next such line.

-- class: quoted names

-- allow
SELECT `select`, `from`, `union all` FROM `drop`

-- allow
SELECT `delete; --` FROM `drop` WHERE `from` = 'here'

-- allow
SELECT d.`select` AS `insert into` FROM `drop` AS d

-- allow
SELECT name AS `Robert'); DROP TABLE students;--` FROM customers

-- allow
SELECT count(*) AS `hr.salaries` FROM orders

-- allow
SELECT "a string; DROP TABLE x" AS s, 'it\'s' AS t, "say \"hi\"" AS u

-- allow
SELECT 'C:\\temp\\' AS path, r'\d+' AS pattern

-- allow
SELECT name FROM customers WHERE name = "O'Brien 1"

-- allow
WITH `delete from` AS (SELECT 1 AS `where`) SELECT `where` FROM `delete from`

-- allow
SELECT '$5.00' AS price, '${' || 'x}' IS NULL AS no FROM regions


-- class: Spark's own forms

-- allow
SELECT date_trunc('MONTH', ordered) AS month, count(*) FROM orders GROUP BY date_trunc('MONTH', ordered)

-- allow
SELECT year(ordered), month(ordered), quarter(ordered), dayofweek(ordered), weekofyear(ordered) FROM orders

-- allow
SELECT date_format(ordered, 'yyyy-MM') AS ym, count(*) FROM orders GROUP BY date_format(ordered, 'yyyy-MM')

-- allow
SELECT to_date('2022-01-31', 'yyyy-MM-dd'), to_timestamp('2022-01-01 10:00:00')

-- allow
SELECT date_add(ordered, 30), date_sub(ordered, 7), add_months(ordered, 1), last_day(ordered) FROM orders

-- allow
SELECT datediff(received, shipped) AS days FROM order_lines

-- allow
SELECT months_between(current_date(), joined) FROM customers

-- allow
SELECT unix_timestamp(opened), from_unixtime(0) FROM tickets

-- allow
SELECT ordered + INTERVAL 30 DAYS, ordered - INTERVAL '1' MONTH FROM orders

-- allow
SELECT DATE '2022-01-01', TIMESTAMP '2022-01-01 00:00:00'

-- allow
SELECT extract(YEAR FROM ordered) FROM orders

-- allow
SELECT collect_list(name), collect_set(country) FROM customers

-- allow
SELECT concat_ws('; ', collect_list(name)) FROM suppliers

-- allow
SELECT sort_array(collect_set(brand)) FROM products

-- allow
SELECT customer_id, size(collect_list(order_id)) AS n FROM orders GROUP BY customer_id

-- allow
SELECT explode(array('drop', 'table')) AS word

-- allow
SELECT c.name, w FROM customers c LATERAL VIEW explode(split(c.name, ' ')) t AS w

-- allow
SELECT c.name, p, w FROM customers c LATERAL VIEW OUTER posexplode(split(c.name, ' ')) t AS p, w

-- allow
SELECT posexplode(array(1, 2))

-- allow
SELECT explode(sequence(to_date('2022-01-01'), to_date('2022-01-31'), interval 1 day)) AS day

-- allow
SELECT explode(sequence(1, 12)) AS month

-- allow
SELECT inline(array(struct(1, 'a'), struct(2, 'b')))

-- allow
SELECT transform(array(1, 2, 3), x -> x + 1)

-- allow
SELECT filter(array(1, 2, 3), x -> x > 1), exists(array(1, 2), x -> x = 2)

-- allow
SELECT aggregate(array(1, 2, 3), 0, (acc, x) -> acc + x)

-- allow
SELECT array_contains(array('drop', 'delete'), 'drop'), array_join(array('a', 'b'), '; ')

-- allow
SELECT map('union', 1)['union'], map_keys(map('a', 1))

-- allow
SELECT named_struct('a', 1, 'b', 'x').b

-- allow
SELECT get_json_object('{"q": "DROP TABLE x"}', '$.q')

-- allow
SELECT from_json('{"a": 1}', 'a INT').a

-- allow
SELECT to_json(named_struct('delete', 1))

-- allow
SELECT name RLIKE '^(Drop|Union)' FROM customers

-- allow
SELECT regexp_extract(name, '([0-9]+)$', 1), regexp_replace(name, '[0-9]', '#') FROM customers

-- allow
SELECT initcap(lower(name)), reverse(name), lpad(country, 5, '.'), rpad(segment, 8) FROM customers

-- allow
SELECT split(body, ';')[0] FROM tickets

-- allow
SELECT substring(name, 1, 3), substring_index(name, ' ', 1), instr(name, 'Drop'), locate('Table', name) FROM customers

-- allow
SELECT format_string('%05d-%s', order_id, status), format_number(1234.5, 2) FROM orders

-- allow
SELECT md5(name), sha2(name, 256), base64(cast(name AS BINARY)), hex(name) FROM customers

-- allow
SELECT nvl(remark, '-'), nvl2(remark, 1, 0), ifnull(remark, ''), if(store_id > 3, 'a', 'b') FROM orders

-- allow
SELECT percentile_approx(unit_price, 0.5), approx_count_distinct(name), stddev(unit_price) FROM products

-- allow
SELECT percentile(unit_price, 0.9), skewness(unit_price), kurtosis(unit_price) FROM products

-- allow
SELECT first(name), last(name), max_by(name, unit_price), count_if(discontinued) FROM products

-- allow
SELECT country, segment, count(*) FROM customers GROUP BY country, segment WITH ROLLUP

-- allow
SELECT country, segment, count(*) FROM customers GROUP BY ROLLUP (country, segment)

-- allow
SELECT country, segment, grouping_id(), count(*) FROM customers GROUP BY CUBE (country, segment)

-- allow
SELECT country, segment, count(*) FROM customers GROUP BY GROUPING SETS ((country), (segment), ())

-- allow
SELECT name FROM customers LEFT SEMI JOIN orders ON customers.customer_id = orders.customer_id

-- allow
SELECT name FROM customers LEFT ANTI JOIN orders ON customers.customer_id = orders.customer_id

-- allow
SELECT name FROM customers MINUS SELECT name FROM suppliers

-- allow
SELECT country FROM customers EXCEPT ALL SELECT country FROM suppliers

-- allow
SELECT * FROM VALUES (1, 'drop'), (2, 'table') AS t(n, word)

-- allow
SELECT customer_id <=> referred_by AS same FROM customers

-- allow
SELECT 7 DIV 2, 7 % 2, pmod(-7, 3), bround(2.5), 2.5D, 3L

-- allow
SELECT CAST(name AS STRING), CAST(unit_price AS DECIMAL(10, 1)), INT('5') FROM products

-- allow
SELECT * FROM customers TABLESAMPLE (10 PERCENT)

-- allow
FROM orders SELECT count(*)

-- allow
SELECT * FROM main.orders

-- allow
SELECT lateral_total, lateral_total * 2 AS twice FROM (SELECT sum(price) AS lateral_total FROM order_lines) t

-- allow
SELECT c.name, o.n FROM customers c, LATERAL (SELECT count(*) AS n FROM orders o WHERE o.customer_id = c.customer_id) o

-- allow
SELECT any_value(name), mode(brand), bool_and(discontinued) FROM products

-- allow
SELECT cardinality(array(1, 2)), element_at(array(1, 2), 1), flatten(array(array(1), array(2)))

-- allow
SELECT repeat('=', 20), space(4), translate('drop', 'dr', 'st')

-- allow
SELECT stddev_pop(price), corr(price, quantity), covar_samp(price, quantity) FROM order_lines

-- allow
SELECT opened, window(opened, '1 day').start FROM tickets GROUP BY opened, window(opened, '1 day')

-- allow
SELECT current_date(), current_timestamp(), now()

-- allow
SELECT * FROM orders ORDER BY ordered DESC NULLS LAST LIMIT 10

-- allow
SELECT rand() < 1, uuid() IS NOT NULL

-- allow
WITH orders AS (SELECT order_id FROM orders WHERE status = 'open') SELECT count(*) FROM orders

-- allow
SELECT X'64726F70' AS bytes
