"""A sample area (样例统筹区) written as ordinary files, from a seed."""

from medfund.demo.area import SampleArea, write_sample_area

__all__ = ["SampleArea", "write_sample_area"]
