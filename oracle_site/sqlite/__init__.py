"""Django's SQLite backend with a write lock that is waited for fairly."""
