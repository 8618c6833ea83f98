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

-- huge range
SELECT sum(i * i % 7) AS s FROM range(1000000000000) t(i)

-- huge range as a list
SELECT len(list_transform(range(2000000000), lambda x: x * x)) AS n

-- ranges within ranges
SELECT sum(len(range(id * 100000))) AS n FROM orders

-- huge text
SELECT length(repeat('x', 2000000000) || repeat('y', 2000000000)) AS n

-- a repeated text repeated
SELECT length(repeat(repeat('x', 1000000), 1000000)) AS n

-- texts added up
SELECT length(string_agg(a.note || b.note, ',')) AS n FROM orders a, orders b, customers c

-- values added up in a list
SELECT len(list(a.note || b.id)) AS n FROM orders a, orders b

-- regular expression that tries all ways
SELECT count(*) AS n FROM orders a, orders b WHERE regexp_matches(repeat(a.note, 400) || b.note, '^(([a-z]+ ?)+){20,60}[0-9]{7}!$')

-- regular expression on a huge text
SELECT regexp_replace(repeat('ab', 500000000), '(a|ab)(b|)', '\1\1\2\2', 'g') AS t

-- LIKE that tries all ways
SELECT count(*) AS n FROM orders a, orders b WHERE repeat('a', 9999) || a.note || b.note LIKE '%a_%a_%a_%a_%a_%a_%a_%!'

-- sort of a cross join
SELECT a.id, b.id, c.id FROM orders a, orders b, customers c ORDER BY md5(a.note || b.note || c.name) LIMIT 10 OFFSET 900000000

-- groups without end
SELECT count(*) AS n FROM (SELECT a.id * 100000 + b.id AS k, c.name, count(*) AS m FROM orders a, orders b, customers c GROUP BY ALL)

-- window over a cross join
SELECT max(m) AS m FROM (SELECT median(a.amount) OVER (ORDER BY b.amount ROWS BETWEEN 5000 PRECEDING AND 5000 FOLLOWING) AS m FROM orders a, orders b)

-- every subset of many columns
SELECT a.id, count(*) AS n FROM orders a, orders b GROUP BY CUBE (a.id, a.customer_id, a.amount, a.ordered, a.note, b.id, b.customer_id, b.amount, b.ordered, b.note)

-- many times every subset of eight columns
SELECT count(*) AS n FROM orders a, orders b GROUP BY CUBE (a.id, a.customer_id, a.amount, a.ordered, a.note, b.id, b.customer_id, b.amount)
UNION ALL SELECT count(*) AS n FROM orders a, orders b GROUP BY CUBE (a.id, a.customer_id, a.amount, a.ordered, a.note, b.id, b.customer_id, b.amount)
UNION ALL SELECT count(*) AS n FROM orders a, orders b GROUP BY CUBE (a.id, a.customer_id, a.amount, a.ordered, a.note, b.id, b.customer_id, b.amount)
UNION ALL SELECT count(*) AS n FROM orders a, orders b GROUP BY CUBE (a.id, a.customer_id, a.amount, a.ordered, a.note, b.id, b.customer_id, b.amount)
UNION ALL SELECT count(*) AS n FROM orders a, orders b GROUP BY CUBE (a.id, a.customer_id, a.amount, a.ordered, a.note, b.id, b.customer_id, b.amount)
UNION ALL SELECT count(*) AS n FROM orders a, orders b GROUP BY CUBE (a.id, a.customer_id, a.amount, a.ordered, a.note, b.id, b.customer_id, b.amount)
UNION ALL SELECT count(*) AS n FROM orders a, orders b GROUP BY CUBE (a.id, a.customer_id, a.amount, a.ordered, a.note, b.id, b.customer_id, b.amount)
UNION ALL SELECT count(*) AS n FROM orders a, orders b GROUP BY CUBE (a.id, a.customer_id, a.amount, a.ordered, a.note, b.id, b.customer_id, b.amount)
UNION ALL SELECT count(*) AS n FROM orders a, orders b GROUP BY CUBE (a.id, a.customer_id, a.amount, a.ordered, a.note, b.id, b.customer_id, b.amount)
UNION ALL SELECT count(*) AS n FROM orders a, orders b GROUP BY CUBE (a.id, a.customer_id, a.amount, a.ordered, a.note, b.id, b.customer_id, b.amount)
UNION ALL SELECT count(*) AS n FROM orders a, orders b GROUP BY CUBE (a.id, a.customer_id, a.amount, a.ordered, a.note, b.id, b.customer_id, b.amount)
UNION ALL SELECT count(*) AS n FROM orders a, orders b GROUP BY CUBE (a.id, a.customer_id, a.amount, a.ordered, a.note, b.id, b.customer_id, b.amount)

-- query within a query for every row
SELECT count(*) AS n FROM orders a WHERE a.amount > (SELECT avg(b.amount + c.amount) FROM orders b, orders c WHERE b.id % 97 <> a.id % 89 AND c.id > b.id)

-- names that stand for twice as much each time
WITH a AS (SELECT id FROM orders), b AS (SELECT x.id FROM a x, a y), c AS (SELECT x.id FROM b x, b y), d AS (SELECT x.id FROM c x, c y),
     e AS (SELECT x.id FROM d x, d y), f AS (SELECT x.id FROM e x, e y), g AS (SELECT x.id FROM f x, f y), h AS (SELECT x.id FROM g x, g y),
     i AS (SELECT x.id FROM h x, h y), j AS (SELECT x.id FROM i x, i y), k AS (SELECT x.id FROM j x, j y), l AS (SELECT x.id FROM k x, k y)
SELECT count(*) AS n FROM l x, l y

-- wide rows
SELECT repeat(a.note, 400) || repeat(b.note, 400) || lpad('', 9000, 'x') || rpad('', 9000, 'y') AS t FROM orders a, orders b

-- rows as wide as a result may be
SELECT repeat('x', 250000) AS t FROM orders
