"""The books (账簿): facts that are only ever appended, and the rules by which they are."""
