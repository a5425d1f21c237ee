"""The log in another form (归档): Parquet files by position, proven by the seals, for bulk reading."""
