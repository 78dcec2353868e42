"""How a publisher's data reaches raw: declared, fetched, landed as published, loaded. Knows nothing of Airflow."""
