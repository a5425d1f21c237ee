"""Clearing (清算): what each institution is due, from its cases to one amount a fund and month."""
