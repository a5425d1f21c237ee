"""Adapters of the engines that can run the kernel; each imports its own library only."""
