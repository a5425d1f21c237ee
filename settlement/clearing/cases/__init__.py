"""From cases to points and sums by institution (病例计分、按机构汇总), counted by an engine."""
