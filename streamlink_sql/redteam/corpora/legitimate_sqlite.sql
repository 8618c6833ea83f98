-- # Legitimate queries that look like attacks, or are merely large, in the SQL of SQLite, on the tables of fixture.sql. Below each line `-- allow` stands one query, up to the next such line.

-- class: quoted names

-- allow
SELECT "select", "from", "union all" FROM "drop"

-- allow
SELECT [select], [union all] FROM [drop]

-- allow
SELECT `from` FROM `drop` WHERE `select` = 1

-- allow
SELECT d."delete; --" FROM "drop" AS d

-- allow
SELECT name AS 'drop table' FROM customers

-- allow
SELECT name AS "Robert'); DROP TABLE students;--" FROM customers

-- allow
SELECT count(*) FROM customers WHERE country = "DE"

-- allow
SELECT "it's; -- text" AS t FROM regions

-- allow
SELECT 1 AS [hr.salaries]

-- allow
WITH "delete from" AS (SELECT 1 AS "where") SELECT "where" FROM "delete from"


-- class: SQLite's own forms

-- allow
SELECT strftime('%Y-%m', ordered) AS month, count(*) FROM orders GROUP BY month

-- allow
SELECT date('now'), datetime('now', '-1 day'), time('now'), julianday('now')

-- allow
SELECT date(ordered, 'start of month', '+1 month', '-1 day') FROM orders

-- allow
SELECT julianday(received) - julianday(shipped) AS days FROM order_lines

-- allow
SELECT cast(strftime('%Y', ordered) AS INTEGER) AS y FROM orders

-- allow
SELECT group_concat(name, '; ') FROM suppliers

-- allow
SELECT group_concat(DISTINCT country) FROM customers

-- allow
SELECT name FROM customers WHERE name GLOB 'Drop*'

-- allow
SELECT name FROM customers WHERE name LIKE 'drop table%' COLLATE NOCASE

-- allow
SELECT name FROM customers WHERE segment IS NOT 'x' OR name IS 'y' GROUP BY name HAVING 1

-- allow
SELECT iif(quantity > 3, 'many', 'few') FROM order_lines

-- allow
SELECT ifnull(remark, '-'), coalesce(remark, '') FROM orders

-- allow
SELECT instr(name, 'Drop'), unicode('A'), char(68, 82, 79, 80) FROM customers

-- allow
SELECT hex(name), quote(name), typeof(name) FROM customers

-- allow
SELECT printf('%05d', order_id), printf('%.2f', 1.5), format('%s-%s', status, priority) FROM orders

-- allow
SELECT json_extract('{"q": "DROP TABLE x"}', '$.q')

-- allow
SELECT '{"a": 1}' -> 'a', '{"a": 1}' ->> '$.a'

-- allow
SELECT json_object('delete', 1), json_array(1, 'drop'), json_group_array(name) FROM suppliers

-- allow
SELECT max(1, 2, 3), min(4, 5)

-- allow
SELECT total(price), sum(price) FROM order_lines

-- allow
SELECT name FROM customers LIMIT 5, 10

-- allow
SELECT * FROM customers LIMIT 10 OFFSET 20

-- allow
SELECT 5 == 5, 5 <> 4, NOT 0, 1 ISNULL, 1 NOTNULL

-- allow
SELECT x.rowid, x.name FROM customers x WHERE x.rowid < 3

-- allow
VALUES ('drop'), ('table')

-- allow
SELECT * FROM (VALUES (1, 'delete'), (2, 'update'))

-- allow
WITH RECURSIVE cnt(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM cnt WHERE x < 31) SELECT x FROM cnt

-- allow
WITH RECURSIVE cnt(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM cnt LIMIT 20) SELECT x FROM cnt

-- allow
WITH RECURSIVE d(day) AS (SELECT date('2022-01-01') UNION ALL SELECT date(day, '+1 day') FROM d WHERE day < '2022-01-31') SELECT day, count(order_id) FROM d LEFT JOIN orders ON ordered = day GROUP BY day

-- allow
SELECT name FROM customers WHERE name NOT LIKE '%\_%' ESCAPE '\'

-- allow
SELECT '\' AS backslash, name FROM customers

-- allow
SELECT 'C:\temp\' AS path

-- allow
SELECT count(*) FROM tickets WHERE body LIKE '%\n%'

-- allow
SELECT sum(quantity) FILTER (WHERE ship_mode = 'AIR') FROM order_lines

-- allow
SELECT nth_value(name, 2) OVER (ORDER BY unit_price) FROM products

-- allow
SELECT random() % 10, abs(random()) IS NOT NULL

-- allow
SELECT substr(name, -2), substring(name, 2, 3), ltrim(name, 'A'), trim(name, ' 0123456789') FROM customers

-- allow
SELECT CAST('12' AS INTEGER), CAST(1 AS TEXT), CAST('1.5' AS REAL)

-- allow
SELECT brand, name, max(unit_price) FROM products GROUP BY brand

-- allow
SELECT likely(1), unlikely(0)

-- allow
SELECT 'a' || 'b' || "name" FROM customers

-- allow
SELECT replace(printf('%5d', order_id), ' ', '0') FROM orders

-- allow
SELECT status, count(*) FROM orders GROUP BY 1 HAVING count(*) > 1 ORDER BY 2 DESC, 1

-- allow
SELECT t.ticket_id FROM tickets t WHERE t.opened BETWEEN datetime('2023-01-01') AND datetime('2023-02-01', '+1 day')

-- allow
SELECT c.name FROM customers c WHERE c.customer_id = (SELECT o.customer_id FROM orders o ORDER BY o.ordered DESC LIMIT 1)

-- allow
SELECT name FROM main.customers

-- allow
SELECT round(100.0 * sum(status = 'lost') / count(*), 1) AS lost_share FROM orders

-- allow
SELECT name FROM customers WHERE hex(name) <> hex(x'64726F70')
