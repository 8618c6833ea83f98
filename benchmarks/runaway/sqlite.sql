-- cross join
SELECT count(*) AS n FROM orders a, orders b, orders c, orders d WHERE (a.id * b.id + c.id * d.id) % 7919 = 7

-- join on a loose condition
SELECT sum(a.amount * c.amount) AS s FROM orders a JOIN orders b ON a.amount < b.amount JOIN orders c ON b.id <> c.id

-- endless recursion
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) AS n FROM r

-- recursion that only looks as if it ended
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n > 0) SELECT max(n) AS n FROM r

-- recursion that doubles its rows
WITH RECURSIVE r(n) AS (SELECT id FROM orders UNION ALL SELECT a.n + b.id FROM r a, orders b WHERE a.n > 0) SELECT count(*) AS n FROM r

-- recursion that doubles a text
WITH RECURSIVE r(t) AS (SELECT note FROM orders UNION ALL SELECT t || t FROM r WHERE t <> '') SELECT max(length(t)) AS n FROM r

-- recursion that remembers every row
WITH RECURSIVE r(n, t) AS (SELECT 1, note FROM orders UNION SELECT n + 1, t || n FROM r WHERE n > 0) SELECT count(*) AS n FROM r

-- huge text
SELECT length(printf('%.*c', 2000000000, 'x')) AS n

-- a text replaced by longer ones
SELECT length(replace(replace(replace(printf('%.9999c', 'x'), 'x', printf('%.999c', 'y')), 'y', 'zzzzzzzz'), 'z', 'xxxxxxxx')) AS n FROM orders

-- texts added up
SELECT length(group_concat(a.note || b.note)) AS n FROM orders a, orders b, customers c

-- values added up in JSON
SELECT length(json_group_array(json_array(a.note, b.note))) AS n FROM orders a, orders b

-- LIKE that tries all ways
SELECT count(*) AS n FROM orders a, orders b
WHERE printf('%.9999c', 'a') || a.note || b.note LIKE '%a_%a_%a_%a_%a_%a_%a_%!'

-- GLOB that tries all ways
SELECT count(*) AS n FROM orders a, orders b
WHERE printf('%.9999c', 'a') || a.note || b.note GLOB '*[a-z]*[a-m]*a*[a-z]*a?*a?*a?*!'

-- sort of a cross join
SELECT a.id, b.id, c.id FROM orders a, orders b, customers c ORDER BY a.note || b.note || c.name LIMIT 10 OFFSET 900000000

-- groups without end
SELECT count(*) AS n FROM (SELECT a.id * 100000 + b.id AS k, c.name, count(*) AS m FROM orders a, orders b, customers c GROUP BY 1, 2)

-- distinct values without end
SELECT count(DISTINCT a.note || b.note || c.name) AS n FROM orders a, orders b, customers c

-- window over a cross join
SELECT max(m) AS m FROM (SELECT max(a.amount) OVER (ORDER BY b.amount ROWS BETWEEN 5000 PRECEDING AND 5000 FOLLOWING) AS m FROM orders a, orders b)

-- query within a query for every row
SELECT count(*) AS n FROM orders a WHERE a.amount > (SELECT avg(b.amount + c.amount) FROM orders b, orders c WHERE b.id % 97 <> a.id % 89 AND c.id > b.id)

-- names that stand for twice as much each time
WITH a AS (SELECT id FROM orders), b AS (SELECT x.id FROM a x, a y), c AS (SELECT x.id FROM b x, b y), d AS (SELECT x.id FROM c x, c y),
     e AS (SELECT x.id FROM d x, d y), f AS (SELECT x.id FROM e x, e y), g AS (SELECT x.id FROM f x, f y), h AS (SELECT x.id FROM g x, g y),
     i AS (SELECT x.id FROM h x, h y), j AS (SELECT x.id FROM i x, i y), k AS (SELECT x.id FROM j x, j y), l AS (SELECT x.id FROM k x, k y)
SELECT count(*) AS n FROM l x, l y

-- wide rows
SELECT a.note || b.note || printf('%.9000c', 'x') || printf('%.9000c', 'y') AS t FROM orders a, orders b

-- rows as wide as a result may be
SELECT printf('%.*c', 250000, 'x') AS t FROM orders
