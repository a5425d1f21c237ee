"""The event store (事件库): one log on SQLite or PostgreSQL, its seals, guards and totals."""
