"""The composition root and the doors: terminal, API and pages."""
