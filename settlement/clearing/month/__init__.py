"""The monthly clearing (按月清算): computed, planned line by line, refused, shown."""
