"""The yearly clearing (年度清算): computed, refused, shown."""
