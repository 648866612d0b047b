"""The bridge's own small web server: webhooks come in here; health and metrics are read here."""
