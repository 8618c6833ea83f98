"""The examples under each command's help. Every one is a line that can be typed as it stands, with your own names."""

from __future__ import annotations

EXAMPLES = {
    "demo": """
        streamlink-sql demo                 a million patents, then the web page
        streamlink-sql demo --rows 20000    fewer: ready in seconds
        streamlink-sql demo --no-serve      only the sample questions
        """,
    "ask": """
        streamlink-sql ask --data ./sales "total amount per region in 2024?"
        streamlink-sql ask --data shop.sqlite "the 5 customers with most orders"
        streamlink-sql ask --data orders.csv "orders per month" --output months.csv
        streamlink-sql ask --data ./sales "orders per month" --format json | jq .rows
        echo "how many orders?" | streamlink-sql ask --data ./sales -

        To leave out --data, write a file streamlink.toml with the line
        data = "./sales" or set STREAMLINK_DATA. The rows go to stdout; the SQL,
        what it does in words and how sure the model is go to stderr (--quiet: not).
        """,
    "serve": """
        streamlink-sql serve --data ./sales              then open http://127.0.0.1:8080
        streamlink-sql serve --data ./sales --port 0     on any free port

        curl -s http://127.0.0.1:8080/v1/ask -H 'Content-Type: application/json' \\
             -d '{"question": "how many orders?"}'
        """,
    "ccu": """
        streamlink-sql ccu --data spark://127.0.0.1:15002 --port 8081 \\
             --store postgresql://streamlink@127.0.0.1/streamlink

        Several of them on one store answer at one address behind Nginx.
        """,
    "web": """
        streamlink-sql web --ccu http://127.0.0.1:8081 --port 8080
        """,
    "worker": """
        streamlink-sql worker                            the built-in parser, on port 8090
        streamlink-sql worker --model ~/models/qwen-coder-1.5b.gguf --port 8091
        STREAMLINK_WORKER_TOKEN=... streamlink-sql worker --host 0.0.0.0 --parallel 2

        streamlink-sql serve --data ./sales --model worker:http://127.0.0.1:8090
        """,
    "nginx": """
        streamlink-sql nginx > nginx.conf                print it
        nginx -p /var/lib/streamlink -e error.log -c $PWD/nginx.conf             start
        nginx -p /var/lib/streamlink -e error.log -c $PWD/nginx.conf -s reload   after a change
        """,
    "tables": """
        streamlink-sql tables --data ./sales             every table with its columns
        streamlink-sql tables --data ./sales orders      one table in full
        streamlink-sql tables --data ./sales --json      for a program
        """,
    "history": """
        streamlink-sql history                           the last 20 questions
        streamlink-sql history --limit 100 --json        more, for a program
        streamlink-sql history 3f0c...                   one of them in full, by its id
        """,
    "ingest": """
        streamlink-sql ingest sales.csv --to hdfs://node7:9000/warehouse/sales
        streamlink-sql ingest ./sales --to hdfs://node7:9000/warehouse \\
             --register spark://node7:15002          every table, for Spark to ask
        streamlink-sql ingest sales.csv --to ./lake/sales --sort-by day --replace
        streamlink-sql ingest sales.csv --to s3://bucket/lake/sales
        """,
    "adapt": """
        streamlink-sql adapt --data ./sales --out ./adapted            from what people accepted
        streamlink-sql adapt --data ./sales --out ./adapted --promote  and answer with it, if it is better
        streamlink-sql adapt --data shop.sqlite --questions accepted.jsonl \
             --held-out test.jsonl --out ./adapted --json     from files, for a program
        streamlink-sql ask --data ./sales --adapter ./adapted "orders per month"
        """,
    "models": """
        streamlink-sql models list --data ./sales        what was made, and what it scored
        streamlink-sql models promote 3 --data ./sales   servers take it up within seconds
        streamlink-sql models rollback --data ./sales    what answered before answers again
        """,
    "users": """
        streamlink-sql users add ada --admin                         asks for a password
        streamlink-sql users add bob --role analyst --attribute countries=DE
        streamlink-sql users change bob --attribute countries=FR     the rest stays
        streamlink-sql users add eve@example.org --oidc              logs in at the provider of oidc_issuer
        streamlink-sql users disable bob
        """,
    "keys": """
        streamlink-sql keys create ada --expires 90                  shown once
        streamlink-sql keys revoke 3f0c9a1b2c
        curl -H "Authorization: Bearer sl_..." http://127.0.0.1:8080/v1/tables
        """,
    "audit": """
        streamlink-sql audit verify                      was any line changed, cut or removed?
        streamlink-sql audit export --output audit.jsonl all of it, for your archive
        streamlink-sql audit verify --file audit.jsonl   the same of what was exported
        """,
    "store": """
        streamlink-sql store backup history.db           a copy, while it is in use
        streamlink-sql store prune --keep-days 90        forget what is older
        streamlink-sql store migrate                     bring it to this version, now
        """,
    "policy": """
        streamlink-sql policy check policy.toml --data ./sales        does it fit the data?
        streamlink-sql policy show --role analyst --data ./sales      what may they see?
        streamlink-sql ask --data ./sales --policy policy.toml --role analyst "orders per month"
        """,
    "load": """
        streamlink-sql load --url http://127.0.0.1:8080                       50 askers for a minute
        streamlink-sql load --url URL --users 10 --seconds 30 --json          for a program
        streamlink-sql load --url URL --key sl_... --questions mine.jsonl     your own questions
        """,
    "redteam": """
        streamlink-sql redteam                           all texts of ours, some minutes
        streamlink-sql redteam --engine duckdb --limit 20 --time-limit 1
        streamlink-sql redteam --html report.html        a page with a plot
        streamlink-sql redteam --corpus mine.sql --json  your own texts, for a program

        Your data is not touched: the database is made for it, and thrown away.
        """,
    "evaluate": """
        streamlink-sql evaluate questions mine.jsonl --data ./sales
        streamlink-sql evaluate spider --data ./spider --limit 100 --json
        streamlink-sql evaluate gate attacks.sql --engine duckdb --fixture tables.sql

        A line of mine.jsonl: {"question": "how many orders?",
                               "query": "SELECT count(*) FROM orders"}
        """,
}


def epilog(name: str) -> str:
    """The examples of a command, laid out as they are written."""
    lines = [line.removeprefix("        ") for line in EXAMPLES[name].strip("\n").rstrip().splitlines()]
    blocks = "\n".join(f"  {line}" if line else "\n\b" for line in lines)
    return f"\b\nExamples:\n{blocks}"
